"""GET /metrics: the numbers of `manage.py report`, in its language, by its very code."""

from typing import Any, Literal

import msgspec
from ninja import Query, Router
from pydantic import Field as Parameter

from dashboard.api.answers import Told
from dashboard.api.calls import Call, view_of
from dashboard.api.parameters import About, AsOf, Name, filters
from dashboard.api.parameters import Shown as ShownFields
from dashboard.exports.metric_report.answers import GROUPINGS, Asked, NotAskableError, answer
from dashboard.exports.metric_report.stamp import Stamp
from dashboard.exports.metric_report.structured import BYTE_ORDER_MARK, write_csv, write_json
from dashboard.figures.selection import Basis, By
from dashboard.metrics.registry import REGISTRY, UnknownMetricError, find
from dashboard.models import RollupState
from dashboard.queries.fields import PEOPLE
from dashboard.web.problems import Problem

router = Router(tags=["Figures"])
_MOST_PERIODS = 60


class MetricsAsked(About, AsOf, ShownFields):
    """Parameters of the metrics."""

    metrics: Name = Parameter(
        "all", description=f"Names separated by commas, or all: {', '.join(REGISTRY)}.", examples=["completion_rate"]
    )
    by: Literal["department", "manager", "campaign", "content_type", "group", "quarter", "month", "age", ""] = (
        Parameter("", description="A row for each of these; age is of past_due and people_past_due.")
    )
    basis: Basis = Parameter(Basis.NOW, description="Departments and managers that people have now, or had then.")
    periods: int = Parameter(12, ge=1, le=_MOST_PERIODS, description="How many quarters or months.")


@router.get("/metrics", url_name="api_metrics", operation_id="get_metrics", summary="Figures")
@view_of("GET /metrics")
def metrics(call: Call, asked: Query[MetricsAsked]) -> Told:
    """Return numbers of the people in scope, of all and of each group, net and gross, with their parts and meanings."""
    if asked.fields:
        raise Problem(400, "Choose numbers with metrics; fields are of lists.", parameter="fields")
    if asked.by == By.MANAGER and call.scope.is_numbers_only:
        raise Problem(403, "This token reads figures only; by manager they are about persons.")
    try:
        wanted = find(name for name in asked.metrics.split(",") if name.strip())
    except UnknownMetricError as error:
        raise Problem(400, str(error), parameter="metrics") from None
    found, words = filters(call.scope, asked)
    run = call.account.published_run
    if run is None or not RollupState.objects.filter(account=call.account).exists():
        raise Problem(404, "Nothing was published yet: numbers come with the first sync.")
    try:
        report = answer(call.scope, Asked(wanted, call.as_of, asked.by or None, found, asked.basis, asked.periods))
    except NotAskableError as error:
        raise Problem(400, str(error), parameter="by") from None
    reader = call.scope.user.email if call.scope.user else ""
    stamp = Stamp(call.scope, run, call.as_of, call.day, reader, asked.basis, words)
    if call.as_csv:
        body = write_csv(report, wanted, stamp, by=asked.by or None).removeprefix(BYTE_ORDER_MARK).encode()
        tagged = write_csv(report, wanted, _without_clock(stamp, call), by=asked.by or None).encode()
        return Told(body, tagged, len(report.rows))
    body = write_json(report, wanted, stamp, by=asked.by or None).encode()
    told: dict[str, Any] = msgspec.json.decode(body)
    told.pop("as_of")
    return Told(body, msgspec.json.encode(told), len(report.rows))


def _without_clock(stamp: Stamp, call: Call) -> Stamp:
    """Return the stamp for the tag: a moment that nobody asked for is no change."""
    if stamp.day is not None or call.as_of != call.now:
        return stamp
    return Stamp(stamp.scope, stamp.run, stamp.run.started_at, None, stamp.reader, stamp.basis, stamp.filters)


_NUMBER = {"type": ["number", "null"]}
_COUNT = {"type": ["integer", "null"]}
_CELL: dict[str, Any] = {
    "type": "object",
    "required": ["value", "shown", "numerator", "denominator"],
    "properties": {
        "value": {**_NUMBER, "description": "Unrounded: percent, a count or days; null when nothing is counted."},
        "shown": {"type": "string", "description": "As pages show it, rounded down."},
        "numerator": _COUNT,
        "denominator": _COUNT,
    },
}
_ROW: dict[str, Any] = {
    "type": "object",
    "required": ["key", "name", "exempt", "values"],
    "properties": {
        "key": {"type": ["integer", "string"], "description": "Rollcall's own; 0 is none."},
        "name": {"type": "string"},
        "start": {"type": "string", "format": "date", "description": "Of a period: its first day."},
        "end": {"type": "string", "format": "date", "description": "Of a period: the day after its last."},
        "exempt": {"type": "integer", "description": PEOPLE["exempt"].meaning},
        "values": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["net", "gross"],
                "properties": {"net": _CELL, "gross": _CELL, "year_before": _CELL},
            },
        },
    },
}
_TEXT = {"type": "string"}
_MOMENT = {"type": ["string", "null"], "format": "date-time"}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["version", "account", "as_of", "sync_run", "scope", "basis", "by", "filters", "metrics", "rows"],
    "properties": {
        "version": {"type": "integer"},
        "account": _TEXT,
        "as_of": {"type": "string", "format": "date-time"},
        "as_of_day": {"type": ["string", "null"], "format": "date"},
        "time_zone": _TEXT,
        "sync_run": {
            "type": "object",
            "properties": {
                "id": {"type": "integer"},
                "number": {"type": "integer"},
                "published_at": _MOMENT,
                "data_as_of": _MOMENT,
            },
        },
        "scope": _TEXT,
        "reader": {"type": ["string", "null"]},
        "basis": {"type": "string", "enum": [str(basis) for basis in Basis]},
        "by": {"type": ["string", "null"], "enum": [*map(str, GROUPINGS), None]},
        "filters": {"type": "object"},
        "metrics": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    **dict.fromkeys(("name", "title", "sentence", "unit", "numerator"), _TEXT),
                    "denominator": {"type": ["string", "null"]},
                },
            },
        },
        "rows": {"type": "array", "items": _ROW},
        "total": {"anyOf": [_ROW, {"type": "null"}], "description": "Recounted; null by quarter and month."},
    },
}
_RATE = {"value": 91.5048, "shown": "91.5%", "numerator": 377, "denominator": 412}
EXAMPLE: dict[str, Any] = {
    "version": 1,
    "account": "Brackwater Mutual",
    "as_of": "2026-09-30T22:00:00+00:00",
    "as_of_day": "2026-09-30",
    "time_zone": "Europe/Berlin",
    "sync_run": {
        "id": 312,
        "number": 87,
        "published_at": "2026-11-23T06:00:00+00:00",
        "data_as_of": "2026-11-23T05:51:00+00:00",
    },
    "scope": "All departments",
    "reader": "alice@brackwater.example",
    "basis": "now",
    "by": "department",
    "filters": {},
    "metrics": [
        {
            "name": "completion_rate",
            "title": "Completion rate",
            "sentence": "Enrollments completed, out of all that count.",
            "unit": "percent",
            "numerator": "completed",
            "denominator": "enrollments counted",
        }
    ],
    "rows": [{"key": 7, "name": "Claims", "exempt": 4, "values": {"completion_rate": {"net": _RATE, "gross": _RATE}}}],
    "total": {"key": 0, "name": "Total", "exempt": 4, "values": {"completion_rate": {"net": _RATE, "gross": _RATE}}},
}
