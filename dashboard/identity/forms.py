"""Forms of signing in where allauth's own take what they should not."""

from typing import Any

from allauth.account.forms import LoginForm as AllauthLoginForm
from allauth.account.forms import ResetPasswordForm as AllauthResetPasswordForm
from allauth.mfa.adapter import get_adapter
from allauth.mfa.webauthn.forms import AddWebAuthnForm

from dashboard.identity.email_field import AddressField, AddressInput


class AddPasskeyForm(AddWebAuthnForm):
    """A new passkey, which is an object: allauth keeps a 0 or [] unread, and then no page of passkeys opens again."""

    def clean_credential(self) -> dict[str, Any]:
        """Refuse what is no passkey's answer."""
        credential = self.cleaned_data["credential"]
        if not isinstance(credential, dict) or not credential:
            raise get_adapter().validation_error("incorrect_code")
        return credential


class LoginForm(AllauthLoginForm):
    """Signing in by an email with letters of any script."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"] = _any_address(self.fields["login"])
        self.order_fields(["login", "password"])


class ResetPasswordForm(AllauthResetPasswordForm):
    """Asking for a new password by such an email."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"] = _any_address(self.fields["email"])


def _any_address(field: Any) -> AddressField:
    """Return a field for an address that is otherwise like allauth's."""
    told = {name: value for name, value in field.widget.attrs.items() if name not in {"type", "maxlength"}}
    return AddressField(label=field.label, max_length=254, widget=AddressInput(told))
