"""The count by hand is itself held to numbers that were written down, not computed."""

from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.oracle import cohorts, counting
from tests.oracle.boundaries import CASES, LONG_AGO, NOW, Case, one
from tests.oracle.companies import TICK
from tests.oracle.counting import Count
from tests.oracle.organization import Organization
from tests.oracle.rates import shown
from tests.oracle.records import Company, Enrollment, Exemption, Person, Question


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_definition_at_its_edge(case: Case) -> None:
    totals = Count(case.company, case.question).totals()
    found = asdict(totals.net) | {f"gross_{name}": value for name, value in asdict(totals.gross).items()}
    assert {name: found[name] for name in case.counts} == case.counts


@pytest.mark.parametrize(
    ("numerator", "denominator", "text"),
    [
        (0, 0, "–"),
        (0, 7, "0.0%"),
        (1, 1001, "<0.1%"),
        (1, 1000, "0.1%"),
        (2499, 2500, "99.9%"),
        (9_999_999, 10_000_000, "99.9%"),
        (2500, 2500, "100%"),
        (1, 3, "33.3%"),
        (2, 3, "66.6%"),
        (29, 100, "29.0%"),
    ],
)
def test_shares_are_rounded_down(numerator: int, denominator: int, text: str) -> None:
    assert shown(numerator, denominator) == text


def line(**managers: int) -> Organization:
    """Return an organization in which p1=2 has person 1 report to person 2."""
    reports = {int(name[1:]): manager for name, manager in managers.items()}
    people = {
        key: Person(key, f"p{key}@brackwater.example", manager_email=f"P{reports[key]}@brackwater.example")
        if key in reports
        else Person(key, f"p{key}@brackwater.example")
        for key in {*reports, *reports.values()}
    }
    return Organization(Company(zone=ZoneInfo("UTC"), people=people))


def test_lines_end_where_they_would_begin_again() -> None:
    assert line(p1=2, p2=3).above(1) == [2, 3]
    assert line(p1=1).above(1) == []
    assert line(p1=2, p2=1).above(1) == [2]
    assert line(p1=2, p2=3, p3=2).above(1) == [2, 3]


def test_a_quarter_counts_what_falls_due_in_it_and_who_was_there() -> None:
    def due(key: int, due_at: datetime, completed_at: datetime | None = None, person: int = 1) -> Enrollment:
        return Enrollment(key, person, None, LONG_AGO, due_at=due_at, completed_at=completed_at)

    start, end = datetime(2024, 12, 31, 23, 0, tzinfo=UTC), datetime(2025, 3, 31, 22, 0, tzinfo=UTC)
    company = one(
        others=(
            due(2, start, start),
            due(3, start - TICK),
            due(4, end - TICK, end - TICK),
            due(5, end, end),
            due(6, end - TICK, end),
            due(7, end - timedelta(days=1), end - timedelta(hours=1)),
            due(8, start + timedelta(days=1)),
            due(9, start + timedelta(days=9), person=2),
            due(10, start + timedelta(days=10), person=2),
        )
    )
    leaver = Person(2, status="archived", archived_at=start + timedelta(days=10))
    company = Company(
        zone=company.zone,
        people={**company.people, 2: leaver},
        campaigns=company.campaigns,
        enrollments=company.enrollments,
    )
    quarter = cohorts.cohort(Count(company, Question(NOW)), date(2025, 1, 1), date(2025, 4, 1), gross=True)
    assert quarter == cohorts.Cohort(
        due=6, completed_by_end=3, on_time=2, late=2, still_open=2, due_so_far=6, on_time_so_far=2
    )


def test_exemptions_bear_on_cohorts_as_things_fall_due() -> None:
    company = one(due_at=LONG_AGO + timedelta(days=30))
    day = company.enrollments[0].due_at
    assert day is not None
    for starts_at, ends_at, counted in ((day, day + TICK, 0), (day + TICK, None, 1), (LONG_AGO, day, 1)):
        exempt = (Exemption(1, starts_at, person=1, ends_at=ends_at),)
        count = Count(one(due_at=day, exemptions=exempt), Question(NOW))
        assert len(count.cohort(LONG_AGO, NOW, gross=False)) == counted


def test_days_past_due_are_local_days_and_at_least_one() -> None:
    # 23:30 and 00:30 in Berlin.
    count = Count(one(), Question(datetime(2025, 3, 31, 22, 30, tzinfo=UTC)))
    assert count.days_past_due(datetime(2025, 3, 31, 21, 30, tzinfo=UTC)) == 1
    assert count.days_past_due(datetime(2025, 3, 31, 22, 10, tzinfo=UTC)) == 1
    assert count.days_past_due(datetime(2025, 3, 29, 22, 59, tzinfo=UTC)) == 3
    # Midnight ends the 31st.
    count = Count(one(), Question(datetime(2025, 3, 31, 22, 0, tzinfo=UTC)))
    assert count.days_past_due(datetime(2025, 3, 29, 22, 59, tzinfo=UTC)) == 2
    assert [counting.bucket(days) for days in (1, 7, 8, 14, 15, 30, 31, 60, 61, 90, 91)] == (
        "1-7 1-7 8-14 8-14 15-30 15-30 31-60 31-60 61-90 61-90 over-90".split()
    )


def test_percentiles_lie_between_two_values() -> None:
    assert counting.percentile([], 0.5) is None
    assert counting.percentile([4.0], 0.9) == 4.0
    assert counting.percentile([1.0, 2.0, 4.0, 8.0], 0.5) == 3.0
    assert counting.percentile([0.0, 10.0], 0.9) == 9.0
