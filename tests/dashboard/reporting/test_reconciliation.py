"""KnowBe4's own completion percentage: what explains the difference to ours, and that something always does."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db.models import Q

from dashboard import rollups
from dashboard.access import Scope
from dashboard.figures.counts import figures_by
from dashboard.figures.selection import By
from dashboard.models import CampaignSetting, Membership
from dashboard.queries.left_out import Reason
from dashboard.queries.reconciliation import Reconciliation, Since, reconciliations, rows
from sync.models import Account, Campaign, Enrollment, SyncRun
from sync.simulator.server import Simulator
from tests import factories
from tests.factories import SEEN_AT

NOW = SEEN_AT + timedelta(days=60)


def scope_of(account: Account) -> Scope:
    return Scope(account=account, roles=frozenset({Membership.Role.ADMINISTRATOR}))


def told(row: Reconciliation) -> dict[str, tuple[int, int]]:
    return {entry.reason.value: (entry.enrollments, entry.done) for entry in row.differences}


@pytest.mark.slow
def test_the_simulated_figure_is_always_explained(
    sync: Callable[[], SyncRun], simulator: Simulator, connected: Account, now: datetime
) -> None:
    sync()
    simulator.clock.set(now + timedelta(days=3))
    sync()
    scope, later = scope_of(connected), simulator.clock.now()
    found = reconciliations(scope, as_of=later)
    assert len(found) == Campaign.objects.filter(removed_at=None).count() > 20
    assert all(row.theirs == row.expected or row.expected is None for row in found if row.theirs is not None)
    assert all(row.is_explained for row in found)
    ours = {group.key: group.totals.net for group in figures_by(scope, By.CAMPAIGN, as_of=later)}
    for row in found:
        counts = ours.get(row.campaign.pk)
        assert (row.ours.numerator, row.ours.denominator) == ((counts.completed, counts.counted) if counts else (0, 0))
        explain(row)
        for difference in row.differences:
            listed = rows(scope, row.campaign.pk, difference.reason, as_of=later)
            done = listed.filter(Q(reported_status__iexact="passed") | Q(reported_status__iexact="completed"))
            assert (listed.count(), done.count()) == (difference.enrollments, difference.done)
    assert any(row.differences for row in found), "people left: somewhere KnowBe4 counts more"


def explain(row: Reconciliation) -> None:
    """Go from KnowBe4's count to ours by the differences alone."""
    done, whole = row.as_theirs.numerator, row.as_theirs.denominator
    for entry in row.differences:
        if entry.reason == Since.REMOVED_SINCE:
            whole += entry.enrollments
        elif entry.reason == Since.COMPLETED_LATER:
            done -= entry.enrollments
        elif entry.reason == Since.NO_LONGER_DONE:
            done += entry.enrollments
        elif entry.reason != Since.COMPLETED_SINCE_READ:
            whole -= entry.enrollments
            done -= entry.done
    assert whole == row.ours.denominator
    if not any(entry.reason == Since.REMOVED_SINCE for entry in row.differences):
        assert done == row.ours.numerator


@pytest.fixture
def campaign(db: None) -> Campaign:
    """Return a campaign of ten enrollments of which KnowBe4 lists nine, six of them done."""
    account = factories.AccountFactory()
    factories.publish(factories.SyncRunFactory(account=account, started_at=SEEN_AT + timedelta(days=50)))
    campaign = factories.CampaignFactory(account=account, completion_percentage=66)

    def enroll(**fields: object) -> Enrollment:
        return factories.EnrollmentFactory(account=account, campaign=campaign, **fields)

    passed = {"reported_status": "Passed", "completed_at": SEEN_AT + timedelta(days=10)}
    enroll(**passed)
    enroll(**passed, person=factories.PersonFactory(account=account, status="archived", archived_at=SEEN_AT))
    enroll(person=factories.PersonFactory(account=account, removed_at=SEEN_AT + timedelta(days=20)))
    enroll(**passed, person=None)
    enroll(reported_status="Waived")
    enroll(**passed, enrolled_at=NOW - timedelta(days=1))
    enroll(reported_status="Completed", completed_at=NOW - timedelta(hours=1))
    enroll(**passed)
    enroll()
    enroll(**passed, removed_at=NOW - timedelta(days=2))
    rollups.rebuild(account, at=NOW)
    return campaign


def test_each_row_that_differs_has_its_reason(campaign: Campaign) -> None:
    (row,) = reconciliations(scope_of(campaign.account), as_of=NOW)
    assert (row.theirs, row.expected) == (66, 66)
    assert (row.as_theirs.numerator, row.as_theirs.denominator) == (6, 9)
    assert (row.ours.numerator, row.ours.denominator) == (4, 5)
    assert told(row) == {
        "left": (2, 1),
        "no_person": (1, 1),
        "unknown_status": (1, 0),
        "completed_since_read": (1, 1),
    }
    explain(row)


def test_a_past_moment_differs_by_what_came_later(campaign: Campaign) -> None:
    (row,) = reconciliations(scope_of(campaign.account), as_of=NOW - timedelta(days=3))
    assert told(row) == {
        "left": (2, 1),
        "no_person": (1, 1),
        "unknown_status": (1, 0),
        "enrolled_later": (1, 1),
        "completed_later": (1, 1),
        "removed_since": (1, 1),
        "completed_since_read": (1, 1),
    }
    assert (row.ours.numerator, row.ours.denominator) == (3, 5)


def test_what_an_administrator_leaves_out_is_told(campaign: Campaign) -> None:
    CampaignSetting.objects.create(account=campaign.account, campaign=campaign, requirement="optional")
    rollups.recount(campaign.account, at=NOW, campaigns=[campaign.pk])
    (row,) = reconciliations(scope_of(campaign.account), as_of=NOW)
    assert row.ours.percent is None
    assert told(row)["optional"] == (7, 5)
    assert rows(scope_of(campaign.account), campaign.pk, Reason.OPTIONAL, as_of=NOW).count() == 7


@pytest.mark.parametrize(
    ("figure", "theirs", "is_explained"),
    [(None, None, True), (-1, None, True), (67, 67, False), (55, 55, True), (54, 54, False), (0, 0, False)],
)
def test_a_figure_is_explained_or_not(
    campaign: Campaign, figure: int | None, theirs: int | None, is_explained: bool
) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(completion_percentage=figure)
    (row,) = reconciliations(scope_of(campaign.account), as_of=NOW, campaigns=[campaign.pk])
    assert (row.theirs, row.is_explained) == (theirs, is_explained)


def test_nothing_is_told_to_who_may_not_see_everybody(campaign: Campaign) -> None:
    for scope in (Scope(), Scope(account=campaign.account)):
        assert reconciliations(scope, as_of=NOW) == []
        assert not rows(scope, campaign.pk, Reason.LEFT, as_of=NOW).exists()
