"""Fields that several forms of settings share."""

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dashboard.local_days import EARLIEST_YEAR

LATEST_YEAR = 2100


class ReasonField(forms.CharField):
    """Reason of a decision; it stays in the log under the reader's name."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", gettext_lazy("Reason"))
        kwargs.setdefault("max_length", 2000)
        kwargs.setdefault("widget", forms.Textarea(attrs={"rows": 2}))
        kwargs.setdefault("error_messages", {"required": gettext_lazy("A reason is needed: say why.")})
        kwargs.setdefault("help_text", gettext_lazy("It stays in the log, under your name."))
        super().__init__(**kwargs)


class DayInput(forms.DateInput):
    """The browser's own calendar, which knows days only as 2026-12-31."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class DayField(forms.DateField):
    """A day of the account's zone, within the years anybody could mean."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=DayInput(), input_formats=["%Y-%m-%d"], **kwargs)

    def clean(self, value: Any) -> date | None:
        """Refuse years that must be typing errors."""
        day: date | None = super().clean(value)
        if day is not None and not EARLIEST_YEAR <= day.year < LATEST_YEAR:
            raise ValidationError(_("Enter a year between %(first)s and %(last)s.") % _years())
        return day


def _years() -> dict[str, int]:
    return {"first": EARLIEST_YEAR, "last": LATEST_YEAR - 1}
