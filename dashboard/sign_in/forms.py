"""Forms of signing in where allauth's own take what they should not."""

from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.webauthn.forms import AddWebAuthnForm


class AddPasskeyForm(AddWebAuthnForm):
    """A new passkey, which is an object: allauth keeps a 0 or [] unread, and then no page of passkeys opens again."""

    def clean_credential(self) -> dict[str, Any]:
        """Refuse what is no passkey's answer."""
        credential = self.cleaned_data["credential"]
        if not isinstance(credential, dict) or not credential:
            raise get_adapter().validation_error("incorrect_code")
        return credential
