"""Nothing a reader is told depends on people out of scope: no page, file, mail, program or assistant tells of them.

The same company stands twice, with different people, training, names and counts wherever a reader may not look; both
answer everything byte for byte the same, but for keys of forms and what is random. What is asked comes from the
addresses, the tables, the reports and the tools there are, so that a new one is asked, too.

Alike in both, because every member may know it: the account's name and zone, when syncs ran and how they ended, the
target, the logo, and the names and addresses of those above somebody in scope, at any height.
"""

import itertools
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection, transaction
from django.urls import reverse

from dashboard.exports import jobs as exports
from dashboard.exports.tables import TABLES
from dashboard.files import jobs as made
from dashboard.mcp.tools import TOOLS
from dashboard.models import Export
from tests.clock import MOMENT
from tests.dashboard.api.asking import questions
from tests.dashboard.api.conftest import Program, token_for
from tests.dashboard.canary import Canary
from tests.dashboard.mcp.asking import ask, scope_of
from tests.dashboard.mcp.conftest import calls
from tests.dashboard.other_people import add_readers, change_the_others, content_elsewhere, describe_runs
from tests.dashboard.routes import names
from tests.dashboard.walking import (
    NOT_WALKED,
    answers,
    mailed,
    name_of,
    queries_of,
    reported,
    signed_in,
    stored,
    text_of,
    text_of_file,
)

pytestmark = pytest.mark.slow
# Differ from one answer to the next: keys of forms and sessions, of scripts, mails' ids and borders, and file parts
# in mails (read as files), hashes of what holds such, and the database's clock, which no test stops.
RANDOM = re.compile(
    r'csrfmiddlewaretoken" value="[^"]*|x-csrftoken[^}]*|nonce[=-]"?[\w+/=-]+|\b\d+\.\d*\.[\w-]{16}:[\w-]{43}'
    r"|[\w-]{16,}:[\w-]{6}:[\w-]{40,}|search=[\w-]{20,}|after=[\w:=-]{20,}"
    r"|message-id: <[^>]*>|={15}\d+==|(?:[\w+/]{76}\r?\n)+[\w+/=]+"
    r"|(?:[0-9a-f]{4} ){3}[0-9a-f]{4}|\b[0-9a-f]{64}\b|sha-256 [0-9a-f]{16}"
    r"|\b[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f-]{17}"
)
# A second factor's secret and a passkey's challenge are random as a whole, and about nobody else.
UNLIKE = re.compile(r"^/you/(?:app|passkeys)/")
# Headers that tell something of what is answered.
TELLING = ("ETag", "Link", "Last-Modified", "Content-Disposition", "Retry-After", "HX-Redirect", "HX-Trigger")
# What no token asks for: the description of the API, the same for everybody.
NOT_BY_TOKEN = {"api_description", "api_reference", "api_not_found"}
WIDE = ("department_head", "head_of_two", "people_manager", "manager_of_one", "borrower", "head_of_none", "nobody")


@pytest.fixture
def canary(marked_companies: Canary, db: None, redis_url: str, settings: Any, tmp_path: Path) -> Iterator[Canary]:
    """Return the two marked companies and more readers; nothing is asked too often, and the clock stands."""
    settings.RATE_LIMITS = dict.fromkeys(settings.RATE_LIMITS, (1_000_000, 60))
    settings.MEDIA_ROOT = tmp_path
    keys = {kind: list(values) for kind, values in marked_companies.keys.items()}
    with time_machine.travel(MOMENT, tick=False):
        add_readers(marked_companies, MOMENT)
        yield marked_companies
    marked_companies.keys.clear()
    marked_companies.keys.update(keys)


