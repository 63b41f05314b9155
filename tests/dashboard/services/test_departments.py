"""Departments counted as one: chains, loops, and what comes apart again."""

from datetime import datetime

import pytest

from dashboard.models import SettingChange, User
from dashboard.services import RefusedError
from dashboard.services.departments import merge, unmerge
from sync.models import Account, Department
from sync.pipeline.merge import Publication
from sync.pipeline.publish import people
from tests import factories


@pytest.fixture
def departments(account: Account) -> list[Department]:
    """Return Claims, its two spellings and another department."""
    names = ("Claims", "Claims Dept.", "Claims Handling", "Sales")
    return [factories.DepartmentFactory(account=account, name=name) for name in names]


def merged(*departments: Department) -> list[Department | None]:
    """Return what each department is merged into, as the database has it."""
    for department in departments:
        department.refresh_from_db()
    return [department.merged_into for department in departments]


def test_merge_says_who_when_and_why(departments: list[Department], ines: User, now: datetime) -> None:
    claims, spelling, *_rest = departments

    assert merge(spelling, claims, by=ines, at=now, reason="One department.")

    assert spelling.merged_into == claims
    change = SettingChange.objects.get()
    assert (change.subject, change.subject_id, change.field) == ("department", spelling.pk, "merged_into")
    assert (change.old, change.new, change.reason) == (None, str(claims.pk), "One department.")
    assert (change.changed_by, change.changed_at) == (ines, now)


def test_chain_points_to_its_end_and_comes_apart_link_by_link(
    departments: list[Department], ines: User, now: datetime
) -> None:
    first, second, third, end = departments
    merge(first, second, by=ines, at=now, reason="One.")
    merge(second, third, by=ines, at=now, reason="One.")
    merge(third, end, by=ines, at=now, reason="One.")
    assert merged(first, second, third, end) == [end, end, end, None]

    assert unmerge(second, by=ines, at=now, reason="Two after all.")
    assert merged(first, second, third, end) == [second, None, end, None]

    assert unmerge(third, by=ines, at=now, reason="Three after all.")
    assert merged(first, second, third, end) == [second, None, None, None]

    assert unmerge(first, by=ines, at=now, reason="Four after all.")
    assert merged(*departments) == [None] * 4


def test_merge_made_upwards_reaches_the_end_at_once(departments: list[Department], ines: User, now: datetime) -> None:
    first, second, third, _other = departments
    merge(second, third, by=ines, at=now, reason="One.")
    merge(first, second, by=ines, at=now, reason="One.")
    assert merged(first, second, third) == [third, third, None]


def test_merge_elsewhere_replaces_the_first(departments: list[Department], ines: User, now: datetime) -> None:
    first, second, third, _other = departments
    merge(first, second, by=ines, at=now, reason="One.")
    assert merge(first, third, by=ines, at=now, reason="The other one.")
    assert merged(first, second, third) == [third, None, None]
    assert SettingChange.objects.order_by("-pk")[0].old == str(second.pk)


def test_loops_are_refused(departments: list[Department], ines: User, now: datetime) -> None:
    first, second, third, _other = departments
    merge(first, second, by=ines, at=now, reason="One.")
    merge(second, third, by=ines, at=now, reason="One.")
    for department, into in ((third, first), (second, first), (first, first)):
        with pytest.raises(RefusedError, match="separate it first"):
            merge(department, into, by=ines, at=now, reason="One.")
    assert merged(first, second, third) == [third, third, None]


def test_what_is_no_spelling_is_refused(departments: list[Department], ines: User, now: datetime) -> None:
    claims, *_rest = departments
    blank = factories.DepartmentFactory(account=claims.account, name="", key="")
    elsewhere = factories.DepartmentFactory(name="Claims")
    with pytest.raises(RefusedError, match="without a department"):
        merge(blank, claims, by=ines, at=now, reason="One.")
    with pytest.raises(RefusedError, match="same account"):
        merge(claims, elsewhere, by=ines, at=now, reason="One.")
    with pytest.raises(RefusedError, match="reason is needed"):
        merge(claims, departments[1], by=ines, at=now, reason="")
    assert not SettingChange.objects.exists()


def test_placeholder_may_become_no_department(departments: list[Department], ines: User, now: datetime) -> None:
    blank = factories.DepartmentFactory(account=departments[0].account, name="", key="")
    placeholder = factories.DepartmentFactory(account=departments[0].account, name="n/a")
    assert merge(placeholder, blank, by=ines, at=now, reason="Says nothing.")
    assert merged(placeholder) == [blank]


def test_repeated_and_needless_decisions_write_nothing(
    departments: list[Department], ines: User, now: datetime
) -> None:
    first, second, *_rest = departments
    assert not unmerge(first, by=ines, at=now, reason="As it is.")
    merge(first, second, by=ines, at=now, reason="One.")
    assert not merge(first, second, by=ines, at=now, reason="Still one.")
    assert SettingChange.objects.count() == 1


def test_a_sync_naming_departments_leaves_merges_alone(
    departments: list[Department], ines: User, now: datetime
) -> None:
    claims, spelling, *_rest = departments
    factories.PersonFactory.create_batch(2, account=claims.account, department=spelling, department_name="Claims DEPT.")
    merge(spelling, claims, by=ines, at=now, reason="One department.")

    people._name_departments(Publication(claims.account_id, 1, now))

    assert merged(spelling) == [claims]
    assert spelling.name == "Claims DEPT."
