"""Days to complete, and training after failure: equal to the count by hand."""

import random

import pytest
from hypothesis import strategies as st

from dashboard import rollups
from dashboard.access import Scope
from dashboard.figures.durations import Durations, days_to_complete
from dashboard.figures.selection import By
from dashboard.models import Membership, User
from dashboard.queries.remedial import training_after_failure
from tests import factories
from tests.dashboard.numbers.asking import asked, scope_of
from tests.dashboard.numbers.budget import drawn
from tests.dashboard.numbers.mirror import write
from tests.dashboard.numbers.undoing import undone
from tests.oracle import remedial
from tests.oracle.companies import FUTURE, companies, moments_of, question
from tests.oracle.counting import Count, percentile
from tests.oracle.records import Company

pytestmark = pytest.mark.django_db
SEEDS = st.lists(st.integers(0, 2**32), min_size=1, max_size=5)


def by_hand(days: list[float], unfinished: int) -> tuple[object, ...]:
    """Return what the product should say, to a millionth of a day."""
    return (*(_round(percentile(days, share)) for share in (0.5, 0.9)), len(days), unfinished)


def told(found: Durations) -> tuple[object, ...]:
    return (_round(found.median), _round(found.ninetieth), found.finishers, found.unfinished)


def _round(days: float | None) -> float | None:
    return None if days is None else round(days, 6) + 0.0


@drawn(5, company=companies(), seeds=SEEDS)
def test_durations_and_remedial_training_equal_the_count_by_hand(
    deciders: tuple[User, User], company: Company, seeds: list[int]
) -> None:
    with undone():
        mirror = write(company, *deciders)
        facts = moments_of(company) or [FUTURE]
        rollups.rebuild(mirror.account, at=random.Random(seeds[0]).choice(facts))
        for seed in seeds:
            asking = question(company, seed)
            count, scope, arguments = Count(company, asking), scope_of(mirror), asked(mirror, asking)
            (row,) = days_to_complete(scope, **arguments)
            assert told(row.net) == by_hand(*count.days_to_complete(gross=False)), asking
            assert told(row.gross) == by_hand(*count.days_to_complete(gross=True)), asking
            (trained,) = training_after_failure(scope, **arguments)
            assert (trained.rate.numerator, trained.rate.denominator) == remedial.training_after_failure(count), asking
            by = days_to_complete(scope, by=By.CAMPAIGN, **arguments)
            assert sum(group.gross.finishers for group in by) == row.gross.finishers
            assert sum(group.net.unfinished for group in by) == row.net.unfinished
            departments = training_after_failure(scope, by=By.DEPARTMENT, **arguments)
            assert sum(group.rate.denominator for group in departments) == trained.rate.denominator


def test_what_does_not_add_up_is_not_grouped(account_scope: Scope) -> None:
    with pytest.raises(ValueError, match="not grouped by group"):
        days_to_complete(account_scope, as_of=FUTURE, by=By.GROUP)
    with pytest.raises(ValueError, match="not grouped by campaign"):
        training_after_failure(account_scope, as_of=FUTURE, by=By.CAMPAIGN)


@pytest.fixture
def account_scope() -> Scope:
    """Return the scope of an administrator of an empty account."""
    return Scope(account=factories.AccountFactory(), roles=frozenset({Membership.Role.ADMINISTRATOR}))


def test_nothing_finished_has_no_median(account_scope: Scope) -> None:
    (row,) = days_to_complete(account_scope, as_of=FUTURE)
    assert (row.net.median, row.net.ninetieth, row.net.finishers) == (None, None, 0)
    (trained,) = training_after_failure(account_scope, as_of=FUTURE)
    assert trained.rate.percent is None
