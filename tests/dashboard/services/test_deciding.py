"""A decision while a sync is being published."""

from datetime import datetime

import psycopg
import pytest
from django.db import IntegrityError, connection

from dashboard.models import CampaignSetting, SettingChange, User
from dashboard.services import RefusedError, deciding
from dashboard.services.campaigns import set_requirement
from sync.models import Account
from tests import factories


@pytest.mark.django_db(transaction=True)
def test_decision_does_not_wait_for_ever(
    account: Account, ines: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = factories.CampaignFactory(account=account)
    monkeypatch.setattr(deciding, "PATIENCE", "50ms")
    optional = CampaignSetting.Requirement.OPTIONAL
    with psycopg.connect(**connection.get_connection_params(), autocommit=False) as publisher:
        publisher.execute("SELECT FROM sync_account WHERE id = %s FOR UPDATE", [account.pk])
        with pytest.raises(RefusedError, match="being published"):
            set_requirement(campaign, optional, by=ines, at=now, reason="A pilot.")
        assert not SettingChange.objects.exists()
        publisher.rollback()

    assert set_requirement(campaign, optional, by=ines, at=now, reason="A pilot.")


def test_decision_that_fails_leaves_nothing(account: Account, ines: User, now: datetime) -> None:
    campaign = factories.CampaignFactory(account=account)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE dashboard_settingchange ADD CHECK (field <> 'requirement')")
    with pytest.raises(IntegrityError, match="violates check constraint"):
        set_requirement(campaign, CampaignSetting.Requirement.EXCLUDED, by=ines, at=now, reason="A pilot.")
    assert not CampaignSetting.objects.exists()
