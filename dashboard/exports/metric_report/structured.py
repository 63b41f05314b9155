"""A report as JSON, whose keys stay as they are, and as CSV for a spreadsheet."""

import csv
import io
import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from dashboard.exports.csv_injection import neutralize
from dashboard.exports.metric_report.answers import Report, Row
from dashboard.exports.metric_report.cells import Cell, Pair
from dashboard.exports.metric_report.stamp import Stamp
from dashboard.metrics.registry import Metric, Unit

# A new number stands for keys that changed their meaning or went away; keys may be added under the same one.
VERSION = 1
# Without it a spreadsheet takes the text for another encoding.
BYTE_ORDER_MARK = "\ufeff"


def write_json(report: Report, metrics: Sequence[Metric], stamp: Stamp, *, by: str | None) -> str:
    """Return the report as JSON; moments are ISO 8601 in UTC, values unrounded beside what is shown."""
    run = stamp.run
    told = {
        "version": VERSION,
        "account": stamp.account,
        "as_of": _moment(stamp.as_of),
        "as_of_day": stamp.day.isoformat() if stamp.day else None,
        "time_zone": stamp.time_zone,
        "sync_run": {
            "id": run.pk,
            "number": run.number,
            "published_at": _moment(run.published_at),
            "data_as_of": _moment(run.started_at),
        },
        "scope": str(stamp.scope.label),
        "reader": stamp.reader or None,
        "basis": stamp.basis.value,
        "by": by,
        "filters": dict(stamp.filters),
        "metrics": [
            {
                "name": metric.name,
                "title": metric.title,
                "sentence": metric.sentence,
                "unit": metric.unit.value,
                "numerator": metric.numerator,
                "denominator": metric.denominator,
            }
            for metric in metrics
        ],
        "rows": [_row(row) for row in report.rows],
        "total": _row(report.total) if report.total else None,
    }
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def _moment(moment: Any) -> str | None:
    return moment.isoformat() if moment else None


def _row(row: Row) -> dict[str, Any]:
    told: dict[str, Any] = {"key": row.key, "name": row.name}
    if row.start is not None and row.end is not None:
        told |= {"start": row.start.isoformat(), "end": row.end.isoformat()}
    return told | {"exempt": row.exempt, "values": {name: _pair(pair) for name, pair in row.values.items()}}


def _pair(pair: Pair) -> dict[str, Any]:
    told = {"net": _cell(pair.net), "gross": _cell(pair.gross)}
    return told if pair.year_before is None else told | {"year_before": _cell(pair.year_before)}


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "value": cell.value,
        "shown": cell.shown,
        "numerator": cell.numerator,
        "denominator": cell.denominator,
    }


def write_csv(report: Report, metrics: Sequence[Metric], stamp: Stamp, *, by: str | None) -> str:
    """Return the report as CSV: a line per group, the total last; what it stands on is in each line.

    Rates are as shown, rounded down, without their sign; their parts stand beside them. Texts that a spreadsheet would
    run as a formula are led by an apostrophe.
    """
    has_year_before = any(pair.year_before is not None for row in report.rows for pair in row.values.values())
    heads = ["Group", "Key"] if by is None else [by.replace("_", " ").capitalize(), "Key"]
    for metric in metrics:
        unit = "%" if metric.unit == Unit.PERCENT else metric.unit.value
        heads.append(f"{metric.title} ({unit})")
        if metric.denominator:
            heads += [f"{metric.title}: {metric.numerator}", f"{metric.title}: {metric.denominator}"]
        heads.append(f"{metric.title}, gross ({unit})")
        if metric.denominator:
            heads += [f"{metric.title}, gross: numerator", f"{metric.title}, gross: denominator"]
        if has_year_before:
            heads.append(f"{metric.title}, a year before ({unit})")
    heads += ["Exempt (enrollments)", "Account", "As of", "Data as of", "Time zone", "Sync run", "Scope", "Filters"]
    filters = "; ".join(f"{name}: {value}" for name, value in stamp.filters.items())
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(map(_safe, heads))
    for row in [*report.rows, *([report.total] if report.total else [])]:
        cells: list[object] = [row.name, row.key]
        for metric in metrics:
            pair = row.values[metric.name]
            for cell in (pair.net, pair.gross):
                cells.append(_plain(cell))
                if metric.denominator:
                    cells += [cell.numerator, cell.denominator]
            if has_year_before:
                cells.append(_plain(pair.year_before or Cell()))
        read_at = stamp.local(stamp.run.started_at).isoformat() if stamp.run.started_at else ""
        cells += [row.exempt, stamp.account, stamp.local(stamp.as_of).isoformat(), read_at, stamp.time_zone]
        cells += [stamp.run.number, str(stamp.scope.label), filters]
        writer.writerow(map(_safe, cells))
    return BYTE_ORDER_MARK + text.getvalue()


def _plain(cell: Cell) -> object:
    """Return a value as a spreadsheet reads it: as shown, a number where it is one."""
    if cell.value is None:
        return ""
    text = cell.shown.removesuffix("%").replace(",", "")
    return text if text.startswith("<") else Decimal(text)


def _safe(cell: object) -> object:
    return neutralize(cell) if isinstance(cell, str) else cell
