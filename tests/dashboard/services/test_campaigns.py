"""Campaigns that count, and the triggers chosen for them."""

from datetime import datetime

import pytest
from django.db import DatabaseError, transaction

from dashboard import metrics
from dashboard.models import CampaignSetting, InferredTrigger, SettingChange, Trigger, User
from dashboard.services import RefusedError
from dashboard.services.campaigns import archive, choose_trigger, restore, set_requirement
from dashboard.triggers import effective_trigger
from sync.models import Account, Campaign, Enrollment
from tests import factories

OPTIONAL = CampaignSetting.Requirement.OPTIONAL
REQUIRED = CampaignSetting.Requirement.REQUIRED


@pytest.fixture
def campaign(account: Account) -> Campaign:
    """Return a campaign that two people are enrolled in."""
    campaign = factories.CampaignFactory(account=account)
    factories.EnrollmentFactory.create_batch(2, account=account, campaign=campaign)
    return campaign


def test_requirement_is_set_with_who_when_and_why(campaign: Campaign, ines: User, now: datetime) -> None:
    assert set_requirement(campaign, OPTIONAL, by=ines, at=now, reason=" A pilot. ")

    change = SettingChange.objects.get()
    assert (change.account, change.subject, change.subject_id) == (campaign.account, "campaign", campaign.pk)
    assert (change.field, change.old, change.new) == ("requirement", "required", "optional")
    assert (change.changed_by, change.changed_at, change.reason) == (ines, now, "A pilot.")


def test_requirement_decides_what_counts(campaign: Campaign, ines: User, now: datetime) -> None:
    eligible = Enrollment.objects.filter(metrics.eligible())
    assert eligible.count() == 2

    set_requirement(campaign, OPTIONAL, by=ines, at=now, reason="A pilot.")
    assert eligible.count() == 0

    set_requirement(campaign, REQUIRED, by=ines, at=now, reason="For everybody now.")
    assert eligible.count() == 2
    assert list(SettingChange.objects.order_by("pk").values_list("new", flat=True)) == ["optional", "required"]


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_requirement_without_a_reason_is_refused(campaign: Campaign, ines: User, now: datetime, reason: str) -> None:
    with pytest.raises(RefusedError, match="reason is needed"):
        set_requirement(campaign, OPTIONAL, by=ines, at=now, reason=reason)
    assert not CampaignSetting.objects.exists()


def test_requirement_set_again_writes_nothing(campaign: Campaign, ines: User, now: datetime) -> None:
    assert not set_requirement(campaign, REQUIRED, by=ines, at=now, reason="As it is.")
    assert not SettingChange.objects.exists()
    assert not CampaignSetting.objects.exists()


def test_trigger_chosen_overrides_the_inferred_one(campaign: Campaign, ines: User, now: datetime) -> None:
    InferredTrigger.objects.create(
        account=campaign.account, campaign=campaign, trigger=Trigger.SCHEDULED, rule=InferredTrigger.Rule.RECURRING
    )
    triggers = Campaign.objects.values_list(effective_trigger(), flat=True)
    assert list(triggers) == ["scheduled"]

    assert choose_trigger(campaign, Trigger.MANAGER_REQUEST, by=ines, at=now, reason="They asked.")
    assert list(triggers.all()) == ["manager_request"]

    assert choose_trigger(campaign, None, by=ines, at=now, reason="A mistake.")
    assert list(triggers.all()) == ["scheduled"]
    assert list(SettingChange.objects.order_by("pk").values_list("field", "old", "new")) == [
        ("trigger", None, "manager_request"),
        ("trigger", "manager_request", None),
    ]


def test_trigger_of_a_campaign_nobody_looked_at_is_unknown(campaign: Campaign) -> None:
    assert list(Campaign.objects.values_list(effective_trigger(), flat=True)) == ["unknown"]


def test_log_is_append_only(campaign: Campaign, ines: User, now: datetime) -> None:
    set_requirement(campaign, OPTIONAL, by=ines, at=now, reason="A pilot.")
    log = SettingChange.objects.all()
    with pytest.raises(DatabaseError, match="are history: UPDATE"), transaction.atomic():
        log.update(reason="Nobody knows.")
    with pytest.raises(DatabaseError, match="are history: DELETE"), transaction.atomic():
        log.delete()
    assert log.get().reason == "A pilot."


def test_archiving_is_recorded_and_taken_back(campaign: Campaign, ines: User, now: datetime) -> None:
    assert archive(campaign, by=ines, at=now, reason="Replaced.")
    assert not archive(campaign, by=ines, at=now, reason="Twice.")
    campaign.refresh_from_db()
    assert campaign.archived_at == now
    assert Campaign.objects.annotate(state=metrics.campaign_state(now)).get(pk=campaign.pk).state == "archived"
    assert Enrollment.objects.filter(metrics.eligible()).count() == 2

    assert restore(campaign, by=ines, at=now, reason="Still wanted.")
    campaign.refresh_from_db()
    assert campaign.archived_at is None
    changes = SettingChange.objects.order_by("pk").values_list("field", "old", "new", "reason")
    assert list(changes) == [("archived", "no", "yes", "Replaced."), ("archived", "yes", "no", "Still wanted.")]
    with pytest.raises(RefusedError, match="reason is needed"):
        archive(campaign, by=ines, at=now, reason="")
