"""People past due, and for how long: every list and every age equals the count by hand, from standings and facts."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import strategies as st

from dashboard import rollups
from dashboard.access import Scope
from dashboard.models import PersonStanding, User
from dashboard.queries import past_due
from dashboard.queries.past_due import PastDuePerson, Sort, ageing, people_past_due
from sync.models import Account, Person
from tests import factories
from tests.dashboard.numbers.asking import asked, scope_of
from tests.dashboard.numbers.budget import drawn
from tests.dashboard.numbers.mirror import Mirror, keys_of, write
from tests.dashboard.numbers.undoing import undone
from tests.oracle.companies import FUTURE, companies, moments_of, question
from tests.oracle.counting import Count, has_passed, is_eligible, state
from tests.oracle.records import Company, Enrollment, Question

pytestmark = pytest.mark.django_db
SEEDS = st.lists(st.integers(0, 2**32), min_size=1, max_size=5)


def ways(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Let standings answer where they can, with some people worked out anew; then the facts alone."""
    yield "standings"
    with monkeypatch.context() as patched:
        patched.setattr(past_due, "MOST_STALE", -1)
        yield "facts"


def until(company: Company, row: Enrollment) -> datetime | None:
    """Return when an enrollment stops counting; None: never."""
    assert row.person is not None
    person = company.people[row.person]
    left = {"active": None, "archived": person.archived_at or datetime.min.replace(tzinfo=FUTURE.tzinfo)}.get(
        person.status, datetime.min.replace(tzinfo=FUTURE.tzinfo)
    )
    return min((at for at in (row.removed_at, person.removed_at, left) if at is not None), default=None)


def by_hand(company: Company, count: Count, *, gross: bool) -> dict[int, tuple[Any, ...]]:
    """Return items, oldest due date, days, last activity, department and manager of whoever is past due."""
    late: dict[int, list[datetime]] = {}
    for row in count.rows(gross=gross):
        if state(row, count.at) == "past_due":
            assert row.person is not None and row.due_at is not None
            late.setdefault(row.person, []).append(row.due_at)
    found = {}
    for person, dates in late.items():
        moments = [
            moment
            for row in company.enrollments
            if row.person == person and is_eligible(company, row)
            for end in [until(company, row)]
            if end is None or row.enrolled_at < end
            for moment in (row.started_at, row.completed_at)
            if has_passed(moment, count.at)
        ]
        found[person] = (
            len(dates),
            min(dates),
            count.days_past_due(min(dates)),
            max((moment for moment in moments if moment is not None), default=None),
            count.organization.department(person),
            count.organization.manager_or_name(person),
        )
    return found


def listed(mirror: Mirror, rows: list[PastDuePerson]) -> dict[int, tuple[Any, ...]]:
    people, departments = keys_of(mirror.people), keys_of(mirror.departments)
    return {
        people[row.person_id]: (
            row.items,
            row.oldest_due_at,
            row.days_past_due,
            row.last_activity_at,
            departments[row.department_id] if row.department_id else "",
            people[row.manager_id] if row.manager_id > 0 else row.manager,
        )
        for row in rows
    }


def build(company: Company, mirror: Mirror, dice: random.Random) -> None:
    facts = moments_of(company) or [FUTURE]
    rollups.rebuild(mirror.account, at=dice.choice([*facts, facts[-1], FUTURE]))


@drawn(5, company=companies(), seeds=SEEDS)
def test_lists_and_ages_equal_the_count_by_hand(
    deciders: tuple[User, User], monkeypatch: pytest.MonkeyPatch, company: Company, seeds: list[int]
) -> None:
    with undone():
        mirror = write(company, *deciders)
        build(company, mirror, random.Random(seeds[0]))
        for way in ways(monkeypatch):
            for seed in seeds:
                compare(company, mirror, question(company, seed), way, random.Random(seed))


