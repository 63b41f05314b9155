"""Every token reads what its member may see, on every address, by every key; one of figures alone meets nobody."""

from datetime import datetime
from typing import Any

import pytest

from dashboard.access import Scope
from dashboard.figures.counts import figures
from tests.dashboard.api.asking import answers, marks
from tests.dashboard.api.conftest import Program, token_for
from tests.dashboard.canary import MAY_SEE, Canary
from tests.dashboard.routes import names

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
OF_PEOPLE = ("/enrollments", "/people", "/phishing-results", "/changes")
# What tells of the API itself, and of no address.
NOT_BY_TOKEN = {"api_description", "api_reference", "api_not_found"}
READERS = [role for role in MAY_SEE if role != "nobody"]


@pytest.fixture
def canary(marked_companies: Canary, db: None, settings: Any) -> Canary:
    """Return the two marked companies; nothing is asked too often."""
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"api": (1_000_000, 60)}
    return marked_companies


@pytest.mark.parametrize("role", READERS)
def test_nobody_out_of_scope_is_met(canary: Canary, role: str) -> None:
    program = Program(token_for(canary.readers[role], canary.account))
    met: set[str] = set()
    routes: set[str | None] = set()
    for asked, response in answers(program):
        routes.add(response.resolver_match.url_name)
        assert response.status_code in {200, 400, 404}, (asked, response.content)
        found = marks(asked, response)
        assert not found - MAY_SEE[role], (asked, response.content)
        met |= found
    assert met >= MAY_SEE[role]
    assert routes == {name for name in names() if name.startswith("api_")} - NOT_BY_TOKEN


@pytest.mark.parametrize("role", ["administrator", "department_head", "people_manager"])
def test_figures_alone_meet_nobody(canary: Canary, role: str) -> None:
    program = Program(token_for(canary.readers[role], canary.account, numbers_only=True))
    for asked, response in answers(program):
        if asked.startswith(OF_PEOPLE) or "'by': 'manager'" in asked:
            assert response.status_code in {400, 403}, asked
        assert not marks(asked, response), asked
    whole = Program(token_for(canary.readers[role], canary.account))
    for by in ("", "department", "campaign", "quarter"):
        query = {"metrics": "completion_rate", "by": by}
        mine, theirs = (one.get("/metrics", **query).json() for one in (program, whole))
        assert (mine["rows"], mine["total"]) == (theirs["rows"], theirs["total"])


@pytest.mark.parametrize("role", READERS)
def test_numbers_and_rows_agree_in_every_scope(canary: Canary, role: str, now: datetime) -> None:
    reader = canary.readers[role]
    program = Program(token_for(reader, canary.account))
    totals = figures(Scope.of(reader, chosen=canary.account.pk), as_of=now)
    rows = program.rows("/enrollments", limit=3)
    assert len(rows) == totals.gross.counted > 0
    assert len([row for row in rows if row["state"] == "past_due"]) == totals.gross.past_due
    told = program.get("/metrics", metrics="past_due,people_past_due").json()["total"]["values"]
    assert told["past_due"]["net"]["value"] == totals.net.past_due
    assert told["people_past_due"]["net"]["value"] == totals.net.people_past_due
    assert sum(row["past_due"] for row in program.rows("/people", status="any")) == totals.net.past_due
    assert sum(row["past_due"] for row in program.rows("/campaigns")) == totals.net.past_due


def test_a_loan_that_is_over_is_over_for_the_token(canary: Canary) -> None:
    program = Program(token_for(canary.readers["borrower"], canary.account))
    assert program.rows("/people")
    lender = canary.readers["department_head"]
    lender.is_active = False
    lender.save(update_fields=["is_active"])
    assert program.get("/people").status_code == 401
