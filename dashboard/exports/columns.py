"""The columns of a list as a file has them: what is in them, and how each kind of value is written."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_DOWN, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from dashboard.exports.csv_injection import neutralize
from dashboard.queries.fields import Field, Kind
from dashboard.rate import Rate

_TENTH = Decimal("0.001")


YES_NO = {True: _("Yes"), False: _("No")}
_NUMBERS = frozenset({Kind.INTEGER, Kind.NUMBER})


@dataclass(frozen=True)
class Column:
    """One column. `key` names it in addresses, and in the SQL of lists that the database writes.

    `of` takes the value from a row of a list that is written here. `words` are those of a choice, by its value; a value
    without a word is written as it is. A moment in a column of days is its local day. An id is written as a text, so
    that no separator and no rounding comes between its digits.
    """

    key: str
    heading: Any
    kind: Kind = Kind.TEXT
    is_default: bool = True
    of: Callable[[Any], Any] | None = None
    words: Mapping[Any, Any] = field(default_factory=dict)
    width: int = 0

    def cell(self, value: Any, zone: ZoneInfo) -> Any:
        """Return a raw value as a typed one: local days and times, words of choices, shares; None for nothing."""
        if value is None or value == "":
            return None
        if self.kind == Kind.DAY:
            return value.astimezone(zone).date() if isinstance(value, datetime) else value
        if self.kind == Kind.MOMENT:
            return value.astimezone(zone).replace(tzinfo=None, microsecond=0)
        if self.kind == Kind.BOOLEAN:
            return str(YES_NO[value])
        if self.kind == Kind.CHOICE:
            return str(self.words.get(value, value))
        if self.kind == Kind.RATE:
            return share(value)
        return value if self.kind in _NUMBERS else str(value)

    def text(self, value: Any, zone: ZoneInfo, decimal: str = ".") -> str:
        """Return a raw value as CSV has it; nothing is empty. A rate is in percent: 96.4, or with a decimal comma."""
        found = self.cell(value, zone)
        if found is None:
            return ""
        if self.kind == Kind.RATE:
            return percent_text(found).replace(".", decimal)
        if self.kind == Kind.NUMBER:
            return str(found).replace(".", decimal)
        if isinstance(found, datetime):
            return found.isoformat(" ")
        if isinstance(found, date):
            return found.isoformat()
        return neutralize(found) if isinstance(found, str) else str(found)


# Of columns whose texts are longer, or shorter, than those of their kind are.
_WIDTHS = {
    **{"person": 28, "email": 34, "job_title": 28, "location": 20, "division": 20, "department": 26, "manager": 26},
    **{"manager_email": 34, "campaign": 34, "content": 34, "content_type": 18, "state": 14, "due_source": 24},
    "reported_status": 16,
}


def column(source: Field, *, is_default: bool = True, **own: Any) -> Column:
    """Return the column of a field of the catalogue; `own` is what this list has of its own: key, kind, of, width.

    Words go with the kind: a choice in a column of texts is written as it is.
    """
    kind = own.get("kind", source.kind)
    told = {
        "key": source.name,
        "heading": source.label,
        "kind": kind,
        "of": source.of,
        "words": source.words if kind == Kind.CHOICE else {},
        "width": _WIDTHS.get(source.name, 0),
    }
    return Column(is_default=is_default, **{**told, **own})


def columns(fields: Mapping[str, Field], *names: str, is_default: bool = True) -> tuple[Column, ...]:
    """Return the columns of the fields with these names."""
    return tuple(column(fields[name], is_default=is_default) for name in names)


def others(fields: Mapping[str, Field], columns: Iterable[Column]) -> tuple[Column, ...]:
    """Return the columns of fields for files that none of these is of; nobody gets them unasked."""
    there = {one.key for one in columns}
    return tuple(column(one, is_default=False) for one in fields.values() if one.label and one.name not in there)


def share(rate: Rate) -> Decimal | None:
    """Return a rate as a share of one, cut to a tenth of a percent as pages write it; None when nothing is counted.

    Under a tenth of a percent it is left exact: pages write "<0.1%", never 0 %.
    """
    if not rate.denominator:
        return None
    exact = Decimal(rate.numerator) / Decimal(rate.denominator)
    return exact if 0 < exact < _TENTH else exact.quantize(_TENTH, rounding=ROUND_DOWN)


def percent_text(found: Decimal) -> str:
    """Return a share in percent, without a sign: 96.4; under a tenth with two digits that count."""
    percent = found * 100
    if 0 < percent < Decimal("0.1"):
        return f"{float(f'{percent:.2g}'):f}".rstrip("0")
    return f"{percent:.1f}"