def compare(company: Company, mirror: Mirror, asking: Question, way: str, dice: random.Random) -> None:
    count, scope, arguments = Count(company, asking), scope_of(mirror), asked(mirror, asking)
    ages = ageing(scope, **arguments)
    for gross in (False, True):
        rows = people_past_due(scope, gross=gross, sort=dice.choice(list(Sort)), **arguments)
        found, wanted = listed(mirror, rows), by_hand(company, count, gross=gross)
        for values in (found, wanted):
            # A manager known by name only is told by any spelling of it.
            for key, row in values.items():
                if isinstance(row[-1], str):
                    values[key] = (*row[:-1], row[-1].strip().casefold())
        assert found == wanted, (way, gross, asking)
        groups = ages.gross if gross else ages.net
        assert {group.age.value: (group.enrollments, group.people) for group in groups} == count.buckets(gross=gross)


def test_standings_answer_only_for_what_they_hold(deciders: tuple[User, User], monkeypatch: pytest.MonkeyPatch) -> None:
    account, people = some_people()
    scope = Scope(account=account, roles=frozenset({"administrator"}))
    at = factories.SEEN_AT + timedelta(days=100)
    rollups.rebuild(account, at=at)
    PersonStanding.objects.filter(person=people[0]).update(past_due=7)
    assert people_past_due(scope, as_of=at)[0].items == 7, "what is kept is what is told"
    assert people_past_due(scope, as_of=at, gross=True)[0].items == 1
    assert people_past_due(scope, as_of=at - timedelta(microseconds=1))[0].items == 1
    PersonStanding.objects.filter(person=people[0]).update(next_event_at=at)
    assert people_past_due(scope, as_of=at)[0].items == 1


def some_people() -> tuple[Account, list[Person]]:
    """Return three people: due 90 days ago and twice, 90 days and a tick ago, and 10 days ago."""
    account = factories.AccountFactory()
    people = []
    for name, days in (("Ash", 10), ("Birch", 20), ("cedar", 90)):
        person = factories.PersonFactory(account=account, first_name=name, last_name=name)
        people.append(person)
        factories.EnrollmentFactory(
            account=account,
            person=person,
            due_at=factories.SEEN_AT + timedelta(days=days),
            started_at=factories.SEEN_AT + timedelta(days=1) if name != "Birch" else None,
        )
    factories.EnrollmentFactory(
        account=account, person=people[1], due_at=factories.SEEN_AT + timedelta(days=99), reported_status="Past Due"
    )
    return account, people


@pytest.mark.parametrize("way", ["standings", "facts"])
@pytest.mark.parametrize(
    ("sort", "is_descending", "names"),
    [
        (Sort.DAYS, True, "Ash Birch cedar"),
        (Sort.DAYS, False, "cedar Birch Ash"),
        (Sort.ITEMS, True, "Birch Ash cedar"),
        (Sort.PERSON, False, "Ash Birch cedar"),
        (Sort.PERSON, True, "cedar Birch Ash"),
        (Sort.DEPARTMENT, False, "Ash Birch cedar"),
        (Sort.MANAGER, True, "Ash Birch cedar"),
        (Sort.ACTIVITY, True, "Ash cedar Birch"),
        (Sort.ACTIVITY, False, "Birch Ash cedar"),
    ],
)
def test_any_order_page_by_page(
    monkeypatch: pytest.MonkeyPatch, db: None, sort: Sort, is_descending: bool, names: str, way: str
) -> None:
    account, _people = some_people()
    at = factories.SEEN_AT + timedelta(days=100)
    rollups.rebuild(account, at=at)
    if way == "facts":
        monkeypatch.setattr(past_due, "MOST_STALE", -1)
    scope = Scope(account=account, roles=frozenset({"administrator"}))
    found = []
    for offset in range(4):
        found += people_past_due(scope, as_of=at, sort=sort, is_descending=is_descending, limit=1, offset=offset)
    assert " ".join(row.name.split()[0] for row in found) == names


def test_nobody_is_listed_for_who_may_see_nobody(db: None) -> None:
    account, _people = some_people()
    at = factories.SEEN_AT + timedelta(days=100)
    rollups.rebuild(account, at=at)
    for scope in (Scope(), Scope(account=account)):
        assert people_past_due(scope, as_of=at) == []
        assert not any(group.people for group in ageing(scope, as_of=at).gross)
