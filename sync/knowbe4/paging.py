"""Paging of a list, next page and end, in both ways KnowBe4 pages.

Page mode: bare arrays, `page=1, 2, ...`, the end is an empty or short page. Cursor mode: the first request sends
`cursor=true`, the reply wraps the rows in `data` and names the next cursor beside it; a null cursor is the end.
KnowBe4's API documentation of September 2025 knows the cursor for enrollments only and does not print where the next
one stands; clients seen live found it in the body, others in headers.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import msgspec
from requests.utils import parse_header_links

from sync.knowbe4.errors import PagingBroken

FIRST_CURSOR = "true"
START_CURSORS = frozenset({FIRST_CURSOR, "0"})
CURSOR_HOMES = ("pagination", "_metadata", "metadata", "meta")
CURSOR_HEADERS = ("X-Next-Cursor", "Next-Cursor", "X-Cursor-Next")

Mode = Literal["start", "cursor", "header", "page"]


@dataclass(frozen=True)
class Position:
    """The page to read next: its number within the list, how to ask for it, and the digest of the page before."""

    mode: Mode = "start"
    number: int = 1
    cursor: str = ""
    before: str = ""

    def __str__(self) -> str:
        return f"{self.mode}:{self.number}:{self.before}:{self.cursor}"

    @classmethod
    def parse(cls, text: str) -> "Position":
        """Return the position that `str` made into `text`; ValueError for anything else."""
        mode, number, before, cursor = ([*text.split(":", 3), "", "", ""])[:4]
        if mode not in ("cursor", "header", "page") or not number.isdecimal() or (mode == "page") == bool(cursor):
            raise ValueError(f"Not a position in a KnowBe4 list: {text[:100]!r}.")
        return cls(mode, int(number), cursor, before)  # type: ignore[arg-type]

    def params(self, per_page: int) -> dict[str, str]:
        """Return the paging parameters that ask for this page."""
        where = {"page": str(self.number)} if self.mode == "page" else {"cursor": self.cursor or FIRST_CURSOR}
        return {"per_page": str(per_page), **where}


@dataclass(frozen=True)
class Reply:
    """A list's reply, opened but not decoded: `rows` is a JSON array.

    `cursor` is the next cursor, "" for the end, None when the reply has none of the known keys or headers.
    """

    rows: bytes
    wrapped: bool
    cursor: str | None
    cursor_in_header: bool = False
    per_page: int | None = None
    message: str | None = None

    @property
    def digest(self) -> str:
        """Return what tells this page's rows from another's."""
        return hashlib.sha256(self.rows).hexdigest()[:16]


class _Envelope(msgspec.Struct):
    data: msgspec.Raw = msgspec.Raw(b"")
    pagination: Any = None
    underscored: Any = msgspec.field(name="_metadata", default=None)
    metadata: Any = None
    meta: Any = None
    message: Any = None
    error: Any = None


_envelope = msgspec.json.Decoder(_Envelope)


def read_reply(body: bytes, headers: Mapping[str, str]) -> Reply:
    """Open a list's reply, array or envelope.

    A reply without rows has `rows` b"" (and `message`, if it says something instead). Raises msgspec.DecodeError
    when the body is no JSON or neither array nor object.
    """
    body = body.strip()
    in_header = _header_cursor(headers)
    if body[:1] == b"[":
        return Reply(body, wrapped=False, cursor=in_header, cursor_in_header=in_header is not None)
    envelope = _envelope.decode(body)
    homes = (envelope.pagination, envelope.underscored, envelope.metadata, envelope.meta)
    found = [home["next_cursor"] for home in homes if isinstance(home, dict) and "next_cursor" in home]
    sizes = [home["per_page"] for home in homes if isinstance(home, dict) and type(home.get("per_page")) is int]
    rows = bytes(envelope.data)
    message = envelope.message or envelope.error
    return Reply(
        rows if rows[:1] == b"[" else b"",
        wrapped=True,
        cursor=_cursor_text(next((value for value in found if value is not None), None)) if found else in_header,
        cursor_in_header=not found and in_header is not None,
        per_page=sizes[0] if sizes else None,
        message=str(message) if message else None,
    )


def _cursor_text(value: Any) -> str:
    match value:
        case None | "" | False:
            return ""
        case str() | int() if value is not True:
            return str(value)
        case _:
            raise msgspec.DecodeError("next_cursor is neither text nor a whole number")


def _header_cursor(headers: Mapping[str, str]) -> str | None:
    for name in CURSOR_HEADERS:
        if name in headers:
            return headers[name].strip()
    for link in parse_header_links(headers.get("Link", "")):
        if link.get("rel") == "next":
            cursors = parse_qs(urlsplit(link["url"]).query).get("cursor")
            if cursors:
                return cursors[0]
    return None


def following(
    position: Position, reply: Reply, count: int, *, per_page: int, cap: int | None = None
) -> Position | None:
    """Return the position after a page of `count` rows at `position`; None when the list ended properly.

    `cap` is set where KnowBe4 sends fewer rows than asked for, so that only an empty page ends the list. Raises
    PagingBroken when the next page cannot be known, or this page is the one before again.
    """
    digest = reply.digest if count else position.before
    if count and digest == position.before:
        raise PagingBroken(
            f"KnowBe4 sent page {position.number} with the rows of the page before: the list cannot be read to its end."
        )
    number = position.number + 1
    if position.mode == "page":
        if reply.cursor is not None:
            raise PagingBroken(
                f"KnowBe4 answered page {position.number} with a cursor: it no longer takes page numbers for this list."
            )
        return None if _is_last(count, per_page, cap) else Position("page", number, before=digest)
    if reply.cursor:
        if reply.cursor in START_CURSORS or reply.cursor == position.cursor:
            raise PagingBroken(f"KnowBe4 repeated a cursor at page {position.number}: the list would never end.")
        return Position("header" if reply.cursor_in_header else "cursor", number, reply.cursor, digest)
    if reply.cursor == "":
        return None
    if reply.wrapped or position.mode == "cursor":
        if count >= min(size for size in (per_page, cap, reply.per_page) if size):
            raise PagingBroken(
                f"KnowBe4 sent page {position.number} full and without a known cursor: "
                "the rest of the list is out of reach."
            )
        return None
    if position.mode == "header":
        return None  # no header any more: that is how this way of paging ends
    return None if _is_last(count, per_page, cap) else Position("page", number, before=digest)


def _is_last(count: int, per_page: int, cap: int | None) -> bool:
    """Return whether a page found by number ends its list: empty, or shorter than asked for.

    A short page of a round number of rows may be a whole one of a server that sends fewer than it is asked for: only
    the next page tells.
    """
    is_round = count % 10 == 0 or count % 25 == 0
    return count == 0 or (cap is None and count < per_page and not is_round)
