"""Users: they sign in, and their roles decide what they see."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models
from django.db.models import Value
from django.db.models.functions import Lower


class UserManager(BaseUserManager["User"]):
    """Makes users by their email."""

    use_in_migrations = True

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a user; without a password nobody can sign in until one is set."""
        if not email:
            raise ValueError("A user needs an email.")
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a user with every permission."""
        return self.create_user(email, password, **{"is_staff": True, "is_superuser": True, **fields})

    def called(self, email: str | None) -> "User | None":
        """Return who signs in with the email, whatever its case; None for nobody, and for no email.

        By the letters' lower case, as the emails are unique: in upper case an ı is an I, and somebody else's email.
        """
        found = self.annotate(lower=Lower("email")).filter(lower=Lower(Value(email or ""))).first()
        return found if found is not None and found.email.casefold() == (email or "").casefold() else None

    def get_by_natural_key(self, username: str | None) -> "User":
        """Return the user with this email, whatever its case; User.DoesNotExist for nobody."""
        found = self.called(username)
        if found is None:
            raise self.model.DoesNotExist
        return found


class User(AbstractUser):
    """Someone who signs in to Rollcall, named by their email.

    With `vouched_by` some of what they sign in with was set in a session that this account's provider made, and nobody
    else's word for it (`dashboard.services.first_role`).
    """

    username = None  # type: ignore[assignment]  # the email is the name
    email = models.EmailField("email address", unique=True)
    vouched_by = models.ForeignKey(
        "sync.Account",
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Whose provider alone said who set the password or a second factor; null: the mailbox did.",
    )
    csv_format = models.CharField(
        max_length=20,
        default="csv",
        db_default="csv",
        help_text="The CSV they took along last: menus offer it before the other.",
    )
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects = UserManager()  # type: ignore[assignment,misc]  # ours makes users without a username

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_unique")]

    def __str__(self) -> str:
        return self.get_full_name() or self.email
