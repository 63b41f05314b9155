"""Decisions about a campaign: whether it counts, its trigger, and whether it is archived."""

from datetime import datetime

from dashboard.models import CampaignSetting, SettingChange, Trigger, User
from dashboard.rollups import recount
from dashboard.services.deciding import deciding, given, record
from sync.models import Campaign


def set_requirement(
    campaign: Campaign, requirement: CampaignSetting.Requirement, *, by: User, at: datetime, reason: str
) -> bool:
    """Mark the campaign required, optional or excluded; return whether that changed anything.

    Only required campaigns are counted, at every moment. RefusedError without a reason.
    """
    reason = given(reason)
    requirement = CampaignSetting.Requirement(requirement)
    with deciding(campaign.account):
        setting = _setting(campaign)
        old = setting.requirement
        if old == requirement:
            return False
        setting.requirement = requirement
        setting.save()
        _record(campaign, "requirement", old=old, new=requirement, by=by, at=at, reason=reason)
        recount(campaign.account, campaigns=[campaign.pk], at=at)
    return True


def choose_trigger(campaign: Campaign, trigger: Trigger | None, *, by: User, at: datetime, reason: str) -> bool:
    """Override the inferred trigger, or return to it with None; return whether that changed anything.

    RefusedError without a reason.
    """
    reason = given(reason)
    chosen = Trigger(trigger).value if trigger else ""
    with deciding(campaign.account):
        setting = _setting(campaign)
        old = setting.trigger
        if old == chosen:
            return False
        setting.trigger = chosen
        setting.save()
        _record(campaign, "trigger", old=old or None, new=chosen or None, by=by, at=at, reason=reason)
    return True


def archive(campaign: Campaign, *, by: User, at: datetime, reason: str) -> bool:
    """Put the campaign among the archived ones from `at` on; return whether that changed anything.

    It goes on counting: what leaves it out is its requirement. RefusedError without a reason.
    """
    return _set_archived(campaign, at, by=by, at=at, reason=reason)


def restore(campaign: Campaign, *, by: User, at: datetime, reason: str) -> bool:
    """Take the campaign back from the archive, for past moments too; return whether that changed anything.

    One that KnowBe4 no longer returns stays archived for that. RefusedError without a reason.
    """
    return _set_archived(campaign, None, by=by, at=at, reason=reason)


def _set_archived(campaign: Campaign, archived_at: datetime | None, *, by: User, at: datetime, reason: str) -> bool:
    reason = given(reason)
    with deciding(campaign.account):
        campaign.refresh_from_db(fields=["archived_at"])
        was = campaign.archived_at is not None
        if was == (archived_at is not None):
            return False
        campaign.archived_at = archived_at
        campaign.save(update_fields=["archived_at"])
        words = {False: "no", True: "yes"}
        _record(campaign, "archived", old=words[was], new=words[not was], by=by, at=at, reason=reason)
    return True


def _setting(campaign: Campaign) -> CampaignSetting:
    """Return the campaign's setting; a new one, not saved, if it has none."""
    return CampaignSetting.objects.filter(campaign=campaign).first() or CampaignSetting(
        account_id=campaign.account_id, campaign=campaign
    )


def _record(
    campaign: Campaign, field: str, *, old: str | None, new: str | None, by: User, at: datetime, reason: str
) -> None:
    record(
        campaign.account,
        SettingChange.Subject.CAMPAIGN,
        campaign.pk,
        field,
        old=old,
        new=new,
        by=by,
        at=at,
        reason=reason,
    )
