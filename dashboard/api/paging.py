"""Cursors: where a page ended, at which moment and in answer to which question; signed, and good for that alone."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from django.core import signing
from django.http import QueryDict

from dashboard.web.problems import Problem

_SALT = "dashboard.api.cursor"
# What may differ from page to page.
_FREE = frozenset({"cursor", "limit", "format"})
_LARGEST_KEY = 2**63 - 1
# How a cursor is written: parts of base64url, signed; empty is the first page.
PATTERN = "^[A-Za-z0-9_.:-]*$"


@dataclass(frozen=True)
class Place:
    """Position of a page: after the row with the key `after`, for the moment that the first page was asked for."""

    after: int
    as_of: datetime


def question_of(path: str, query: QueryDict, account: int) -> str:
    """Return a digest of what a list was asked for, whatever the page."""
    asked = sorted((name, values) for name, values in query.lists() if name not in _FREE)
    return hashlib.sha256(repr((path, asked, account)).encode()).hexdigest()[:16]


def write(place: Place, question: str) -> str:
    """Return the cursor of a place."""
    return signing.dumps([place.after, place.as_of.isoformat(), question], salt=_SALT)


def read(cursor: str, question: str) -> Place:
    """Return the place of a cursor. Problem 400 for what is none, and for one of another question."""
    try:
        after, as_of, asked = signing.loads(cursor, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        raise Problem(400, "This is no cursor: take next_cursor of the page before.", parameter="cursor") from None
    if asked != question:
        raise Problem(
            400, "The cursor belongs to another question: send the parameters of its first page.", parameter="cursor"
        )
    return Place(min(after, _LARGEST_KEY), datetime.fromisoformat(as_of))
