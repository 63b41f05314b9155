"""Pages of a list, in each of the ways KnowBe4 is known or said to answer."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

STYLES: dict[str, str] = {
    "pagination": 'envelope {"data":[...],"pagination":{"per_page":n,"next_cursor":...}} on all lists (default)',
    "_metadata": 'envelope {"data":[...],"_metadata":{"next_cursor":...}}',
    "both": "envelope with both keys",
    "string": "the default, with the cursor as a string",
    "header": "bare array, cursor in the header X-Next-Cursor",
    "link": 'bare array, next page in a header Link: <...>; rel="next"',
    "enrollments-only": "as in 2025: cursors on enrollments only, other lists ignore them and answer by page",
    "page-ignored": "after the cut-over: page is ignored, every page is the first; cursors as by default",
    "page-rejected": "after the cut-over: page is answered with 400; cursors as by default",
}
FIRST_CURSORS = ("true", "0")


class BadCursorError(ValueError):
    """The cursor is neither `true`, `0` nor a whole number."""


@dataclass(slots=True)
class Listing:
    """A list before it is cut into pages.

    `places` are in the order of the ids that `identify` gives; `keep` leaves some out; `render` writes rows, joined by
    commas. `locate` finds the position of the n-th kept row where that is faster than counting.
    """

    places: Sequence[int]
    identify: Callable[[int], int]
    render: Callable[[list[int]], bytes]
    keep: Callable[[int], bool] | None = None
    locate: Callable[[int], int] | None = None
    paginated: bool = True
    fast: Callable[[int, int], tuple[bytes, int | None]] | None = None
    """Fast way, where there is one: writes a page from a position of `places` on, and tells the position after it."""

    def after(self, cursor: str) -> int:
        """Return the position of the first row after a cursor. Raises BadCursorError."""
        if cursor in FIRST_CURSORS:
            return 0
        if not cursor.isascii() or not cursor.isdigit():
            raise BadCursorError(cursor)
        return bisect_right(self.places, int(cursor), key=self.identify)

    def nth(self, number: int) -> int:
        """Return the position of the row with `number` kept rows before it; the length when there are fewer."""
        if number <= 0:
            return 0
        if self.keep is None:
            return min(number, len(self.places))
        if self.locate is not None:
            return self.locate(number)
        for position, place in enumerate(self.places):
            if self.keep(place):
                if number == 0:
                    return position
                number -= 1
        return len(self.places)

    def take(self, position: int, size: int) -> tuple[bytes, int | None]:
        """Return up to `size` rows from a position on, and the id of the last one when more follow."""
        if self.fast is not None:
            body, next_position = self.fast(position, size)
            return body, None if next_position is None else self.identify(self.places[next_position - 1])
        keep = self.keep
        chosen: list[int] = []
        for index in range(position, len(self.places)):
            place = self.places[index]
            if keep is not None and not keep(place):
                continue
            if len(chosen) == size:
                return self.render(chosen), self.identify(chosen[-1])
            chosen.append(place)
        return self.render(chosen), None


def envelope(
    style: str, rows: bytes, per_page: int, cursor: int | None, *, key: str = "data", names_end: bool = True
) -> bytes:
    """Return the body of a page in cursor mode.

    `key` is the one the rows are under; without `names_end` the last page has no next_cursor, where others have null.
    """
    if style in ("header", "link"):
        return b"[" + rows + b"]"
    text = b"null" if cursor is None else b'"%d"' % cursor if style == "string" else b"%d" % cursor
    named = b"" if cursor is None and not names_end else b'"next_cursor":' + text
    tail = b""
    if style != "_metadata":
        tail += b',"pagination":{"per_page":%d%b}' % (per_page, b"," + named if named else b"")
    if style in ("_metadata", "both"):
        tail += b',"_metadata":{%b}' % named
    return b'{"%b":[' % key.encode() + rows + b"]" + tail + b"}"
