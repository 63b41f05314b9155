"""Ages of what is past due, or was late."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from dashboard.local_days import day_of


class Age(TextChoices):
    """Age of someone's oldest past-due enrollment, since its due date."""

    WEEK = "1-7", _("1–7 days")
    FORTNIGHT = "8-14", _("8–14 days")
    MONTH = "15-30", _("15–30 days")
    TWO_MONTHS = "31-60", _("31–60 days")
    QUARTER = "61-90", _("61–90 days")
    OLDER = "over-90", _("Over 90 days")


AGE_LIMITS = {
    Age.WEEK: (1, 7),
    Age.FORTNIGHT: (8, 14),
    Age.MONTH: (15, 30),
    Age.TWO_MONTHS: (31, 60),
    Age.QUARTER: (61, 90),
    Age.OLDER: (91, None),
}


def days_past_due(due_at: datetime, as_of: datetime, zone: ZoneInfo) -> int:
    """Return days between the local date of the due date and the day that `as_of` belongs to, at least 1.

    As of a past day, asked for as the midnight that ends it, it is what a reader of that evening would have counted.
    """
    return max(1, (day_of(as_of, zone) - due_at.astimezone(zone).date()).days)


def days_late(due_at: datetime, completed_at: datetime, zone: ZoneInfo) -> int:
    """Return local days between the due date and a later completion, at least 1."""
    return max(1, (completed_at.astimezone(zone).date() - due_at.astimezone(zone).date()).days)
