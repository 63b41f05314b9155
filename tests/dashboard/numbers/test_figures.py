"""Every figure, from facts and from tallies, equals the count by hand: any company, moment, filters and grouping."""

import random
from datetime import date
from typing import Any

import pytest
from hypothesis import strategies as st

from dashboard import rollups
from dashboard.access import Scope
from dashboard.figures.cohorts import cohorts
from dashboard.figures.counts import figures, figures_by
from dashboard.figures.selection import By, Filters
from dashboard.metrics import Cohort
from dashboard.models import User
from tests.dashboard.numbers.asking import asked, listed, scope_of, totals_of
from tests.dashboard.numbers.budget import drawn
from tests.dashboard.numbers.comparing import both_ways, compare_totals, group_name
from tests.dashboard.numbers.mirror import Mirror, write
from tests.dashboard.numbers.undoing import undone
from tests.oracle import counting
from tests.oracle.boundaries import CASES, Case
from tests.oracle.cohorts import cohort, periods
from tests.oracle.companies import FUTURE, companies, moments_of, question
from tests.oracle.counting import Count
from tests.oracle.records import Company, Question

pytestmark = pytest.mark.django_db
SEEDS = st.lists(st.integers(0, 2**32), min_size=1, max_size=5)
FIRST, LAST = date(2023, 12, 1), date(2025, 6, 30)


def build(company: Company, mirror: Mirror, dice: random.Random) -> None:
    """Build the rollups at one of the company's moments, or long after; what is asked lies before and after it."""
    facts = moments_of(company) or [FUTURE]
    rollups.rebuild(mirror.account, at=dice.choice([*facts, facts[-1], FUTURE]))


@drawn(6, company=companies(), seeds=SEEDS)
def test_figures_equal_the_count_by_hand(deciders: tuple[User, User], company: Company, seeds: list[int]) -> None:
    with undone():
        mirror = write(company, *deciders)
        build(company, mirror, random.Random(seeds[0]))
        for way in both_ways(mirror):
            for seed in seeds:
                compare_totals(company, mirror, question(company, seed), way)


@drawn(4, company=companies(), seeds=SEEDS)
def test_rows_behind_a_number_are_those_it_counts(
    deciders: tuple[User, User], company: Company, seeds: list[int]
) -> None:
    with undone():
        mirror = write(company, *deciders)
        build(company, mirror, random.Random(seeds[0]))
        for seed in seeds:
            asking = question(company, seed)
            count, arguments = Count(company, asking), asked(mirror, asking)
            for gross in (False, True):
                rows = count.rows(gross=gross)
                measure = random.Random(seed).choice(counting.MEASURES)
                assert listed(scope_of(mirror), measure, "knowbe4_id", gross=gross, **arguments) == [
                    row.key for row in rows if count.is_in(row, measure)
                ], (measure, gross, asking)


@drawn(4, company=companies(), seeds=SEEDS)
def test_cohorts_equal_the_count_by_hand(deciders: tuple[User, User], company: Company, seeds: list[int]) -> None:
    with undone():
        mirror = write(company, *deciders)
        build(company, mirror, random.Random(seeds[0]))
        for way in both_ways(mirror):
            for seed in seeds:
                asking = question(company, seed)
                dice = random.Random(seed)
                period = dice.choice((By.QUARTER, By.MONTH))
                by = dice.choice((None, By.DEPARTMENT, By.MANAGER, By.CAMPAIGN, By.CONTENT_TYPE))
                compare_cohorts(company, mirror, asking, period, by, way)


def compare_cohorts(company: Company, mirror: Mirror, asking: Question, period: By, by: By | None, way: str) -> None:
    count = Count(company, asking)
    rows = cohorts(scope_of(mirror), period=period, first=FIRST, last=LAST, by=by, **asked(mirror, asking))
    found = {(row.start, known_by(row.key, row.name)): (cohort_of(row.net), cohort_of(row.gross)) for row in rows}
    names: set[Any] = {None}
    if by is not None:
        names = {name for row in company.enrollments if row.person for name in count.groups_of(by.value, row)}
    wanted = {}
    for start, end in periods(period.value, FIRST, LAST):
        for name in names:
            net, gross = (
                vars(cohort(count, start, end, gross=gross, by=by.value if by else "", name=name))
                for gross in (False, True)
            )
            if by is None or any(gross.values()):
                key = group_name(mirror, company, by.value, name) if by else 0
                wanted[start, key] = (net, gross)
    assert found == wanted, (way, period, by, asking)


def known_by(key: int | str, name: str) -> int | str:
    """Return the product's key of a group; of a manager known by name only, the name, as the oracle has it."""
    return name if isinstance(key, int) and key < 0 else key


def cohort_of(found: Cohort) -> dict[str, int]:
    """Return the product's cohort by the oracle's names."""
    names = "due completed_by_end on_time late still_open due_so_far on_time_so_far"
    return {name: getattr(found, name) for name in names.split()}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_definition_at_its_edge(deciders: tuple[User, User], case: Case) -> None:
    mirror = write(case.company, *deciders)
    rollups.rebuild(mirror.account, at=case.question.as_of)
    for way in both_ways(mirror):
        totals = totals_of(figures(scope_of(mirror), **asked(mirror, case.question)))
        found = totals["net"] | {f"gross_{name}": value for name, value in totals["gross"].items()}
        assert {name: found[name] for name in case.counts} == case.counts, way


def test_nobody_sees_numbers_without_a_role(deciders: tuple[User, User]) -> None:
    case = CASES[0]
    mirror = write(case.company, *deciders)
    rollups.rebuild(mirror.account, at=case.question.as_of)
    for scope in (Scope(), Scope(account=mirror.account, roles=frozenset())):
        assert figures(scope, as_of=case.question.as_of).gross.counted == 0
        assert figures_by(scope, By.DEPARTMENT, as_of=case.question.as_of, filters=Filters()) == []
        assert listed(scope, "counted", "enrollment_id", as_of=case.question.as_of) == []
