"""Figures at several moments are those of each moment asked for alone, from tallies and from facts."""

from datetime import datetime, timedelta

import pytest

from dashboard.access import Scope
from dashboard.figures.counts import BY_CODE, DISTINCT, KEYS, counts, figures_by
from dashboard.figures.selection import Basis, By, Filters, select
from dashboard.local_days import local_midnight
from dashboard.metrics import State
from dashboard.models import CampaignSetting, Membership
from dashboard.rollups import rebuild
from sync.models import Account, Campaign


@pytest.fixture
def scope(company: Account) -> Scope:
    return Scope(account=company, roles=frozenset({Membership.Role.SECURITY_MANAGER}))


def moments(scope: Scope, now: datetime) -> list[datetime]:
    assert scope.account is not None
    today = now.astimezone(scope.account.zone).date()
    starts = [(today - timedelta(days=back)).replace(day=1) for back in (400, 95, 62, 31, 0)]
    return [*(local_midnight(day, scope.account.zone) for day in starts), now]


@pytest.mark.parametrize("by", KEYS)
@pytest.mark.parametrize("basis", Basis)
def test_each_moment_is_as_asked_alone(scope: Scope, by: By, basis: Basis, now: datetime) -> None:
    asked = moments(scope, now)
    selection = select(scope, as_of=now, filters=Filters(), basis=basis)
    assert selection is not None
    for at, found in zip(asked, counts(selection, by, asked, people=DISTINCT), strict=True):
        alone = {
            group.key: group.totals for group in figures_by(scope, by, as_of=at, filters=Filters(whole_line=False))
        }
        if by == By.CONTENT_TYPE:
            found = {BY_CODE[key].value: totals for key, totals in found.items()}
        for key in alone.keys() | found.keys():
            expected = alone[key].net._replace(people_active=0) if key in alone else None
            got = found[key].net if key in found else None
            if expected is None or not any(expected):
                assert got is None or not any(got)
            else:
                assert got == expected


def test_a_filter_is_kept(scope: Scope, now: datetime) -> None:
    campaign = Campaign.objects.get(name="Autumn awareness 2026")
    filters = Filters(campaigns=frozenset({campaign.pk}))
    selection = select(scope, as_of=now, filters=filters)
    assert selection is not None
    (found,) = counts(selection, By.DEPARTMENT, [now])
    alone = {group.key: group.totals for group in figures_by(scope, By.DEPARTMENT, as_of=now, filters=filters)}
    assert {key: totals.net.people_past_due for key, totals in found.items() if totals.net.people_past_due} == {
        key: totals.net.people_past_due for key, totals in alone.items() if totals.net.people_past_due
    }


def test_a_state_of_another_moment_is_refused(scope: Scope, now: datetime) -> None:
    selection = select(scope, as_of=now, filters=Filters(states=frozenset({State.PAST_DUE})))
    assert selection is not None
    with pytest.raises(ValueError, match="filter by state"):
        counts(selection, By.DEPARTMENT, [now - timedelta(days=1), now])
    assert counts(selection, By.DEPARTMENT, []) == []


def test_what_is_excluded_is_in_no_moment(scope: Scope, now: datetime) -> None:
    campaign = Campaign.objects.get(name="Autumn awareness 2026")
    CampaignSetting.objects.create(account=campaign.account, campaign=campaign, requirement="excluded")
    rebuild(campaign.account, at=now)
    selection = select(scope, as_of=now, filters=Filters())
    assert selection is not None
    (found,) = counts(selection, By.CAMPAIGN, [now])
    assert campaign.pk not in found