@dataclass
class Walk:
    """Walk of one reader: everything asked, and what was told, by what was asked."""

    canary: Canary
    role: str
    asked: Sequence[Any]
    tools: Sequence[Any]
    is_wide: bool
    told: dict[str, str] = field(default_factory=dict)
    routes: set[str] = field(default_factory=set)

    def go(self, place: Path) -> "Walk":
        """Ask everything."""
        place.mkdir()
        _number_from(5_000_000)
        cache.clear()
        parts = [self._pages(), self._programs(), self._assistants(), self._mails(place)]
        for key, text in itertools.chain(*parts, *([self._files(), self._commands()] if self.is_wide else [])):
            self.told[key] = RANDOM.sub("*", text)
        return self

    @property
    def counts(self) -> dict[str, int]:
        """Number of answers of each kind."""
        kinds = sorted(key.split()[0] if key[0] != "/" else "page" for key in self.told)
        return {kind: len(list(group)) for kind, group in itertools.groupby(kinds)}

    @property
    def _kinds_of_token(self) -> tuple[bool, ...]:
        """Tokens to ask with, of figures only or not; who has no role is given none."""
        if self.role == "nobody":
            return ()
        return (False, True) if self.is_wide else (False,)

    def _pages(self) -> Iterator[tuple[str, str]]:
        for address, response in answers(signed_in(self.canary, self.role), self.canary, follows=self.is_wide):
            self.routes.add(name_of(address.split(" ")[0]))
            if not UNLIKE.match(address):
                yield address, _whole(response)
        client = signed_in(self.canary, self.role)
        for address in narrowed(self.canary):
            yield address, _whole(client.get(address))

    def _programs(self) -> Iterator[tuple[str, str]]:
        reader, account = self.canary.readers[self.role], self.canary.account
        for is_numbers_only in self._kinds_of_token:
            program = Program(token_for(reader, account, numbers_only=is_numbers_only))
            for path, query, kind in self.asked:
                response = program.get(path, **query, format=kind)
                assert response.status_code < 500, (path, query, response.content)
                yield f"api {is_numbers_only} {path} {query} {kind}", _whole(response)

    def _assistants(self) -> Iterator[tuple[str, str]]:
        for is_numbers_only in self._kinds_of_token:
            scope = scope_of(self.canary.readers[self.role], self.canary.account, numbers_only=is_numbers_only)
            for name, arguments in self.tools:
                answered = json.dumps(ask(scope, name, arguments), default=str)
                yield f"tool {is_numbers_only} {name} {arguments}", answered

    def _mails(self, place: Path) -> Iterator[tuple[str, str]]:
        canary = self.canary
        reader = canary.readers[self.role]
        for content, about, text in mailed(canary, reader, account=canary.account, at=MOMENT, place=place):
            yield f"mail {content} {about}", text

    def _files(self) -> Iterator[tuple[str, str]]:
        """Have workers make every list as every kind of file."""
        asked = {"account": self.canary.account, "user": self.canary.readers[self.role], "requested_at": MOMENT}
        for (key, table), kind in itertools.product(TABLES.items(), Export.Format):
            columns = [column.key for column in table.columns]
            for query in queries_of(key, self.canary):
                parameters = {"query": query, "as_of": MOMENT.isoformat(), "columns": columns}
                export = Export.objects.create(table=key, format=kind, parameters=parameters, **asked)
                exports.make_export(export.pk)
                export.refresh_from_db()
                is_ready = export.state == Export.State.READY
                told = text_of_file(stored(made.name_of(export)), kind) if is_ready else export.error
                yield f"file {key} {kind} {query}", f"{export.state} {told}"

    def _commands(self) -> Iterator[tuple[str, str]]:
        if self.role == "nobody":
            return
        for name, by, text in reported(self.canary.readers[self.role], self.canary.account):
            yield f"command {name} {by}", text


def narrowed(canary: Canary) -> Iterator[str]:
    """Return addresses with filters by what is out of scope, which no page of the reader's leads to."""
    pages = [reverse("people"), reverse("campaigns"), reverse("trends"), reverse("export", args=["people"])]
    filters = {"department": "department", "group": "group", "campaign": "campaign", "manager": "person"}
    for page, (name, kind) in itertools.product(pages, filters.items()):
        yield from (f"{page}?{name}={key}" for key in canary.keys[kind][-2:])


def _whole(response: Any) -> str:
    headers = {name: response[name] for name in TELLING if response.has_header(name)}
    return f"{response.status_code} {headers} {text_of(response)}"


