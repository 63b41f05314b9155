"""A report as a table for the terminal: aligned, with units, and with what it stands on below it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from dashboard.exports.metric_report.answers import Report, Row
from dashboard.exports.metric_report.cells import Cell
from dashboard.exports.metric_report.stamp import Stamp
from dashboard.figures.selection import Basis
from dashboard.formats import number
from dashboard.isolation import isolated
from dashboard.metrics.registry import Metric, Unit

GAP = "  "
EMPTY = "Nobody and nothing that passes the filters is counted."


@dataclass(frozen=True)
class Column:
    """One column: the title of the group of columns that begins with it, its own head, and its texts.

    It is at least `least` wide.
    """

    title: str
    head: str
    texts: Sequence[str]
    is_number: bool = True
    least: int = 0

    @property
    def width(self) -> int:
        """Width of the widest of its texts and its head."""
        return max(self.least, *map(len, (self.head, *self.texts)))

    def line(self, text: str) -> str:
        """Return a text padded to the column."""
        return text.rjust(self.width) if self.is_number else text.ljust(self.width)


def write_table(report: Report, metrics: Sequence[Metric], stamp: Stamp, *, by: str | None) -> str:
    """Return the report as text: one line per group, or per metric when there are no groups."""
    if by is None:
        columns = _by_metric(report, metrics)
    else:
        columns = _by_row([*report.rows, *([report.total] if report.total else [])], metrics, by)
    lines = _lines(columns, has_total=by is not None and report.total is not None)
    if by is not None and not report.rows:
        lines = [EMPTY]
    return isolated("\n".join([*lines, "", *_standing_on(stamp)]) + "\n")


def _by_metric(report: Report, metrics: Sequence[Metric]) -> list[Column]:
    total = report.total
    if total is None:
        return []
    pairs = [total.values[metric.name] for metric in metrics]
    return [
        Column("", "Metric", [metric.title for metric in metrics], is_number=False),
        Column("", "Net", [_shown(metric, pair.net) for metric, pair in zip(metrics, pairs, strict=True)]),
        Column("", "Parts", [_parts(metric, pair.net) for metric, pair in zip(metrics, pairs, strict=True)]),
        Column("", "Gross", [_shown(metric, pair.gross) for metric, pair in zip(metrics, pairs, strict=True)]),
        Column("", "Exempt", [number(total.exempt) for _ in metrics]),
    ]


def _by_row(rows: Sequence[Row], metrics: Sequence[Metric], by: str) -> list[Column]:
    columns = [Column("", by.replace("_", " ").capitalize(), [row.name for row in rows], is_number=False)]
    for metric in metrics:
        pairs = [row.values[metric.name] for row in rows]
        title = metric.title + (f" ({metric.unit})" if metric.unit != Unit.PERCENT else "")
        group = [Column(title, "net", [pair.net.shown for pair in pairs])]
        if metric.unit == Unit.PERCENT:
            group.append(Column("", "of", [number(pair.net.denominator) for pair in pairs]))
        group.append(Column("", "gross", [pair.gross.shown for pair in pairs]))
        if any(pair.year_before for pair in pairs):
            group.append(
                Column("", "a year before", [pair.year_before.shown if pair.year_before else "" for pair in pairs])
            )
        # The title fits above its columns.
        missing = len(title) - sum(column.width + len(GAP) for column in group) + len(GAP)
        group[0] = replace(group[0], least=group[0].width + max(0, missing))
        columns += group
    columns.append(Column("", "Exempt", [number(row.exempt) for row in rows]))
    return columns


def _shown(metric: Metric, cell: Cell) -> str:
    if metric.unit == Unit.PERCENT or cell.value is None:
        return cell.shown
    return f"{cell.shown} {metric.unit}"


def _parts(metric: Metric, cell: Cell) -> str:
    if cell.denominator is None:
        return ""
    if metric.unit == Unit.DAYS:
        return f"{number(cell.denominator)} finishers"
    return f"{number(cell.numerator)} of {number(cell.denominator)}"


def _lines(columns: Sequence[Column], *, has_total: bool) -> list[str]:
    titles = _titles(columns)
    heads = GAP.join(column.line(column.head) for column in columns).rstrip()
    body = [
        GAP.join(column.line(text) for column, text in zip(columns, texts, strict=True)).rstrip()
        for texts in zip_longest(*(column.texts for column in columns), fillvalue="")
    ]
    rule = "─" * max(map(len, (heads, *body)))
    if has_total and body:
        body.insert(-1, rule)
    return [*([titles] if titles else []), heads, rule, *body]


def _titles(columns: Sequence[Column]) -> str:
    """Return the line above the heads: each title from the first of its columns on."""
    line, place = "", 0
    for column in columns:
        if column.title:
            line = line.ljust(place) + column.title
        place += column.width + len(GAP)
    return line


def _standing_on(stamp: Stamp) -> list[str]:
    moment = stamp.local(stamp.as_of)
    as_of = f"{moment:%Y-%m-%d %H:%M:%S} {moment.tzname()}"
    if stamp.day is not None:
        as_of = f"the end of {stamp.day.isoformat()} ({as_of})"
    lines = [f"{stamp.account}, as of {as_of}"]
    if stamp.run.published_at is not None:
        published = stamp.local(stamp.run.published_at)
        lines.append(f"From sync run {stamp.run.number}, published {published:%Y-%m-%d %H:%M} {published.tzname()}")
    lines.append(f"Scope: {stamp.scope.label}{f', as {stamp.reader} sees it' if stamp.reader else ''}")
    if stamp.basis == Basis.THEN:
        lines.append("Departments and managers are those of then")
    if stamp.filters:
        lines.append("Filters: " + "; ".join(f"{name}: {_words(value)}" for name, value in stamp.filters.items()))
    return lines


def _words(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
