"""Secrets at rest: encrypted with a key derived from `SECRET_KEY`, never stored in clear.

What `SECRET_KEY` sealed before it was changed is read with `SECRET_KEY_FALLBACKS`, and written with `SECRET_KEY` alone;
`manage.py seal_again` writes all of it anew.
"""

import base64
from enum import Enum
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class Purpose(Enum):
    """Purpose of a secret: each purpose has keys of its own. The value goes into their derivation; never change it."""

    KNOWBE4_KEY = "rollcall knowbe4 api key"
    SIGN_IN = "rollcall sign-in secret"


_SENTENCES = {
    Purpose.KNOWBE4_KEY: "The stored KnowBe4 key cannot be read: SECRET_KEY has changed since it was entered. "
    "Enter the key again, or put the SECRET_KEY that stored it into SECRET_KEY_FALLBACKS.",
    Purpose.SIGN_IN: "A stored secret of signing in cannot be read: SECRET_KEY has changed since it was entered. "
    "Put the SECRET_KEY that stored it into SECRET_KEY_FALLBACKS.",
}


class SecretUnreadableError(Exception):
    """Neither SECRET_KEY nor its fallbacks sealed the stored secret; the message is a sentence to show."""

    def __init__(self, purpose: Purpose) -> None:
        super().__init__(_SENTENCES[purpose])


def seal(value: str, purpose: Purpose) -> bytes:
    """Return the text encrypted; empty for an empty one."""
    return _current(purpose).encrypt(value.encode()) if value else b""


def unseal(stored: bytes, purpose: Purpose) -> str:
    """Return the text in clear; empty for an empty one. SecretUnreadableError if no key of today reads it."""
    if not stored:
        return ""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    try:
        return MultiFernet([_fernet(key, purpose) for key in keys]).decrypt(stored).decode()
    except InvalidToken:
        raise SecretUnreadableError(purpose) from None


def is_current(stored: bytes, purpose: Purpose) -> bool:
    """Return whether SECRET_KEY itself reads the secret, without its fallbacks; True for an empty one."""
    try:
        return not stored or bool(_current(purpose).decrypt(stored))
    except InvalidToken:
        return False


def _current(purpose: Purpose) -> Fernet:
    return _fernet(settings.SECRET_KEY, purpose)


@cache
def _fernet(secret_key: str, purpose: Purpose) -> Fernet:
    derived = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=purpose.value.encode()).derive(
        secret_key.encode()
    )
    return Fernet(base64.urlsafe_b64encode(derived))


@cache
def wall_key(secret_key: str) -> bytes:
    """Return the 32 bytes with which the database's second wall knows our word (`dashboard.proofs`)."""
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"rollcall second wall").derive(
        secret_key.encode()
    )


@cache
def wall_key_id(secret_key: str) -> str:
    """Return 16 hexadecimal digits by which that key is named; it cannot be worked out from them."""
    derived = HKDF(algorithm=hashes.SHA256(), length=8, salt=None, info=b"rollcall second wall name")
    return derived.derive(secret_key.encode()).hex()


def fingerprint(secret_key: str) -> str:
    """Return 32 hexadecimal digits by which a SECRET_KEY is known again, and from which it cannot be worked out."""
    derived = HKDF(algorithm=hashes.SHA256(), length=16, salt=None, info=b"rollcall fingerprint")
    return derived.derive(secret_key.encode()).hex()
