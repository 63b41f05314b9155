"""The field of forms in which somebody writes an email address."""

from typing import Any
from unicodedata import normalize

from django import forms

from config.email_addresses import validate_address


class AddressInput(forms.TextInput):
    """No browser's own input for emails: Chromium's takes no letters but ASCII's before the @."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"inputmode": "email", "autocapitalize": "none", "spellcheck": "false", **(attrs or {})})


class AddressField(forms.CharField):
    """An email address with letters of any script."""

    widget = AddressInput
    default_validators = [validate_address]

    def to_python(self, value: Any) -> str:
        """Return it in the one spelling it is kept in."""
        return normalize("NFC", super().to_python(value) or "").strip()
