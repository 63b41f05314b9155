"""One list at a time: its first rows by cursor, its second page by page number, and what that tells of paging."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

from sync.knowbe4 import paging
from sync.knowbe4.api_check.asker import Asker
from sync.knowbe4.api_check.fields import Examiner
from sync.knowbe4.api_check.surprises import KINDS, NOT_SYNCED, Effect, Surprises
from sync.knowbe4.client import Answer
from sync.knowbe4.payloads import Payload
from sync.knowbe4.resources import NOTHING, Resource, Value
from sync.knowbe4.rows import UNDECODABLE, RowDecoder

FEW = 2
# Once so many lists refuse a cursor, the others are not asked by one: there are requests for better use.
ENOUGH_REFUSALS = 2
MEDIA_TYPE = re.compile(r"[a-z]{1,20}/[a-z0-9.+-]{1,40}")


@dataclass(frozen=True)
class Page:
    """One reply of a list: its rows as JSON has them, those that decode, and the next cursor ("": none)."""

    rows: list[Any]
    items: list[Any]
    cursor: str
    per_page: int

    @property
    def is_whole(self) -> bool:
        """Whether the list is no longer than this."""
        return not self.cursor and len(self.rows) < self.per_page

    def ids(self) -> list[Any]:
        """Return what tells its rows from another page's: their ids, or the rows themselves if none decodes."""
        if not self.items:
            return self.rows
        name = self.items[0].__struct_fields__[0]
        return [getattr(item, name) for item in self.items]


