"""Answers: rows as JSON or CSV, with what they stand on, and a tag that stays while the rows do."""

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse

from dashboard.api.fields import written
from dashboard.queries.fields import Field
from dashboard.web.problems import Problem

JSON, CSV = "application/json", "text/csv"
# One user's data, to be asked for anew each time; with the tag, the answer may be that nothing changed.
_KEPT = "private, no-cache"
_encoder = msgspec.json.Encoder()


@dataclass(frozen=True)
class Rows:
    """One page of a list: its fields, the rows in their order, and the cursor of the next page, empty on the last."""

    fields: Sequence[Field]
    rows: Sequence[Sequence[Any]]
    next_cursor: str = ""


@dataclass(frozen=True)
class One:
    """A single thing."""

    fields: Sequence[Field]
    row: Sequence[Any]


@dataclass(frozen=True)
class Told:
    """An answer that somebody else wrote: its JSON, or its CSV. `tagged` is what it tells, without the clock."""

    body: bytes
    tagged: bytes
    count: int


@dataclass(frozen=True)
class Origin:
    """Origin of an answer: the moment, the scope in words, and the sync whose data it shows."""

    as_of: datetime
    scope: str
    run: int | None
    published_at: datetime | None = field(default=None)

    @property
    def values(self) -> dict[str, Any]:
        """The same by name, as it stands beside rows."""
        return {
            "as_of": self.as_of.astimezone(UTC),
            "scope": self.scope,
            "sync_run": self.run,
            "published_at": self.published_at,
        }


def wants_csv(request: HttpRequest, chosen: str) -> bool:
    """Return whether the answer is to be CSV: as the address says, else as Accept prefers. Problem 406 for neither."""
    if chosen:
        return chosen == "csv"
    preferred = request.get_preferred_type([JSON, CSV])
    if preferred is None:
        raise Problem(406, f"Accept {JSON} or {CSV}.")
    return preferred == CSV


def respond(
    request: HttpRequest, answer: Rows | One | Told, origin: Origin, *, as_csv: bool, next_url: str = ""
) -> tuple[HttpResponse, int]:
    """Return the response and how many rows it has; 304 without a body where the client has them already."""
    if isinstance(answer, Told):
        body, tagged, count = answer.body, answer.tagged, answer.count
    else:
        names = [one.name for one in answer.fields]
        rows = answer.rows if isinstance(answer, Rows) else [answer.row]
        count = len(rows)
        if as_csv:
            body = tagged = _delimited(names, rows)
        else:
            objects = [dict(zip(names, row, strict=True)) for row in rows]
            tagged = _encoder.encode(objects if isinstance(answer, Rows) else objects[0])
            body = _whole(answer, tagged, origin)
    tag = f'W/"{hashlib.blake2b(tagged + bool(next_url).to_bytes(), digest_size=12).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": _KEPT, "Vary": "Accept, Authorization"}
    if next_url:
        headers["Link"] = f'<{next_url}>; rel="next"'
    if tag in _tags(request):
        return HttpResponse(status=304, headers=headers), count
    kind = f"{CSV}; charset=utf-8; header=present" if as_csv else JSON
    return HttpResponse(body, content_type=kind, headers=headers), count


def _whole(answer: Rows | One, data: bytes, origin: Origin) -> bytes:
    told: dict[str, Any] = {"data": msgspec.Raw(data)}
    if isinstance(answer, Rows):
        told["next_cursor"] = answer.next_cursor or None
    return _encoder.encode(told | origin.values)


def _delimited(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(names)
    writer.writerows([written(value) for value in row] for row in rows)
    return text.getvalue().encode()


def _tags(request: HttpRequest) -> set[str]:
    """Return the tags of the answers that the client has; a strong one stands for its weak one here."""
    found = (tag.strip() for tag in request.headers.get("If-None-Match", "").split(","))
    return {tag if tag.startswith("W/") else f"W/{tag}" for tag in found if tag}
