"""The product's figures held to the count by hand, group by group."""

from collections.abc import Iterator
from typing import Any

from dashboard.figures.counts import figures, figures_by
from dashboard.figures.selection import By
from dashboard.models import RollupState
from tests.dashboard.numbers.asking import asked, expected, scope_of, totals_of
from tests.dashboard.numbers.mirror import Mirror
from tests.oracle import counting
from tests.oracle.counting import Count
from tests.oracle.records import Company, Question


def both_ways(mirror: Mirror) -> Iterator[str]:
    """Let the tallies answer, then the facts alone."""
    yield "tallies"
    RollupState.objects.filter(account=mirror.account).update(tallies_from=None)
    yield "facts"


def group_name(mirror: Mirror, company: Company, by: str, key: Any) -> Any:
    """Return a group of the oracle's as the product's key; a manager known by name only as their name."""
    if by == "department":
        return mirror.departments[key] if key else 0
    if by == "campaign":
        return 0 if key is None else mirror.campaigns[key]
    if by == "group":
        return mirror.groups[key]
    if by in {"manager", "line"} and key in company.people:
        return mirror.people[key]
    return key or 0


def compare_totals(company: Company, mirror: Mirror, asking: Question, way: str) -> None:
    """Compare the totals of a question, whole and by all they can be grouped by; `way` is told if they differ."""
    count, arguments = Count(company, asking), asked(mirror, asking)
    scope = scope_of(mirror)
    assert totals_of(figures(scope, **arguments)) == expected(count.totals()), (way, asking)
    for by in (By.DEPARTMENT, By.MANAGER, By.CAMPAIGN, By.CONTENT_TYPE, By.GROUP):
        ours = "line" if by == By.MANAGER and asking.is_whole_line else by.value
        wanted = {
            group_name(mirror, company, ours, key): expected(totals)
            for key, totals in count.totals_by(ours).items()
            if totals.gross != counting.Counts()
        }
        found = {
            group.name if isinstance(group.key, int) and group.key < 0 else group.key: totals_of(group.totals)
            for group in figures_by(scope, by, **arguments)
        }
        assert found == wanted, (way, by, asking)
