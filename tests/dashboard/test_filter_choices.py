"""The bar of filters: what it offers, what it keeps and what clearing leaves."""

from datetime import datetime

import pytest
from django.test import RequestFactory

from dashboard import rollups
from dashboard.access import Scope
from dashboard.requests.filter_choices import Control, FilterBar, filter_bar
from dashboard.requests.filters import asked
from dashboard.scoped_request import ScopedRequest
from sync.models import Account, Person
from tests import factories
from tests.clock import MOMENT


@pytest.fixture
def line(account: Account, now: datetime) -> dict[str, Person]:
    """Return a line of five: Vera above Milo and Nora, Milo above Otto, and Pia above nobody and below nobody."""
    people: dict[str, Person] = {}
    for name, manager in (("Vera", None), ("Milo", "Vera"), ("Nora", "Vera"), ("Otto", "Milo"), ("Pia", None)):
        people[name] = factories.PersonFactory(
            account=account, first_name=name, last_name="Quist", manager=people[manager] if manager else None
        )
    rollups.rebuild(account, at=now)
    return people


def bar_of(account: Account, address: str, names: tuple[str, ...] = ("department", "manager", "type")) -> FilterBar:
    request: ScopedRequest = RequestFactory().get(address)  # type: ignore[assignment]
    request.scope, request.account = Scope(account=account, roles=frozenset({"administrator"})), account
    request.now = request.as_of = MOMENT
    request.past_day = None
    return filter_bar(request, asked(request), names=names, target="list")


def control(bar: FilterBar, name: str) -> Control:
    return next(control for control in bar.controls if control.name == name)


def labels(bar: FilterBar, name: str) -> list[str]:
    return [choice.label.replace("\N{EM SPACE}", "_") for choice in control(bar, name).choices]


def test_nothing_chosen_reads_all(account: Account, line: dict[str, Person]) -> None:
    bar = bar_of(account, "/past-due/?sort=items&page=3")
    assert [control.value_label for control in bar.controls] == ["All", "All", "All"]
    assert not bar.is_narrowed
    assert bar.kept == (("sort", "items"),)
    department = line["Vera"].department
    assert department is not None
    assert department.name in labels(bar, "department")


def test_a_single_top_manager_is_offered_with_those_below(account: Account, line: dict[str, Person]) -> None:
    assert labels(bar_of(account, "/"), "manager") == ["All", "Vera Quist", "Milo Quist", "No manager"]


def test_a_chosen_manager_shows_the_way_up_and_down(account: Account, line: dict[str, Person]) -> None:
    bar = bar_of(account, f"/?manager={line['Milo'].pk}&type=Policy&sort=items")
    assert labels(bar, "manager") == ["All", "Vera Quist", "Milo Quist", "No manager"]
    assert control(bar, "manager").is_on
    assert control(bar, "manager").clear == "?type=Policy&sort=items"
    assert control(bar, "direct").value_label == "Whole line"
    assert bar.clear == "?sort=items"
    assert bar.is_narrowed


def test_several_values_are_kept_until_cleared(account: Account, line: dict[str, Person]) -> None:
    ids = sorted(person.department_id or 0 for person in line.values())[:2]
    chosen = control(bar_of(account, f"/?department={ids[0]}&department={ids[1]}"), "department")
    assert chosen.several == tuple(sorted(map(str, ids)))
    assert chosen.value_label == "2 chosen"


def test_an_unknown_id_is_shown_as_unknown(account: Account, line: dict[str, Person]) -> None:
    assert control(bar_of(account, "/?department=999999"), "department").value_label == "Unknown"


def test_nobody_offers_nothing_by_name(account: Account, line: dict[str, Person]) -> None:
    request: ScopedRequest = RequestFactory().get("/")  # type: ignore[assignment]
    request.scope, request.past_day = Scope(), None
    bar = filter_bar(request, asked(request), names=("department", "manager"), target="list")
    assert [len(control.choices) for control in bar.controls] == [2, 2]


def test_names_that_look_alike_are_told_apart(account: Account, now: datetime) -> None:
    names = ["Claims", "\u0421l\u0430ims", "Cl\u200baims", "Sales"]  # of the second, two letters are Cyrillic
    made = [factories.DepartmentFactory(account=account, name=name, key=f"key {n}") for n, name in enumerate(names)]
    for department in made:
        factories.PersonFactory(account=account, department=department)
    rollups.rebuild(account, at=now)
    offered = set(labels(bar_of(account, "/"), "department"))
    assert {f"{one.name} (ID {one.pk})" for one in made[:3]} | {"Sales"} <= offered
