"""Passports: what is known is what is counted and what each reason, the first that applies, leaves out."""

import random
from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import strategies as st

from dashboard import rollups
from dashboard.access import Scope
from dashboard.metrics.registry import REGISTRY, Base
from dashboard.models import User
from dashboard.queries.passport import Passport, passport
from tests import factories
from tests.dashboard.numbers.asking import asked, scope_of
from tests.dashboard.numbers.budget import drawn
from tests.dashboard.numbers.mirror import write
from tests.dashboard.numbers.undoing import undone
from tests.oracle import counting
from tests.oracle.cohorts import cohort, periods
from tests.oracle.companies import FUTURE, companies, moments_of, question
from tests.oracle.counting import Count, has_passed, is_active, is_exempt
from tests.oracle.records import Company, Enrollment, Question

pytestmark = pytest.mark.django_db
SEEDS = st.lists(st.integers(0, 2**32), min_size=1, max_size=4)


def reason(company: Company, row: Enrollment, question: Question, base: Base) -> str:
    """Return why the row is not in the denominator of a current figure; "" when it is."""
    at = question.as_of
    campaign = company.campaigns.get(row.campaign) if row.campaign is not None else None
    checks = [
        ("no_person", row.person is None),
        ("unknown_status", row.status.lower() not in counting.KNOWN),
        ("cancelled", campaign is not None and campaign.status.lower() in counting.CANCELLED),
        ("excluded", campaign is not None and campaign.requirement == "excluded"),
        ("optional", campaign is not None and campaign.requirement == "optional"),
        ("removed", has_passed(row.removed_at, at)),
        ("left", row.person is not None and not is_active(company.people[row.person], at)),
        ("exempt", is_exempt(company, row, at)),
    ]
    if base == Base.DUE:
        checks += [
            ("unknown_due", row.is_extended),
            ("no_deadline", row.due_at is None),
            ("not_due_yet", not has_passed(row.due_at, at)),
        ]
    if base == Base.POLICIES:
        checks.append(("no_policy", row.content_type != "Policy"))
    if base == Base.FINISHED:
        checks.append(("unfinished", not has_passed(row.completed_at, at)))
    return next((name for name, holds in checks if holds), "")


def known(count: Count) -> list[Enrollment]:
    """Return the enrollments that pass the filters, counted or not."""
    asking = count.question
    about_people = asking.departments or asking.manager is not None or asking.groups
    return [
        row
        for row in count.company.enrollments
        if row.enrolled_at <= count.at
        and count.takes_work(row)
        and (count.takes_person(row.person) if row.person is not None else not about_people)
    ]


@drawn(3, company=companies(), seeds=SEEDS)
def test_whatever_is_left_out_has_one_reason(deciders: tuple[User, User], company: Company, seeds: list[int]) -> None:
    with undone():
        mirror = write(company, *deciders)
        rollups.rebuild(mirror.account, at=random.Random(seeds[0]).choice(moments_of(company) or [FUTURE]))
        for seed in seeds:
            asking = question(company, seed)
            count, scope = Count(company, asking), scope_of(mirror)
            for metric in random.Random(seed).sample(list(REGISTRY.values()), 6):
                found = passport(scope, metric.name, **asked(mirror, asking))
                told = {entry.reason.value: entry.count for entry in found.left_out}
                assert found.known == found.denominator + sum(told.values()), (metric.name, asking)
                assert min(told.values(), default=1) > 0, (metric.name, told, asking)
                if found.is_of_people:
                    compare_people(count, found, told)
                    continue
                wanted = Counter(reason(company, row, asking, metric.base) for row in known(count))
                assert found.denominator == wanted.pop("", 0), (metric.name, asking)
                assert told == wanted, (metric.name, asking)


def compare_people(count: Count, found: Passport, told: dict[str, int]) -> None:
    company = count.company
    people = [key for key in company.people if count.takes_person(key)]
    if found.metric.base == Base.FAILED:
        failed = {row.person for row in company.failures if row.failed_at <= count.at}
        people = [key for key in people if key in failed]
    else:
        assert told.get("exempt", 0) == 0 or found.metric.base == Base.PEOPLE
    assert found.known == len(people)
    assert told.get("left", 0) == sum(1 for key in people if not is_active(company.people[key], count.at))


