"""KnowBe4 API keys at rest: encrypted with a key derived from `SECRET_KEY`, never stored in clear."""

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class KeyUnreadableError(Exception):
    """The stored key was encrypted under another SECRET_KEY."""

    def __init__(self) -> None:
        super().__init__(
            "The stored KnowBe4 key cannot be read: SECRET_KEY has changed since it was entered. "
            "Enter the key again, or start with the SECRET_KEY that stored it."
        )


def encrypt(value: str) -> bytes:
    """Return the key encrypted; empty for an empty key."""
    return _fernet().encrypt(value.encode()) if value else b""


def decrypt(stored: bytes) -> str:
    """Return the key in clear text; empty for an empty one. KeyUnreadableError under another SECRET_KEY."""
    if not stored:
        return ""
    try:
        return _fernet().decrypt(stored).decode()
    except InvalidToken:
        raise KeyUnreadableError from None


def _fernet() -> Fernet:
    derived = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"rollcall knowbe4 api key").derive(
        settings.SECRET_KEY.encode()
    )
    return Fernet(base64.urlsafe_b64encode(derived))
