"""Verify that the audit log is as it was written: its chain of hashes, from the first event to the last.

The hash of an event is SHA-256, in hexadecimal, over the text that `sealed_text` returns, in UTF-8. The database builds
the same text when it seals; this module shares no code with it.

An event that lost email and network when its actor was erased is proved by `AuditErasure`: its digest is over the text
as it is now and the hash it was sealed with, and the act of erasing, an event of a chain itself, holds the hash over
the digests of all the events that it emptied.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import transaction

from dashboard.models.audit import Action, AuditErasure, AuditEvent, AuditHead, AuditSeal

START = "0" * 64
# Rows read at a time: memory does not grow with the log.
AT_A_TIME = 2_000


@dataclass(frozen=True)
class Verdict:
    """Result of following a chain: how many events hold, the last hash, and where it breaks first ("" for nowhere)."""

    events: int
    digest: str
    problem: str = ""


def chains() -> list[int]:
    """Return the chains there are: the keys of accounts, 0 for events of no account."""
    sealed = AuditSeal.objects.values_list("chain", flat=True).distinct()
    heads = AuditHead.objects.values_list("chain", flat=True)
    return sorted({*sealed, *heads})


def verify(chain: int) -> Verdict:
    """Follow the chain of an account (0: of none) and return how far it holds.

    Found is every event changed, taken out, put in or moved, and an end cut off. An end cut off together with the
    chain's head shows only by a hash noted before, which `holds` looks for.
    """
    with transaction.atomic():
        end = AuditHead.objects.filter(chain=chain).first()
        position, digest = 0, START
        seals = AuditSeal.objects.filter(chain=chain).order_by("position")
        if end is not None:
            # What is sealed meanwhile is left for the next time.
            seals = seals.filter(position__lte=end.position)
        proven = proven_acts()
        for seal in seals.select_related("event", "event__erasure").iterator(chunk_size=AT_A_TIME):
            problem = _problem(seal, position, digest, proven)
            if problem:
                return Verdict(position, digest, problem)
            position, digest = seal.position, seal.digest
        if end is None or (end.position, end.digest) != (position, digest):
            wanted = end.position if end else 0
            return Verdict(position, digest, f"The chain ends at {position}; its head says {wanted}.")
        loose = AuditEvent.objects.filter(account=chain or None, seal__isnull=True).order_by("pk").first()
        if loose is not None:
            return Verdict(position, digest, f"Event {loose.pk} is in the log and not in the chain.")
    return Verdict(position, digest)


@dataclass(frozen=True)
class Anchor:
    """End of a chain at some time: noted outside the database, it shows later that nothing before was changed."""

    events: int
    digest: str


def anchor(chain: int) -> Anchor:
    """Return where the chain of an account (0: of none) ends now; an empty one before its first event."""
    head = AuditHead.objects.filter(chain=chain).first()
    return Anchor(head.position, head.digest) if head else Anchor(0, START)


def continues(chain: int, noted: Anchor) -> bool:
    """Return whether what was noted of a chain is still the beginning of it."""
    if noted.events == 0:
        return noted.digest == START
    return AuditSeal.objects.filter(chain=chain, position=noted.events, digest=noted.digest).exists()


def holds(digest: str) -> bool:
    """Return whether the hash, noted at some time before, is still in a chain."""
    return AuditSeal.objects.filter(digest=digest).exists()


def erased_digest(event: AuditEvent, seal: AuditSeal) -> str:
    """Return the digest by which an event without its email and network is known, and the hash of what it was."""
    text = sealed_text(event, position=seal.position, previous=seal.previous)
    return hashlib.sha256((text + seal.digest).encode()).hexdigest()


def digest_over(digests: Iterable[str]) -> str:
    """Return the hash that an act of erasing holds over the digests of its events, in the order of their ids."""
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def proven_acts() -> frozenset[int]:
    """Return the acts of erasing whose events are those that the act was written with, no more and no fewer."""
    acts = AuditEvent.objects.filter(action=Action.PERSON_ERASED).only("pk", "details")
    rows = AuditErasure.objects.order_by("act_id", "event_id").values_list("act_id", "digest")
    digests: dict[int, list[str]] = {}
    for act_id, digest in rows.iterator(chunk_size=AT_A_TIME):
        digests.setdefault(act_id, []).append(digest)
    return frozenset(
        act.pk for act in acts if act.pk in digests and act.details.get("emptied") == digest_over(digests[act.pk])
    )


def sealed_text(event: AuditEvent, *, position: int, previous: str) -> str:
    """Return the text that an event's hash is over: one JSON object, spelled as Postgres spells jsonb.

    Keys are ordered by length, then by bytes; a blank follows each comma and colon; the moment is in UTC with six
    digits of a second.
    """
    at: datetime = event.at.astimezone(UTC)
    return _spelled(
        {
            "account": event.account_id,
            "action": event.action,
            "actor": event.actor_id,
            "actor_email": event.actor_email,
            "at": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "details": event.details,
            "id": event.pk,
            "network": event.network,
            "position": position,
            "previous": previous,
            "subject": event.subject,
            "subject_id": event.subject_id,
            "through": event.through,
        }
    )


def _problem(seal: AuditSeal, position: int, digest: str, proven: frozenset[int]) -> str:
    event = seal.event
    if seal.position != position + 1:
        return f"After place {position} comes {seal.position}: something was taken out."
    if seal.previous != digest:
        return f"Event {event.pk}, place {seal.position}, is not chained to the one before."
    text = sealed_text(event, position=seal.position, previous=seal.previous)
    erasure = getattr(event, "erasure", None)
    is_erased = erasure is not None and erasure.act_id in proven and erasure.digest == erased_digest(event, seal)
    if not is_erased and hashlib.sha256(text.encode()).hexdigest() != seal.digest:
        return f"Event {event.pk}, place {seal.position}, is not as it was written."
    if (event.account_id or 0) != seal.chain:
        return f"Event {event.pk}, place {seal.position}, is in another account's chain."
    return ""


def _spelled(value: object) -> str:
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
        return "{" + ", ".join(f"{_spelled(key)}: {_spelled(value[key])}" for key in keys) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_spelled, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