@drawn(3, company=companies(), seeds=SEEDS)
def test_a_quarter_leaves_out_who_left_before_the_due_date(
    deciders: tuple[User, User], company: Company, seeds: list[int]
) -> None:
    with undone():
        mirror = write(company, *deciders)
        rollups.rebuild(mirror.account, at=random.Random(seeds[0]).choice(moments_of(company) or [FUTURE]))
        for seed in seeds:
            asking = question(company, seed)
            count = Count(company, asking)
            for start, end in periods("quarter", date(2024, 1, 1), date(2024, 6, 30)):
                for name in ("completion_rate", "on_time_rate", "still_open"):
                    found = passport(scope_of(mirror), name, quarter=start, **asked(mirror, asking))
                    told = {entry.reason.value: entry.count for entry in found.left_out}
                    net, gross = (cohort(count, start, end, gross=is_gross) for is_gross in (False, True))
                    denominator = net.due_so_far if name == "on_time_rate" else net.due
                    assert found.denominator == denominator, (name, start, asking)
                    assert found.gross_denominator - (gross.due_so_far if name == "on_time_rate" else gross.due) == 0, (
                        name,
                        start,
                        asking,
                    )
                    assert found.known == denominator + sum(told.values()), (name, start, told, asking)
                    assert told.get("exempt", 0) == gross.due - net.due, (name, start, told, asking)


def test_whoever_sees_nobody_gets_zeros(deciders: tuple[User, User]) -> None:
    found: Any = passport(Scope(), "completion_rate", as_of=FUTURE)
    assert (found.known, found.denominator, found.left_out, found.run) == (0, 0, (), None)


def test_a_quarter_has_no_coverage(deciders: tuple[User, User]) -> None:
    with pytest.raises(ValueError, match="Coverage is not in a quarter's row"):
        passport(Scope(), "coverage", as_of=FUTURE, quarter=date(2024, 1, 1))


NOW = factories.SEEN_AT + timedelta(days=100)
TICK = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("name", "quarter", "person", "row", "reason"),
    [
        ("counted", None, {}, {"removed_at": NOW}, "removed"),
        ("counted", None, {}, {"removed_at": NOW + TICK}, ""),
        ("counted", None, {"status": "archived", "archived_at": NOW}, {}, "left"),
        ("counted", None, {"status": "archived", "archived_at": NOW + TICK}, {}, ""),
        ("counted", None, {"removed_at": NOW}, {"removed_at": NOW}, "removed"),
        ("on_time_rate", None, {}, {"due_at": NOW}, ""),
        ("on_time_rate", None, {}, {"due_at": NOW + TICK}, "not_due_yet"),
        ("on_time_rate", None, {}, {}, "no_deadline"),
        ("days_to_complete", None, {}, {"completed_at": NOW}, ""),
        ("days_to_complete", None, {}, {"completed_at": NOW + TICK}, "unfinished"),
        ("due", NOW.date(), {"status": "archived", "archived_at": NOW}, {"due_at": NOW}, "left_before_due"),
        ("due", NOW.date(), {"status": "archived", "archived_at": NOW}, {"due_at": NOW - TICK}, ""),
        ("due", NOW.date(), {"removed_at": NOW - TICK}, {"due_at": NOW + TICK}, "left_before_due"),
        ("on_time_rate", NOW.date(), {}, {"due_at": NOW + TICK}, "not_due_yet"),
    ],
)
def test_each_reason_at_its_edge(
    db: None, name: str, quarter: date | None, person: dict[str, Any], row: dict[str, Any], reason: str
) -> None:
    account = factories.AccountFactory()
    who = factories.PersonFactory(account=account, **person)
    factories.EnrollmentFactory(account=account, person=who, **row)
    rollups.rebuild(account, at=NOW)
    found = passport(Scope(account=account, roles=frozenset({"administrator"})), name, as_of=NOW, quarter=quarter)
    assert found.known == 1
    assert [entry.reason.value for entry in found.left_out] == ([reason] if reason else [])
    assert found.denominator == (0 if reason else 1)
