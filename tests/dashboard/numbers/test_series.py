"""Each day of a series equals the figures asked for at its end: any company, moment and filters, from either source."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import strategies as st

from dashboard import rollups
from dashboard.access import Scope
from dashboard.figures.counts import figures, figures_by
from dashboard.figures.selection import By, Filters
from dashboard.figures.series import daily, daily_and_by
from dashboard.models import Membership, User
from sync.models import Account
from tests.dashboard.numbers.asking import asked, scope_of
from tests.dashboard.numbers.budget import drawn
from tests.dashboard.numbers.comparing import both_ways
from tests.dashboard.numbers.mirror import write
from tests.dashboard.numbers.undoing import undone
from tests.oracle.companies import FUTURE, companies, moments_of, question
from tests.oracle.records import Company

pytestmark = pytest.mark.django_db
SEEDS = st.lists(st.integers(0, 2**32), min_size=1, max_size=3)


@drawn(5, company=companies(), seeds=SEEDS)
def test_each_day_equals_the_figures_at_its_end(
    deciders: tuple[User, User], company: Company, seeds: list[int]
) -> None:
    with undone():
        mirror = write(company, *deciders)
        dice = random.Random(seeds[0])
        rollups.rebuild(mirror.account, at=dice.choice([*moments_of(company), FUTURE]))
        for _way in both_ways(mirror):
            for seed in seeds:
                asking = replace(question(company, seed), states=frozenset(), is_then=False)
                arguments = asked(mirror, asking)
                filters: Filters = arguments["filters"]
                scope = scope_of(mirror)
                points = daily(scope, days=dice.choice([1, 9, 40]), **arguments)
                assert points[-1].at == asking.as_of
                for point in dice.sample(points, min(3, len(points))):
                    found = figures(scope, **{**arguments, "as_of": point.at})
                    if filters.campaigns or filters.campaign_states or filters.content_types or filters.triggers:
                        found = found._replace(
                            net=found.net._replace(people_active=0), gross=found.gross._replace(people_active=0)
                        )
                    if filters.campaign_states and point is not points[-1]:
                        continue  # the campaigns are those in that state at the last day
                    assert point.totals == found, (point, asking)


@drawn(3, company=companies(), seed=st.integers(0, 2**32))
def test_groups_of_a_series_are_the_figures_by_group(deciders: tuple[User, User], company: Company, seed: int) -> None:
    with undone():
        mirror = write(company, *deciders)
        rollups.rebuild(mirror.account, at=random.Random(seed).choice([*moments_of(company), FUTURE]))
        as_of = question(company, seed).as_of
        for _way in both_ways(mirror):
            scope = scope_of(mirror)
            points, groups, trails = daily_and_by(scope, By.DEPARTMENT, as_of=as_of, days=8)
            assert groups == figures_by(scope, By.DEPARTMENT, as_of=as_of)
            assert points[-1].totals == figures(scope, as_of=as_of)
            if trails:
                late = {group.key: group.totals.net.people_past_due for group in groups}
                assert {key: late.get(key, 0) for key in trails} == {key: trail[-1] for key, trail in trails.items()}
                assert sum(trail[0] for trail in trails.values()) == points[0].totals.net.people_past_due


def test_days_are_local_and_midnight_ends_the_day_before(account: Account, now) -> None:
    rollups.rebuild(account, at=now)
    scope = Scope(account=account, roles=frozenset({Membership.Role.SECURITY_MANAGER}))
    points = daily(scope, as_of=now, days=3)
    assert [str(point.date) for point in points] == ["2026-11-21", "2026-11-22", "2026-11-23"]
    assert points[-1].at == now
    midnight = points[0].at
    assert midnight == now.astimezone(account.zone).replace(day=22, hour=0, minute=0)
    assert [str(point.date) for point in daily(scope, as_of=midnight, days=2)] == ["2026-11-20", "2026-11-21"]


def test_a_scope_without_a_role_has_days_of_nothing(account: Account, now) -> None:
    points, groups, _trails = daily_and_by(Scope(account=account, roles=frozenset()), By.DEPARTMENT, as_of=now, days=3)
    assert [point.totals.gross.counted for point in points] == [0, 0, 0]
    assert points[0].at == now.astimezone(account.zone).replace(day=22, hour=0, minute=0)
    assert groups == []


def test_a_filter_by_state_is_refused(account: Account, now) -> None:
    scope = Scope(account=account, roles=frozenset({Membership.Role.SECURITY_MANAGER}))
    with pytest.raises(ValueError, match="state"):
        daily(scope, as_of=now, days=3, filters=Filters(states=frozenset({"past_due"})))
    with pytest.raises(ValueError, match="manager"):
        daily_and_by(scope, By.MANAGER, as_of=now - timedelta(days=1), days=3)
