"""Fields that several forms of settings share."""

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import BadRequest, ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dashboard.access import EARLIEST_YEAR, ScopedRequest

LATEST_YEAR = 2100
_LARGEST_KEY = 2**63


class ReasonField(forms.CharField):
    """Why something is decided; it stays in the log under the reader's name."""

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


def id_in(request: ScopedRequest, name: str) -> int | None:
    """Return the id that a parameter of the address names, None for none. BadRequest for what cannot be one."""
    text = request.GET.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and int(text) < _LARGEST_KEY):
        raise BadRequest(f"{name} is a number")
    return int(text)


def word_in(request: ScopedRequest, name: str, words: Any) -> str:
    """Return the word that a parameter of the address names, empty for none. BadRequest for another than these."""
    text: str = request.GET.get(name, "")
    if text and text not in words:
        raise BadRequest(f"{name} is not one of its words")
    return text


def search_in(request: ScopedRequest) -> str:
    """Return the name, of things and not of people, that the address searches for, without blanks at its ends.

    BadRequest for more than anybody types.
    """
    text: str = request.GET.get("name", "").strip()
    if len(text) > 100 or "\x00" in text:
        raise BadRequest("name is too long")
    return text
