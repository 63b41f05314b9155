"""No reader meets anything about somebody who is not theirs: on no address, in no fragment, in no file.

Twice: with the product as it is, and with the filtering of `access.py` taken away, when the database alone stands in
the way.
"""

from dataclasses import replace
from email.policy import SMTPUTF8
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from dashboard import row_security, scoping
from dashboard.access import Scope, ScopedRequest
from dashboard.mail.composing import NoAccessError, compose
from dashboard.models import Schedule
from tests.dashboard.canary import FOREIGN, MANAGER, MAY_SEE, NOWHERE, OURS, Canary
from tests.dashboard.routes import ROUTES, names
from tests.dashboard.walking import MARK, assert_nothing_leaks, met, signed_in, text_of_file, walk

pytestmark = pytest.mark.slow
# What a schedule sends: content, of what, as which kind of file.
MAILED = (("table", "past_due", "csv"), ("table", "people", "xlsx"), ("figures", "", ""), ("report", "board", "pdf"))


def test_every_address_has_an_entry() -> None:
    assert set(names()) == set(ROUTES)


@pytest.fixture
def canary(marked_companies: Canary, db: None) -> Canary:
    """Return the two marked companies."""
    return marked_companies


@pytest.mark.parametrize("role", MAY_SEE)
def test_readers_meet_only_who_is_theirs(canary: Canary, role: str) -> None:
    client = signed_in(canary, role)
    seen = list(walk(client, canary))
    assert_nothing_leaks(seen, MAY_SEE[role])
    # The walk is worth something only if it meets everybody it may.
    assert {mark for _, _, marks in seen for mark in marks} >= MAY_SEE[role]


@pytest.mark.parametrize("role", ["department_head", "people_manager", "borrower"])
def test_people_out_of_scope_are_not_there(canary: Canary, role: str) -> None:
    client = signed_in(canary, role)
    for mark, people in canary.people.items():
        is_theirs = mark in MAY_SEE[role] and mark != MANAGER
        for person in people:
            assert client.get(f"/people/{person.pk}/").status_code == (200 if is_theirs else 404), mark


@pytest.mark.parametrize("role", ["department_head", "people_manager", "borrower", "security_manager"])
def test_the_database_alone_holds_it(canary: Canary, role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    take_the_filters_away(monkeypatch)
    seen = list(walk(signed_in(canary, role), canary))
    people = OURS | {FOREIGN}
    assert_nothing_leaks([(name, address, marks & people) for name, address, marks in seen], MAY_SEE[role])
    assert {mark for _, _, marks in seen for mark in marks} >= MAY_SEE[role]


def test_without_both_walls_the_walk_would_notice(
    canary: Canary, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    take_the_filters_away(monkeypatch)
    settings.ROW_SECURITY = False
    response = signed_in(canary, "department_head").get("/people/")
    assert met("/people/", response)[2] - MAY_SEE["department_head"]


@pytest.mark.parametrize("role", MAY_SEE)
@pytest.mark.parametrize(("content", "what", "kind"), MAILED)
def test_mail_holds_only_whom_its_recipient_may_see(
    canary: Canary, tmp_path: Path, role: str, content: str, what: str, kind: str
) -> None:
    schedule = Schedule.objects.filter(account=canary.account)[0]
    schedule.content, schedule.what, schedule.format = content, what, kind
    try:
        copy = compose(schedule, canary.readers[role], at=timezone.now(), place=tmp_path / "report")
    except NoAccessError:
        assert not MAY_SEE[role]
        return
    mail = copy.message().as_bytes(policy=SMTPUTF8.clone(cte_type="8bit"))
    found = set(MARK.findall(mail.decode("utf-8", errors="replace").lower()))
    if copy.file is not None:
        found |= set(MARK.findall(text_of_file(copy.file.path.read_bytes(), kind)))
    assert found <= MAY_SEE[role]
    # A list is worth something here only if it has its people; who left, the one of no department, is in none.
    assert content != "table" or found >= MAY_SEE[role] - {MANAGER, NOWHERE}


def take_the_filters_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every page believe that its reader sees everybody; the database still knows who it is."""
    real: dict[int, Scope] = {}
    decide, show = scoping._scope, row_security._show

    def believe(request: ScopedRequest) -> Scope:
        scope = decide(request)
        if scope.account is None or scope.user is None:
            return scope
        real[scope.user.pk] = scope
        everyone = frozenset({*scope.roles, "security_manager"})
        return replace(scope, roles=everyone, department_keys=frozenset(), manager_keys=frozenset())

    def know(scope: Scope | None) -> None:
        show(real.get(scope.user.pk, scope) if scope is not None and scope.user is not None else scope)

    monkeypatch.setattr(scoping, "_scope", believe)
    monkeypatch.setattr(row_security, "_show", know)
