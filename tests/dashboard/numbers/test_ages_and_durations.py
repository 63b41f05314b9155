"""Ages of past due, days to complete and training after failure equal the count by hand."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard import rollups
from dashboard.models import User
from dashboard.queries.durations import Durations, days_to_complete
from dashboard.queries.past_due import AgeGroup, ageing, people_past_due
from dashboard.queries.remedial import training_after_failure
from tests.dashboard.numbers.asking import asked, scope_of
from tests.dashboard.numbers.budget import budget
from tests.dashboard.numbers.comparing import both_ways
from tests.dashboard.numbers.mirror import Mirror, keys_of, write
from tests.dashboard.numbers.undoing import undone
from tests.oracle.companies import FUTURE, companies, moments_of, question
from tests.oracle.counting import Count, percentile
from tests.oracle.records import Company, Question
from tests.oracle.remedial import training_after_failure as trained_by_hand

pytestmark = pytest.mark.django_db
SEEDS = st.lists(st.integers(0, 2**32), min_size=1, max_size=5)


@budget(30)
@given(company=companies(), seeds=SEEDS)
def test_ages_and_durations_equal_the_count_by_hand(
    deciders: tuple[User, User], company: Company, seeds: list[int]
) -> None:
    with undone():
        mirror = write(company, *deciders)
        rollups.rebuild(mirror.account, at=random.Random(seeds[0]).choice([*(moments_of(company) or [FUTURE]), FUTURE]))
        for _way in both_ways(mirror):
            for seed in seeds:
                compare(company, mirror, question(company, seed))


def compare(company: Company, mirror: Mirror, asking: Question) -> None:
    count, arguments, scope = Count(company, asking), asked(mirror, asking), scope_of(mirror)
    ages = ageing(scope, **arguments)
    assert ages_of(ages.net) == count.buckets(gross=False), asking
    assert ages_of(ages.gross) == count.buckets(gross=True), asking
    (durations,) = days_to_complete(scope, **arguments)
    for gross, found in ((False, durations.net), (True, durations.gross)):
        compare_durations(found, *count.days_to_complete(gross=gross))
        late = {row.person for row in count.rows(gross=gross) if count.is_in(row, "past_due")}
        people = keys_of(mirror.people)
        listed = people_past_due(scope, gross=gross, **arguments)
        assert sorted(people[one.person_id] for one in listed) == sorted(key for key in late if key), asking
    (remedial,) = training_after_failure(scope, **arguments)
    assert (remedial.rate.numerator, remedial.rate.denominator) == trained_by_hand(count), asking


def compare_durations(found: Durations, days: list[float], unfinished: int) -> None:
    assert (found.finishers, found.unfinished) == (len(days), unfinished)
    assert found.median == pytest.approx(percentile(days, 0.5), abs=1e-6)
    assert found.ninetieth == pytest.approx(percentile(days, 0.9), abs=1e-6)


def ages_of(found: tuple[AgeGroup, ...]) -> dict[str, tuple[int, int]]:
    """Return the ages by the oracle's names."""
    return {group.age.value: (group.enrollments, group.people) for group in found}
