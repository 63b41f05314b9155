"""Pages of rows that a queryset in scope gives, each value an expression of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from dashboard.api.answers import Rows
from dashboard.api.calls import Call
from dashboard.api.parameters import Listed
from dashboard.queries.fields import Field

# Far above every key: where a list begins that goes down.
_TOP = 2**63 - 1


def page_of(
    call: Call,
    rows: QuerySet[Any],
    expressions: Mapping[str, Any],
    fields: Sequence[Field],
    asked: Listed,
    *,
    latest_first: bool = False,
) -> Rows:
    """Return the page asked for, by our key: rising, or with `latest_first` falling."""
    place = call.place(asked, first=_TOP if latest_first else -1)
    if latest_first:
        rows = rows.filter(pk__lt=place.after).order_by("-pk")
    else:
        rows = rows.filter(pk__gt=place.after).order_by("pk")
    named = {f"shown_{field.name}": expressions[field.name] for field in fields}
    found = rows.annotate(**named).values_list(*named, "pk")
    return call.page(fields, list(found[: asked.limit + 1]), asked.limit)


def number_of(rows: QuerySet[Any], of: str) -> Coalesce:
    """Return the number of the rows that name, as `of`, the row that is listed."""
    counted = rows.filter(**{of: OuterRef("pk")}).order_by().values(of).annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted), Value(0))
