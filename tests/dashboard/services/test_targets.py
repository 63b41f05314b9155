"""The rate an account aims at."""

from datetime import datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError

from dashboard.models import AccountSetting, SettingChange, User
from dashboard.services import RefusedError
from dashboard.services.targets import set_target
from sync.models import Account


def test_target_is_set_once(account: Account, ines: User, now: datetime) -> None:
    assert set_target(account, Decimal("97.5"), by=ines, at=now, reason="The board wants it.")
    assert not set_target(account, Decimal("97.50"), by=ines, at=now, reason="Again.")

    assert AccountSetting.objects.get().target_rate == Decimal("97.5")
    change = SettingChange.objects.get()
    assert (change.subject, change.subject_id, change.field) == ("account", account.pk, "target_rate")
    assert (change.old, change.new, change.changed_by) == ("95.0", "97.5", ines)


@pytest.mark.parametrize("rate", ["-0.1", "100.1", "95.55", "NaN", "Infinity"])
def test_target_that_is_no_percentage_is_refused(account: Account, ines: User, now: datetime, rate: str) -> None:
    with pytest.raises(RefusedError, match="percentage"):
        set_target(account, Decimal(rate), by=ines, at=now, reason="Why not.")
    assert not AccountSetting.objects.exists()


@pytest.mark.parametrize("rate", ["0", "100"])
def test_target_may_be_nothing_or_all(account: Account, ines: User, now: datetime, rate: str) -> None:
    assert set_target(account, Decimal(rate), by=ines, at=now, reason="To the limit.")


def test_database_refuses_what_is_no_percentage(account: Account) -> None:
    with pytest.raises(IntegrityError, match="account_target_rate_is_percent"):
        AccountSetting.objects.create(account=account, target_rate=Decimal("100.1"))
