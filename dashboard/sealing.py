"""Secrets of signing in at rest: encrypted with a key derived from `SECRET_KEY`, never stored in clear."""

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class SecretUnreadableError(Exception):
    """The stored secret was encrypted under another SECRET_KEY."""

    def __init__(self) -> None:
        super().__init__("A stored secret cannot be read: SECRET_KEY has changed since it was entered. Enter it again.")


def seal(value: str) -> bytes:
    """Return the text encrypted; empty for an empty one."""
    return _fernet().encrypt(value.encode()) if value else b""


def unseal(stored: bytes) -> str:
    """Return the text in clear; empty for an empty one. SecretUnreadableError under another SECRET_KEY."""
    if not stored:
        return ""
    try:
        return _fernet().decrypt(stored).decode()
    except InvalidToken:
        raise SecretUnreadableError from None


def _fernet() -> Fernet:
    derived = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"rollcall sign-in secret").derive(
        settings.SECRET_KEY.encode()
    )
    return Fernet(base64.urlsafe_b64encode(derived))
