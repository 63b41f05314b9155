"""Everything that a program can ask, and the marks of people in what it gets."""

import re
from collections.abc import Iterator
from typing import Any

from sync.models import Campaign, Enrollment, Group, Person, PhishingTest, SyncRun
from tests.dashboard.api.conftest import Program
from tests.dashboard.walking import MARK

LISTS = ("/campaigns", "/enrollments", "/people", "/groups", "/content", "/store-purchases", "/phishing-tests",
         "/phishing-results", "/changes", "/sync/runs")  # fmt: skip
GROUPINGS = ("", "department", "manager", "campaign", "content_type", "group", "quarter", "month", "age")


def answers(program: Program) -> Iterator[tuple[str, Any]]:
    """Ask for everything there is, by every key of both companies."""
    for path, query, kind in questions():
        yield f"{path} {query} {kind}", program.get(path, **query, format=kind)


def questions() -> Iterator[tuple[str, dict[str, Any], str]]:
    """Return everything that can be asked, by every key of both companies: path, query and format."""
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
    asked += [("/phishing-results", {"test": key}) for key in PhishingTest.objects.values_list("knowbe4_id", flat=True)]
    asked += [("/changes", {"run": key}) for key in SyncRun.objects.values_list("pk", flat=True)]
    for name in Group.objects.values_list("name", flat=True):
        asked += [(path, {"group": name}) for path in ("/people", "/enrollments", "/metrics")]
    for name in ("Claims", "Sales", "No department"):
        asked += [(path, {"department": name}) for path in ("/people", "/enrollments", "/metrics")]
    for number, (path, query) in enumerate(asked):
        for kind in ("json", "csv") if number < whole else ("json",):
            yield path, query, kind


def marks(asked: str, response: Any) -> set[str]:
    """Return the marks in an answer, but for what the asker knows: their own email, the filters, what was wrong."""
    text = re.sub(r'"reader": "[^"]*"|"filters": \{[^}]*\}', "", response.content.decode())
    return set(MARK.findall(text)) - (set(MARK.findall(asked)) if response.status_code >= 400 else set())
