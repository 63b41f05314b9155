"""Identity of a user: the email they sign in with, and their name."""

from dataclasses import dataclass
from enum import StrEnum

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.db.models import Q, Value
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.utils.translation import gettext as _

from dashboard.audit import Action, Subject, record
from dashboard.models import User
from dashboard.outbox.notices import tell
from dashboard.queries.belonging import accounts_ever_of, accounts_of, belongs_to_another, owns_domain
from dashboard.services.deciding import RefusedError
from sync.models import Account


@dataclass(frozen=True)
class Identity:
    """Name and email of a user. Emails that differ in case alone are the same."""

    email: str
    first_name: str
    last_name: str

    @classmethod
    def of(cls, user: User) -> "Identity":
        """Return what a user is called now."""
        return cls(user.email, user.first_name, user.last_name)


class Source(StrEnum):
    """Source of an identity."""

    MEMBER = "member"
    ADMINISTRATOR = "administrator"
    SINGLE_SIGN_ON = "single_sign_on"


class EmailTakenError(RefusedError):
    """Another user signs in with the email."""


def rename(
    user: User,
    identity: Identity,
    *,
    by: User,
    source: Source,
    vouched_by: Account | None = None,
    request: HttpRequest | None = None,
) -> tuple[str, ...]:
    """Give a user another email or name; return the fields that changed. Who speaks for them is the caller's to know.

    Where an account's word alone says that the email is theirs (`vouched_by`), so it is with what they sign in with:
    another account's first role deletes that (`dashboard.services.first_role`).

    With another email the old one is forgotten for signing in and for new passwords, and told that it is. On record in
    every account the user has, or had, something in. EmailTakenError when another user signs in with the email.
    """
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user.pk)
        before, email = user.email, User.objects.normalize_email(identity.email)
        if email.casefold() == before.casefold():
            email = before
        wanted = {"email": email, "first_name": identity.first_name, "last_name": identity.last_name}
        changed = tuple(name for name, value in wanted.items() if getattr(user, name) != value)
        if not changed:
            return ()
        accounts: list[Account | None] = [*accounts_ever_of(user)]
        for account in accounts or [None]:
            record(
                Action.MEMBER_RENAMED,
                account=account,
                user=by,
                subject=Subject.USER,
                subject_id=user.pk,
                details={"fields": list(changed), "source": source.value},
                request=request,
            )
        for name in changed:
            setattr(user, name, wanted[name])
        if "email" in changed and user.vouched_by_id is None:
            user.vouched_by = vouched_by
        try:
            with transaction.atomic():
                user.save(update_fields=[*changed, "vouched_by"])
        except IntegrityError:
            raise EmailTakenError(_("Somebody else signs in with this email.")) from None
        if "email" in changed:
            # Nobody else signs in with it: another user's row is a left-over by which they could get a new password.
            known = EmailAddress.objects.annotate(lower=Lower("email"))
            known.filter(Q(user=user) | Q(lower=Lower(Value(email)))).delete()
            is_verified = source != Source.ADMINISTRATOR
            EmailAddress.objects.create(user=user, email=email, verified=is_verified, primary=True)
            _tell(before, email, source)
    return changed


def correct(
    user: User, identity: Identity, *, account: Account, by: User, request: HttpRequest | None = None
) -> tuple[str, ...]:
    """Give a member another email or name because an administrator of the account says so; see `rename`.

    RefusedError for who has something in another account, too, and for an email of a domain that another account
    speaks for.
    """
    if accounts_of(user).keys() - {account.pk}:
        raise RefusedError(_("They have access to another account, too: only they can change their name and email."))
    is_new = identity.email.casefold() != user.email.casefold()
    if is_new and belongs_to_another(account.pk, identity.email):
        raise RefusedError(_("Emails of this domain belong to another account."))
    vouched_by = None if owns_domain(account.pk, identity.email) else account
    return rename(user, identity, by=by, source=Source.ADMINISTRATOR, vouched_by=vouched_by, request=request)


def _tell(before: str, email: str, source: Source) -> None:
    who = {
        Source.MEMBER: _("It was changed on the page of your sign-in, and confirmed from the other address."),
        Source.ADMINISTRATOR: _("An administrator of Rollcall changed it."),
        Source.SINGLE_SIGN_ON: _("Your organization's single sign-on says another one."),
    }[source]
    tell(
        before,
        _("You sign in to Rollcall with another email"),
        _("Whoever signed in to Rollcall with this address signs in with another from now on. %(who)s") % {"who": who},
        _("Mail of Rollcall goes there, too. Was that not you? Tell an administrator of Rollcall at once."),
    )
    if source == Source.ADMINISTRATOR:
        tell(
            email,
            _("You sign in to Rollcall with this email"),
            _("An administrator of Rollcall corrected the email of your sign-in: it is this address now."),
        )
