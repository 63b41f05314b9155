"""The rate an account aims at."""

from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from dashboard.models import AccountSetting, SettingChange, User
from dashboard.services.deciding import RefusedError, deciding, given, record
from sync.models import Account


def set_target(account: Account, rate: Decimal, *, by: User, at: datetime, reason: str) -> bool:
    """Set the account's target rate in percent; return whether that changed anything. It colors, and counts nothing.

    RefusedError without a reason, outside 0 to 100, and for more than one decimal.
    """
    reason = given(reason)
    if not rate.is_finite() or not 0 <= rate <= 100 or rate != round(rate, 1):
        raise RefusedError(_("The target is a percentage from 0 to 100, with one decimal at most."))
    rate = round(rate, 1)
    with deciding(account):
        setting = AccountSetting.objects.filter(account=account).first() or AccountSetting(account=account)
        old = setting.target_rate
        if old == rate:
            return False
        setting.target_rate = rate
        setting.save()
        record(
            account,
            SettingChange.Subject.ACCOUNT,
            account.pk,
            "target_rate",
            old=str(old),
            new=str(rate),
            by=by,
            at=at,
            reason=reason,
        )
    return True
