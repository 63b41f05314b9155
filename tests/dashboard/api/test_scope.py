"""Every token reads what its member may see, on every address, by every key; one of figures alone meets nobody."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from dashboard.access import Scope
from dashboard.queries.figures import figures
from sync.models import Campaign, Enrollment, Person
from tests.dashboard.api.conftest import Program, token_for
from tests.dashboard.canary import MAY_SEE, Canary, build
from tests.dashboard.test_canary import MARK

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
LISTS = ("/campaigns", "/enrollments", "/people", "/groups", "/content", "/store-purchases", "/phishing-tests",
         "/phishing-results", "/changes", "/sync/runs")  # fmt: skip
GROUPINGS = ("", "department", "manager", "campaign", "content_type", "group", "quarter", "month", "age")
OF_PEOPLE = ("/enrollments", "/people", "/phishing-results", "/changes")
READERS = [role for role in MAY_SEE if role != "nobody"]


@pytest.fixture
def canary(db: None, settings: Any) -> Canary:
    """Return the two marked companies; nothing is asked too often."""
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"api": (1_000_000, 60)}
    return build(timezone.now())


def answers(program: Program, canary: Canary) -> Iterator[tuple[str, Any]]:
    """Ask for everything there is, by every key of both companies."""
    asked: list[tuple[str, dict[str, Any]]] = [(path, {}) for path in (*LISTS, "/sync")]
    asked += [("/enrollments", {"uncounted": "true"}), ("/people", {"status": "any"})]
    metrics = {"age": "past_due", "quarter": "completion_rate", "month": "due"}
    asked += [("/metrics", {"by": by, "metrics": metrics.get(by, "completion_rate,past_due")}) for by in GROUPINGS]
    asked += [("/metrics", {"by": by, "basis": "then", "metrics": "past_due"}) for by in GROUPINGS[1:3]]
    whole = len(asked)
    for person in Person.objects.order_by("pk"):
        key = person.knowbe4_id
        asked += [(f"/people/{key}", {}), ("/enrollments", {"person": key}), ("/phishing-results", {"person": key})]
        asked += [("/metrics", {"manager": person.email, "metrics": "counted"}), ("/people", {"manager": person.email})]
    asked += [(f"/enrollments/{key}", {}) for key in Enrollment.objects.values_list("knowbe4_id", flat=True)]
    for campaign in Campaign.objects.order_by("pk"):
        asked += [(f"/campaigns/{campaign.knowbe4_id}", {}), ("/enrollments", {"campaign": campaign.knowbe4_id})]
    for name in ("Claims", "Sales", "No department"):
        asked += [(path, {"department": name}) for path in ("/people", "/enrollments", "/metrics")]
    for number, (path, query) in enumerate(asked):
        for kind in ("json", "csv") if number < whole else ("json",):
            yield f"{path} {query} {kind}", program.get(path, **query, format=kind)


def marks(response: Any) -> set[str]:
    """Return the marks in an answer, but for what the asker knows: their own email, and the filters they gave."""
    text = response.content.decode() if response.status_code < 400 else ""
    return set(MARK.findall(re.sub(r'"reader": "[^"]*"|"filters": \{[^}]*\}', "", text)))


@pytest.mark.parametrize("role", READERS)
def test_nobody_out_of_scope_is_met(canary: Canary, role: str) -> None:
    program = Program(token_for(canary.readers[role], canary.account))
    met: set[str] = set()
    for asked, response in answers(program, canary):
        assert response.status_code in {200, 400, 404}, (asked, response.content)
        found = marks(response)
        assert not found - MAY_SEE[role], (asked, response.content)
        met |= found
    assert met >= MAY_SEE[role]


@pytest.mark.parametrize("role", ["administrator", "department_head", "people_manager"])
def test_figures_alone_meet_nobody(canary: Canary, role: str) -> None:
    program = Program(token_for(canary.readers[role], canary.account, numbers_only=True))
    for asked, response in answers(program, canary):
        if asked.startswith(OF_PEOPLE) or "'by': 'manager'" in asked:
            assert response.status_code in {400, 403}, asked
        assert not marks(response), asked
    whole = Program(token_for(canary.readers[role], canary.account))
    for by in ("", "department", "campaign", "quarter"):
        query = {"metrics": "completion_rate", "by": by}
        mine, theirs = (one.get("/metrics", **query).json() for one in (program, whole))
        assert (mine["rows"], mine["total"]) == (theirs["rows"], theirs["total"])


@pytest.mark.parametrize("role", READERS)
def test_numbers_and_rows_agree_in_every_scope(canary: Canary, role: str) -> None:
    reader = canary.readers[role]
    program = Program(token_for(reader, canary.account))
    totals = figures(Scope.of(reader, chosen=canary.account.pk), as_of=timezone.now())
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