class Lists:
    """Asks for lists and notes what is surprising about them."""

    def __init__(self, asker: Asker, surprises: Surprises) -> None:
        self.asker = asker
        self.surprises = surprises
        self.examiners: dict[str, Examiner] = {}
        self.statuses: dict[str, int] = {}
        # Plain lists without a cursor, too short to tell whether they are the end of one that has its cursors in a
        # header, or the answer of somebody who knows no cursors.
        self._undecided: list[str] = []
        self._refusals = 0

    def examiner(self, place: str, payload: type[Payload], *, is_synced: bool = True) -> Examiner:
        """Return the examiner of a list's rows."""
        if place not in self.examiners:
            self.examiners[place] = Examiner(place, payload, self.surprises, is_synced=is_synced)
        return self.examiners[place]

    def ask(
        self,
        place: str,
        resource: Resource[Any],
        params: Mapping[str, Value] = NOTHING,
        path_args: Mapping[str, int] = NOTHING,  # type: ignore[assignment]
        *,
        per_page: int = FEW,
        second: bool = False,
        by_page: bool = True,
        is_synced: bool = True,
        note: str = "",
    ) -> Page | None:
        """Ask for a list's first rows by cursor, and for page 2 by page number; return the first.

        `second`: follow the cursor once, too. Without `by_page` only the cursor is tried. `note` tells several requests
        for one list apart. None when there are no rows to be had.
        """
        examiner = self.examiner(place, resource.payload, is_synced=is_synced)
        params = {**params, "per_page": per_page}
        has_cursor = self._refusals < ENOUGH_REFUSALS
        answer = None
        if has_cursor:
            answer = self.asker.ask(place + note, resource, {**params, "cursor": paging.FIRST_CURSOR}, path_args)
            if answer is not None and answer.status == 400:
                has_cursor = False
                self._refusals += 1
                self.surprises.add("cursor-refused", place)
        if not has_cursor:
            answer = self.asker.ask(place + note, resource, {**params, "page": 1}, path_args)
        page = self.read(answer, examiner, resource, per_page, by_cursor=has_cursor)
        if page is None:
            return None
        if second and page.cursor:
            self._follow(page, examiner, resource, {**params, "cursor": page.cursor}, path_args)
        if by_page:
            has_cursor = has_cursor and not self._knows_no_cursor(place)
            answer = self.asker.ask(place, resource, {**params, "page": 2}, path_args)
            self._second_page(answer, page, examiner, resource, has_cursor=has_cursor)
        return page

    def read(
        self, answer: Answer | None, examiner: Examiner, resource: Resource[Any], per_page: int, *, by_cursor: bool
    ) -> Page | None:
        """Examine an answer's rows and how it goes on; None, and why, when it has none."""
        if answer is None:
            return None
        place = examiner.place
        self.statuses.setdefault(place, answer.status)
        if answer.status != 200:
            self._refused(answer, examiner, resource)
            return None
        try:
            body = msgspec.json.decode(answer.body)
            reply = paging.read_reply(answer.body, answer.headers)
        except (*UNDECODABLE, ValueError):
            examiner.found("not-json", place, then=KINDS["not-json"].then, effect=Effect.STOPS)
            return None
        self.note_content_type(answer)
        if not reply.rows:
            kind = "message-instead" if reply.message else "rows-elsewhere"
            examiner.found(kind, place, then=KINDS[kind].then, effect=Effect.STOPS)
            return None
        rows = body if isinstance(body, list) else body["data"]
        self.asker.requests[-1]["rows"] = len(rows)
        examiner.examine(rows)
        if by_cursor:
            self._cursor(body, reply, answer, examiner, len(rows) >= per_page)
        return Page(rows, RowDecoder(resource.payload).page(reply.rows)[0], reply.cursor or "", per_page)

    def note_content_type(self, answer: Answer) -> None:
        """Note the media type of an answer in JSON that says it is something else."""
        media = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if media != "application/json":
            self.surprises.add(
                "other-content-type", detail=media if MEDIA_TYPE.fullmatch(media) else "something that is no type"
            )

    def finish(self) -> None:
        """Decide what could only be told from all the lists together."""
        if not self.surprises.has("cursor-in-header"):
            for place in self._undecided:
                self.surprises.add("cursor-unknown", place)

    def _knows_no_cursor(self, place: str) -> bool:
        return place in self._undecided or self.surprises.has("cursor-unknown", place)

    def _refused(self, answer: Answer, examiner: Examiner, resource: Resource[Any]) -> None:
        kind = {403: "not-allowed", 404: "not-there"}.get(answer.status, "not-answered")
        then, effect, detail = KINDS[kind].then, KINDS[kind].effect, ""
        if kind == "not-there" and "{" in resource.path:
            then, effect = "takes what it belongs to for deleted since it was listed, and goes on", Effect.READ
        if kind == "not-answered":
            detail = f"status {answer.status}"
            if answer.status < 500 and answer.status != 408:
                then = "stops the sync there"
        examiner.found(kind, examiner.place, detail=detail, then=then, effect=effect)

    def _cursor(self, body: Any, reply: paging.Reply, answer: Answer, examiner: Examiner, is_full: bool) -> None:
        """Note where the reply to a cursor has the next one, if that is not in `pagination`, as a number."""
        place = examiner.place
        if reply.cursor_in_header:
            names = [name for name in paging.CURSOR_HEADERS if name in answer.headers]
            self.surprises.add("cursor-in-header", place, detail=names[0] if names else "Link")
            return
        if not reply.wrapped:
            if is_full:
                self.surprises.add("cursor-unknown", place)
            else:
                self._undecided.append(place)
            return
        homes = {name: body[name] for name in paging.CURSOR_HOMES if isinstance(body.get(name), dict)}
        named = [name for name, home in homes.items() if "next_cursor" in home]
        if not named:
            kind = "cursor-missing" if is_full else "cursor-left-out-at-end"
            examiner.found(kind, place, then=KINDS[kind].then, effect=KINDS[kind].effect)
        elif len(named) > 1:
            self.surprises.add("cursor-in-two-places", place, detail=" and ".join(named))
        elif named[0] != paging.CURSOR_HOMES[0]:
            self.surprises.add("cursor-elsewhere", place, detail=named[0])
        if any(isinstance(homes[name]["next_cursor"], str) for name in named):
            self.surprises.add("cursor-as-text", place)

    def _follow(
        self,
        first: Page,
        examiner: Examiner,
        resource: Resource[Any],
        params: Mapping[str, Value],
        path_args: Mapping[str, int],
    ) -> None:
        """Read the page after the first by its cursor, and note if it leads nowhere."""
        answer = self.asker.ask(examiner.place, resource, params, path_args)
        page = self.read(answer, examiner, resource, first.per_page, by_cursor=True)
        if page and (page.cursor == first.cursor or (page.rows and page.ids() == first.ids())):
            self.surprises.add("cursor-repeats", examiner.place)

    def _second_page(
        self, answer: Answer | None, first: Page, examiner: Examiner, resource: Resource[Any], *, has_cursor: bool
    ) -> None:
        """Compare page 2, asked for by number, with the first rows."""
        place = examiner.place
        if answer is None:
            return
        note = partial(self.surprises.add, place=place)
        if not has_cursor:
            # Then the list is read by its pages, or not at all.
            then, effect = "cannot read past the first page, and holds the sync", Effect.STOPS
            if not examiner.is_synced:
                then, effect = NOT_SYNCED, Effect.READ
            note = partial(self.surprises.add, place=place, then=then, effect=effect)
        if answer.status == 400:
            note("page-refused")
            return
        try:
            reply = paging.read_reply(answer.body, {})
        except (*UNDECODABLE, ValueError):
            self.read(answer, examiner, resource, first.per_page, by_cursor=False)
            return
        page = self.read(answer, examiner, resource, first.per_page, by_cursor=False)
        if page is None:
            return
        if reply.wrapped:
            note("page-wrapped")
        if page.rows and page.ids() == first.ids():
            note("page-ignored")
