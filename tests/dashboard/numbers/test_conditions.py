"""Every condition of `metrics` matches exactly the rows that a count by hand finds."""

import pytest
from django.db.models import Q
from hypothesis import strategies as st

from dashboard import metrics
from dashboard.models import User
from sync.models import Campaign, Enrollment, Person
from tests.dashboard.numbers.budget import drawn
from tests.dashboard.numbers.mirror import Mirror, write
from tests.dashboard.numbers.undoing import undone
from tests.oracle import counting
from tests.oracle.companies import companies, question
from tests.oracle.records import Company

pytestmark = pytest.mark.django_db
SEEDS = st.lists(st.integers(0, 2**32), min_size=1, max_size=4)


def matching(mirror: Mirror, condition: Q) -> list[int]:
    """Return the keys of the account's enrollments that match."""
    rows = Enrollment.objects.filter(condition, account=mirror.account)
    return sorted(rows.values_list("knowbe4_id", flat=True))


@drawn(5, company=companies(), seeds=SEEDS)
def test_conditions_match_what_is_counted_by_hand(
    deciders: tuple[User, User], company: Company, seeds: list[int]
) -> None:
    with undone():
        mirror = write(company, *deciders)
        for seed in seeds:
            at = question(company, seed).as_of
            counted = [row for row in company.enrollments if counting.is_counted(company, row, at)]
            assert matching(mirror, metrics.counted(at)) == [row.key for row in counted]
            for name in counting.STATES:
                condition = getattr(metrics, name)(at)
                expected = [row.key for row in company.enrollments if counting.state(row, at) == name]
                assert matching(mirror, condition) == expected, name
            on_time = [
                row.key for row in company.enrollments if counting.has_passed(row.due_at, at) and counting.met(row)
            ]
            assert matching(mirror, metrics.on_time(at)) == on_time
            people = Person.objects.filter(metrics.active(at), account=mirror.account)
            assert set(people.values_list("knowbe4_id", flat=True)) == {
                key for key, person in company.people.items() if counting.is_active(person, at)
            }
            campaigns = Campaign.objects.filter(account=mirror.account).annotate(state=metrics.campaign_state(at))
            assert dict(campaigns.values_list("knowbe4_id", "state")) == {
                key: counting.campaign_state(campaign, at) for key, campaign in company.campaigns.items()
            }
