"""Coverage of questions by tallies: none goes to them with a filter that they are not kept by."""

from dataclasses import dataclass, fields, replace
from typing import Any

import pytest

from dashboard.figures.coverage import covering, covering_people, holds
from dashboard.figures.selection import COLUMNS, Basis, Selection
from dashboard.metrics import State
from dashboard.models import Grain
from sync.models import Account
from tests.clock import MOMENT

PLAIN = Selection(Account(name="Brackwater Mutual"), MOMENT)
# A value that narrows, by field; a new field of a question fails here until it has one.
NARROWING: dict[str, Any] = {
    "departments": (1,),
    "managers": (1,),
    "campaigns": (1, 2),
    "content_types": (1,),
    "groups": (1,),
    "states": frozenset({State.PAST_DUE}),
    "is_mixed": True,
    "without": 1,
    "only": 1,
}
ABOUT = {"account", "as_of", "basis", "scope_departments", "scope_managers"}


def test_every_field_of_a_question_is_a_filter_or_what_it_is_about() -> None:
    assert {each.name for each in fields(Selection)} == ABOUT | NARROWING.keys()
    for name, value in NARROWING.items():
        assert replace(PLAIN, **{name: value}).narrowed_by == {name}
    # Nothing passes an empty filter: it narrows, too.
    assert replace(PLAIN, campaigns=()).narrowed_by == {"campaigns"}
    assert not replace(PLAIN, scope_departments=(1,)).narrowed_by


def test_facts_are_narrowed_by_every_filter_that_is_set() -> None:
    @dataclass(frozen=True)
    class Asked(Selection):
        locations: tuple[str, ...] | None = None

    for name in NARROWING.keys() - {"states", "is_mixed"}:
        asked = replace(PLAIN, **{name: NARROWING[name]})
        assert f"%({name})s" in asked.of_facts
        assert (f"%({name})s" in asked.of_people) == asked.is_of_all_work
        assert asked.values[name] == (list(NARROWING[name]) if isinstance(NARROWING[name], tuple) else 1)
    mixed = replace(PLAIN, is_mixed=True, scope_departments=(1,), scope_managers=(2,))
    assert mixed.in_scope in mixed.of_facts and mixed.in_scope in mixed.of_people
    with pytest.raises(KeyError, match="locations"):
        _ = Asked(PLAIN.account, MOMENT, locations=("Bremen",)).of_facts


@pytest.mark.parametrize("key", ["", *COLUMNS.values()])
def test_a_filter_that_no_tally_is_kept_by_goes_to_the_facts(key: str) -> None:
    @dataclass(frozen=True)
    class Asked(Selection):
        locations: tuple[str, ...] | None = None

    assert covering(Asked(PLAIN.account, MOMENT), key) == covering(PLAIN, key) is not None
    assert covering(Asked(PLAIN.account, MOMENT, locations=("Bremen",)), key) is None
    for name in NARROWING.keys() - COLUMNS.keys():
        asked = replace(PLAIN, **{name: NARROWING[name]})
        assert covering(asked, key) is None
        assert not holds(asked, key, ("department_id", "due_month"))
    assert covering(replace(PLAIN, basis=Basis.THEN), key) is None


@pytest.mark.parametrize(
    ("narrowed", "key", "grain", "with_people"),
    [
        ((), "", Grain.DEPARTMENT, True),
        (("departments",), "", Grain.DEPARTMENT, True),
        ((), "manager_id", Grain.MANAGER, True),
        (("managers",), "", Grain.MANAGER, True),
        (("managers",), "department_id", None, False),
        ((), "campaign_id", Grain.CAMPAIGN, True),
        (("campaigns",), "campaign_id", Grain.CAMPAIGN, True),
        (("campaigns",), "", Grain.CAMPAIGN, False),
        (("content_types",), "campaign_id", Grain.CAMPAIGN, False),
        (("departments",), "campaign_id", Grain.CROSS, True),
        (("departments", "campaigns"), "", Grain.CROSS, False),
        ((), "content_type", Grain.CAMPAIGN, False),
        ((), "group_id", None, False),
    ],
)
def test_the_smallest_grain_answers(
    narrowed: tuple[str, ...], key: str, grain: Grain | None, with_people: bool
) -> None:
    asked = replace(PLAIN, **{name: NARROWING[name] for name in narrowed})
    found = covering(asked, key)
    assert (found and found.grain) == grain
    assert (covering_people(asked, key) is not None) == with_people
    # Of one campaign nobody is counted twice.
    if narrowed == ("campaigns",):
        assert covering_people(replace(asked, campaigns=(1,)), key) is not None
