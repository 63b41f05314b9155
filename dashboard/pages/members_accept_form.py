"""Form behind an invitation's link: name, password, and of the first administrator the time zone."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dashboard.identity.email_field import AddressField, AddressInput
from dashboard.models import Invitation, User
from dashboard.queries.members import has_user
from sync.models.account import time_zones, validate_time_zone


class PasswordForm(forms.Form):
    """A password, typed twice, for the user with this email."""

    password = forms.CharField(
        label=gettext_lazy("Password"),
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=gettext_lazy("Password again"),
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.fields["password"].help_text = " ".join(password_validators_help_texts())

    def clean(self) -> dict[str, Any]:
        """Hold the password to the rules, and both to each other."""
        cleaned = super().clean() or self.cleaned_data
        password, again = cleaned.get("password"), cleaned.get("again")
        if password and again and password != again:
            self.add_error("again", _("The two passwords differ."))
        if password:
            try:
                validate_password(password, self.unsaved())
            except ValidationError as error:
                self.add_error("password", error)
        return cleaned

    def unsaved(self) -> User:
        """Return the user the password is for, as they will be, without it."""
        return self.user


class NewUserForm(PasswordForm):
    """Name and password of a new user; the email, too, where the link is for nobody's."""

    email = AddressField(
        label=gettext_lazy("Work email"), max_length=254, widget=AddressInput(attrs={"autocomplete": "email"})
    )
    first_name = forms.CharField(
        label=gettext_lazy("First name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "given-name"})
    )
    last_name = forms.CharField(
        label=gettext_lazy("Last name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "family-name"})
    )
    time_zone = forms.CharField(
        label=gettext_lazy("Time zone"),
        max_length=64,
        validators=[validate_time_zone],
        widget=forms.TextInput(attrs={"list": "time-zones", "autocomplete": "off"}),
        help_text=gettext_lazy("Days and quarters begin at its midnight."),
    )
    field_order = ("email", "first_name", "last_name", "password", "again", "time_zone")

    def __init__(self, invitation: Invitation, *args: Any, asks_time_zone: bool = False, **kwargs: Any) -> None:
        kwargs["initial"] = {"time_zone": invitation.account.time_zone}
        super().__init__(User(email=User.objects.normalize_email(invitation.email)), *args, **kwargs)
        if invitation.email:
            del self.fields["email"]
        if not asks_time_zone:
            del self.fields["time_zone"]

    @property
    def zones(self) -> tuple[str, ...]:
        """The names a time zone may have."""
        return time_zones()

    def clean_email(self) -> str:
        """Refuse the email of somebody who has a sign-in: the link alone must not take that over."""
        email: str = self.cleaned_data["email"]
        if has_user(email):
            raise ValidationError(_("Somebody has a sign-in with this email: sign in, then open the link once more."))
        return User.objects.normalize_email(email)

    def unsaved(self) -> User:
        """Return the user this form would make, without a password."""
        named = {name: self.cleaned_data.get(name, "") for name in ("first_name", "last_name")}
        return User(email=self.cleaned_data.get("email") or self.user.email, **named)