def _number_from(first: int) -> None:
    """Have what is made from now on numbered alike: what a rolled back transaction took stays taken."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(setval(format('%%I.%%I', schemaname, sequencename)::regclass, %s)) FROM pg_sequences"
            " WHERE schemaname = 'public'",
            [first],
        )


def _walk_both(canary: Canary, role: str, now: datetime, place: Path, *, is_wide: bool) -> tuple[Walk, Walk]:
    """Walk the company as it is, and with others elsewhere; what is asked is the same: the keys and names of both."""
    describe_runs(canary.account, people=8)
    _number_from(4_000_000)
    with transaction.atomic():
        old = list(questions()), list(calls(canary.account))
        change_the_others(canary, canary.readers[role], now)
        elsewhere = content_elsewhere(canary.account).knowbe4_id
        asked = [*old[0], *(one for one in questions() if one not in old[0])]
        tools = [*old[1], *(one for one in calls(canary.account) if one not in old[1])]
        tools += [("knowbe4_training_get_module", {"module_id": elsewhere})]
        tools += [("knowbe4_training_get_store_purchase", {"store_purchase_id": elsewhere})]
        if not is_wide:
            asked, tools = _some(asked, key=_shape_of_question), _some(tools, key=_shape_of_call)
            canary.keys = {kind: [*keys[:-1][::3], keys[-1]] for kind, keys in canary.keys.items()}
        with transaction.atomic():
            different = Walk(canary, role, asked, tools, is_wide).go(place / "different")
            transaction.set_rollback(True)
        transaction.set_rollback(True)
    return Walk(canary, role, asked, tools, is_wide).go(place / "same"), different


def _some(asked: list[Any], *, key: Any) -> list[Any]:
    """Return the middle and the last of each kind: of what the company has, and of what is elsewhere."""
    ordered = sorted(asked, key=key)
    kinds = [list(group) for _shape, group in itertools.groupby(ordered, key=key)]
    return [kind[place] for kind in kinds for place in sorted({len(kind) // 2, len(kind) - 1})]


def _shape_of_question(one: tuple[str, dict[str, Any], str]) -> str:
    path, query, kind = one
    known = {name: query[name] for name in ("by", "basis") if name in query}
    return f"{re.sub('[0-9]+', '1', path)} {sorted(query)} {known} {kind}"


def _shape_of_call(one: tuple[str, dict[str, Any]]) -> str:
    name, arguments = one
    return f"{name} {sorted(arguments)} {arguments.get('by')} {arguments.get('metric')}"


def _assert_alike(same: Walk, different: Walk) -> None:
    assert different.told.keys() == same.told.keys()
    unlike: dict[str, list[str]] = {}
    for key, text in same.told.items():
        if text != different.told[key]:
            unlike.setdefault(_difference(text, different.told[key]), []).append(key)
    count = sum(map(len, unlike.values()))
    shown = [f"{keys[0]} and {len(keys) - 1} more\n{difference}" for difference, keys in unlike.items()]
    assert not unlike, f"{count} of {len(same.told)}:\n\n" + "\n\n".join(shown[:40])


def _difference(one: str, other: str) -> str:
    place = next(n for n, (a, b) in enumerate(itertools.zip_longest(one, other)) if a != b)
    return "\n".join(f"  {text[max(0, place - 90) : place + 110]!r}" for text in (one, other))


def _assert_everything_was_asked(walk: Walk) -> None:
    """Fail for an address, an operation of the API or a tool that was not asked."""
    # Without the filters of a link, names of addresses are those of the URL conf.
    assert walk.routes >= set(names()) - set(NOT_WALKED)
    operations = {name_of(f"/api/v1{path}") for path, _query, _kind in walk.asked}
    assert operations == {name for name in names() if name.startswith("api_")} - NOT_BY_TOKEN
    assert {name for name, _arguments in walk.tools} == set(TOOLS)


def test_nothing_told_depends_on_people_out_of_scope(canary: Canary, now: datetime, tmp_path: Path) -> None:
    same, different = _walk_both(canary, "department_head", now, tmp_path, is_wide=False)
    _assert_alike(same, different)
    _assert_everything_was_asked(same)


@pytest.mark.soak
@pytest.mark.parametrize("role", WIDE)
def test_nothing_at_all_told_depends_on_people_out_of_scope(
    canary: Canary, role: str, now: datetime, tmp_path: Path
) -> None:
    same, different = _walk_both(canary, role, now, tmp_path, is_wide=True)
    print(role, same.counts)  # noqa: T201 - how much was asked, shown by `pytest -s`
    _assert_alike(same, different)
    _assert_everything_was_asked(same)


def test_the_others_are_met_by_who_may(canary: Canary, now: datetime) -> None:
    """Without this the walks would compare a company with itself."""
    program = Program(token_for(canary.readers["administrator"], canary.account))
    asked = ("/campaigns", "/groups", "/content", "/people", "/enrollments", "/phishing-tests", "/phishing-results",
             "/changes", "/sync/runs", "/metrics")  # fmt: skip
    before = {path: program.get(path).content for path in asked}
    change_the_others(canary, canary.readers["department_head"], now)
    assert [path for path in asked if program.get(path).content == before[path]] == []
