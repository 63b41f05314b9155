"""No reader meets anything about somebody who is not theirs: on no address, in no fragment, file or mail.

The same without the filtering of `access.py` is in `test_second_wall.py`; programs and assistants have their own in
`api/test_scope.py` and `mcp/test_tools.py`.
"""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.dashboard.canary import MANAGER, MAY_SEE, NOWHERE, Canary
from tests.dashboard.routes import ROUTES, names
from tests.dashboard.walking import assert_nothing_leaks, mails, signed_in, walk

pytestmark = pytest.mark.slow


def test_every_address_has_an_entry() -> None:
    assert set(names()) == set(ROUTES)


@pytest.fixture
def canary(marked_companies: Canary, db: None, settings: Any) -> Canary:
    """Return the two marked companies; nothing is asked too often."""
    settings.RATE_LIMITS = dict.fromkeys(settings.RATE_LIMITS, (1_000_000, 60))
    return marked_companies


# They read what an administrator, or a department head, reads, by the same scope.
PARTS = {"security_manager", "auditor", "borrower"}


@pytest.mark.parametrize(
    "role", [pytest.param(role, marks=pytest.mark.soak if role in PARTS else ()) for role in MAY_SEE]
)
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


@pytest.mark.parametrize("role", MAY_SEE)
def test_mail_holds_only_whom_its_recipient_may_see(canary: Canary, tmp_path: Path, role: str, now: datetime) -> None:
    reader, at = canary.readers[role], now
    seen = list(mails(canary, reader, account=canary.account, at=at, place=tmp_path))
    assert_nothing_leaks(seen, MAY_SEE[role])
    # Lists are worth something here only if they have their people; who left, the one of no department, is in none.
    assert {mark for _, _, marks in seen for mark in marks} >= MAY_SEE[role] - {MANAGER, NOWHERE}
    assert bool(seen) == bool(MAY_SEE[role])
