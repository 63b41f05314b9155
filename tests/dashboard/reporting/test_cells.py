"""Values as they are told: unrounded, and rounded down as they are shown."""

import csv
from datetime import UTC, datetime
from io import StringIO

import pytest

from dashboard.access import Scope
from dashboard.exports.metric_report.answers import Report, Row
from dashboard.exports.metric_report.cells import Cell, Pair
from dashboard.exports.metric_report.stamp import Stamp
from dashboard.exports.metric_report.structured import write_csv
from dashboard.exports.metric_report.table import write_table
from dashboard.metrics.registry import REGISTRY, UnknownMetricError, find
from dashboard.rate import Rate
from sync.models import Account, SyncRun


@pytest.mark.parametrize(
    ("rate", "value", "shown"),
    [
        (Rate(0, 0), None, "–"),
        (Rate(0, 7), 0.0, "0.0%"),
        (Rate(1, 2000), 0.05, "<0.1%"),
        (Rate(2499, 2500), 99.96, "99.9%"),
        (Rate(7, 7), 100.0, "100%"),
        (Rate(2, 3), 200 / 3, "66.6%"),
    ],
)
def test_rates_are_rounded_down(rate: Rate, value: float | None, shown: str) -> None:
    assert Cell.of(rate) == Cell(value, rate.numerator, rate.denominator, shown)


@pytest.mark.parametrize(
    ("days", "shown"), [(0.04, "0.0"), (12.39, "12.3"), (1234.56, "1,234.5"), (-0.99, "-0.9"), (3.0, "3.0")]
)
def test_days_are_rounded_down(days: float, shown: str) -> None:
    assert Cell.of_days(days, 4) == Cell(days, 4, 4, shown)
    assert Cell.of_days(None, 0) == Cell(None, 0, 0, "–")


def test_counts_have_no_denominator() -> None:
    assert Cell.of(61204) == Cell(61204, 61204, None, "61,204")


def test_metrics_are_found_by_any_way_of_writing_them() -> None:
    assert [metric.name for metric in find(["On-time rate", "past_due", "PAST DUE"])] == ["on_time_rate", "past_due"]
    assert find(["all", "coverage"]) == list(REGISTRY.values())
    with pytest.raises(UnknownMetricError, match="Did you mean: coverage"):
        find(["coverag"])


def stamp() -> Stamp:
    account = Account(name="Brackwater", time_zone="Europe/Berlin")
    return Stamp(
        Scope(account=account, roles=frozenset({"administrator"})), SyncRun(pk=3), datetime(2026, 1, 1, tzinfo=UTC)
    )


def test_csv_neutralizes_texts_but_no_numbers() -> None:
    names = ["=1+1", "+49", "-Team", "@all", "\tTab", "Claims, East", '"Q"', "＝x"]
    values = {"days_to_complete": Pair(Cell.of_days(-0.5, 1), Cell.of_days(1234.56, 2))}
    report = Report([Row(place, name, 0, values) for place, name in enumerate(names)], None)
    text = write_csv(report, [REGISTRY["days_to_complete"]], stamp(), by="department")
    rows = list(csv.reader(StringIO(text.removeprefix("\ufeff"))))[1:]
    assert [row[0] for row in rows] == [
        *("'=1+1", "'+49", "'-Team", "'@all", "'\tTab", "Claims, East", '"Q"', "'＝x"),
    ]
    assert {tuple(row[2:4]) for row in rows} == {("-0.5", "1234.5")}


def test_tables_line_up() -> None:
    metrics = find(["completion_rate", "people_past_due"])
    row = {"completion_rate": Pair(Cell.of(Rate(9, 10)), Cell.of(Rate(9, 12))), "people_past_due": Pair()}
    report = Report([Row(1, "Claims", 2, row), Row(0, "No department", 0, row)], Row(0, "Total", 1204, row))
    lines = write_table(report, metrics, stamp(), by="department").splitlines()
    assert lines[:7] == [
        "               Completion rate   People past due (people)",
        "Department       net  of  gross                net  gross  Exempt",
        "─────────────────────────────────────────────────────────────────",
        "Claims         90.0%  10  75.0%                  –      –       2",
        "No department  90.0%  10  75.0%                  –      –       0",
        "─────────────────────────────────────────────────────────────────",
        "Total          90.0%  10  75.0%                  –      –   1,204",
    ]
    assert lines[8:] == ["Brackwater, as of 2026-01-01 01:00:00 CET", "Scope: All departments"]
