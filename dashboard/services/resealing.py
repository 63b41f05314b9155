"""Writing every stored secret anew under today's `SECRET_KEY`, so that its fallbacks can go."""

from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from typing import Any

from allauth.mfa.models import Authenticator
from django.db import transaction

from config.sealing import Purpose, SecretUnreadableError, is_current, seal, unseal
from dashboard.audit import Action, Through, record
from dashboard.models import SingleSignOn
from sync.models import Account

# Of an authenticator's data: the secret of an app, the seed of recovery codes, and codes of another site's.
_TEXTS, _LISTS = ("secret", "seed"), ("migrated_codes",)


@dataclass
class Resealed:
    """Result: secrets written anew, those that were under today's key already, and which cannot be read."""

    anew: int = 0
    current: int = 0
    unreadable: tuple[str, ...] = ()


def seal_again(*, forget_unreadable: bool = False) -> Resealed:
    """Write each stored secret under SECRET_KEY, in one transaction; what is already, is left.

    What neither SECRET_KEY nor its fallbacks read is named and left as it is, or with `forget_unreadable` removed: a
    KnowBe4 key and a client secret become empty, an authenticator app or recovery codes are gone, so that their owner
    signs in without.
    """
    found = Resealed()
    with transaction.atomic():
        for account in Account.objects.select_for_update().order_by("pk"):
            _column(
                found,
                account,
                "encrypted_key",
                Purpose.KNOWBE4_KEY,
                f"KnowBe4 key of {account.name}",
                forget_unreadable,
            )
        for one in SingleSignOn.objects.select_for_update().order_by("pk"):
            label = f"client secret of {one.name}"
            _column(found, one, "encrypted_secret", Purpose.SIGN_IN, label, forget_unreadable)
        rows = Authenticator.objects.exclude(type=Authenticator.Type.WEBAUTHN).select_related("user")
        for row in rows.select_for_update(of=("self",)).order_by("pk"):
            _authenticator(found, row, forget_unreadable)
        record(
            Action.SECRETS_SEALED_AGAIN,
            account=None,
            user=None,
            through=Through.COMMAND,
            details={
                "sealed_again": found.anew,
                "unreadable": len(found.unreadable),
                "forgotten": len(found.unreadable) if forget_unreadable else 0,
            },
        )
    return found


def _column(found: Resealed, row: Any, name: str, purpose: Purpose, label: str, forget: bool) -> None:
    stored = bytes(getattr(row, name))
    if not stored:
        return
    try:
        setattr(row, name, _anew(found, stored, purpose))
    except SecretUnreadableError:
        found.unreadable += (label,)
        if not forget:
            return
        setattr(row, name, b"")
    row.save(update_fields=[name])


def _authenticator(found: Resealed, row: Authenticator, forget: bool) -> None:
    try:
        for holder, key in _places(row.data):
            holder[key] = _anew(found, holder[key].encode(), Purpose.SIGN_IN).decode()
    except SecretUnreadableError:
        found.unreadable += (f"{row.get_type_display()} of {row.user.email}",)
        if forget:
            row.delete()
        return
    row.save(update_fields=["data"])


def _places(data: dict[str, Any]) -> Iterator[tuple[MutableMapping[Any, str] | list[str], Any]]:
    """Yield each encrypted text of an authenticator's data, as what holds it and the key there."""
    yield from ((data, name) for name in _TEXTS if name in data)
    for name in _LISTS:
        yield from ((data[name], place) for place in range(len(data.get(name) or [])))


def _anew(found: Resealed, stored: bytes, purpose: Purpose) -> bytes:
    """Return the secret sealed under today's key, and count it. SecretUnreadableError if it cannot be read."""
    if is_current(stored, purpose):
        found.current += 1
        return stored
    sealed = seal(unseal(stored, purpose), purpose)
    found.anew += 1
    return sealed
