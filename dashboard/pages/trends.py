"""Trends: is it getting better? Quarters or months against each other, and departments within them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from dashboard.charts.panel import Cell, Chart
from dashboard.charts.periods import Line, Plot
from dashboard.figures.selection import By
from dashboard.formats import NOTHING, number
from dashboard.markup import Markup, joined
from dashboard.pages.context import shell_of
from dashboard.queries.trends import Course, Period, Trend, trend
from dashboard.rate import Rate
from dashboard.requests.filter_choices import filter_bar
from dashboard.requests.filters import asked, parameters
from dashboard.requests.trends import PERIODS
from dashboard.scoped_request import ScopedRequest
from dashboard.web.templatetags.addresses import to
from dashboard.wording import trends as words
from dashboard.wording.trend_measures import MEASURES, Measure, Value, difference, settled, size, written

FILTERS = ("department", "manager", "campaign", "basis")
# More departments than this are listed only when asked for.
MOST_ROWS = 40
# A change for the worse of less than this, in points or people, is not worth a color.
WORSE_POINTS, WORSE_PEOPLE = 2, 3
# A cell grows warmer as its rate falls below these.
WARMTH = (97.0, 90.0, 85.0, 80.0, 70.0)


@require_safe
@vary_on_headers("HX-Target")
def trends(request: ScopedRequest) -> HttpResponse:
    """Show twelve quarters or months. BadRequest for a measure or a period that is none, and for a filter by state."""
    if not shell_of(request).sync.status.has_data:
        return redirect("overview")
    by, measure = (
        PERIODS.get(request.GET.get("period") or By.QUARTER),
        MEASURES.get(request.GET.get("measure") or "on_time"),
    )
    question = asked(request)
    if by is None or measure is None or question.filters.states:
        raise BadRequest("period is quarter or month, measure one of the four, and there is no state")
    found = trend(request.scope, as_of=request.as_of, period=by, **question.question)
    page = _Page(request, found, by, parameters(question.filters, question.basis))
    parts, context = words.lead(found, by)
    template = "dashboard/trends.html"
    if request.htmx.target == "trends":
        template += "#trends"
    return render(
        request,
        template,
        {
            "trend": found,
            "by": by.value,
            "bar": filter_bar(request, question, names=FILTERS, target="trends"),
            "lead": [(text, None if place is None else page.rows(MEASURES["on_time"], place)) for text, place in parts],
            "context": context,
            "charts": [page.chart(each) for each in MEASURES.values()],
            "measure": measure,
            "measures": MEASURES.values(),
            "heat": page.heat(measure, shows_all=request.GET.get("all") == "1"),
        },
    )


@dataclass(frozen=True)
class HeatCell:
    """One department in one period: its number, how warm it is (0 to 5) and the rows behind it; empty: nothing."""

    text: str
    warmth: int | None
    address: str


_HEAT = Markup('<td class="h{}"><a href="{}">{}</a></td>')
_COLD = Markup('<td class="h zero">{}</td>')


@dataclass(frozen=True)
class HeatRow:
    """A department's cells, and its change since the period before."""

    name: str
    address: str
    cells: Sequence[HeatCell]
    change: str
    is_worse: bool

    @property
    def drawn(self) -> SafeString:
        """The cells as HTML: there are hundreds, and a template takes ten times as long over them."""
        return joined(
            _HEAT("" if cell.warmth is None else f" h{cell.warmth}", cell.address, cell.text)
            if cell.text
            else _COLD(NOTHING)
            for cell in self.cells
        )


@dataclass(frozen=True)
class Heat:
    """The table of departments by period; `left_out` are those too many to list."""

    finding: str
    what: str
    columns: Sequence[tuple[str, bool]]
    change: str
    rows: Sequence[HeatRow]
    total: HeatRow
    left_out: int


@dataclass
class _Page:
    """Builds the parts of one answer."""

    request: ScopedRequest
    trend: Trend
    by: By
    query: dict[str, Any]

    def rows(self, measure: Measure, place: int, *, department: int | None = None) -> str:
        """Return the address of what is behind a number: who was past due at that time, or that quarter's review."""
        address = self._period_addresses[measure.is_of_cohort][place]
        if department is None:
            return address
        return f"{address}{'&' if '?' in address else '?'}department={department}"

    @cached_property
    def _period_addresses(self) -> dict[bool, list[str]]:
        """The addresses of each period: of its review, and of who was past due at its end."""
        return {
            is_of_cohort: [self._period_address(period, is_of_cohort=is_of_cohort) for period in self.trend.periods]
            for is_of_cohort in (True, False)
        }

    def _period_address(self, period: Period, *, is_of_cohort: bool) -> str:
        if is_of_cohort:
            return str(to(self._context, "review_quarter", period.start.year, period.number, **self.query))
        query = dict(self.query)
        if period.at < self.request.as_of:
            # The day that the period's end closes.
            query["as_of"] = (period.end - timedelta(days=1)).isoformat()
        return str(to(self._context, "past_due", **query))

    @property
    def _context(self) -> dict[str, Any]:
        return {"request": self.request}

    def chart(self, measure: Measure) -> Chart:
        """Return the chart of one measure, with the year before as its dotted reference."""
        found, before = self.trend, self.trend.before
        values = measure.values(found.everybody)
        names = [words.short_name(period, self.by) for period in found.periods]
        shown, earlier = values[before:], values[: len(found.periods)]
        lines = [Line(str(measure.label), [size(v) for v in shown], [written(v) for v in shown], measure.tone)]
        if any(value is not None for value in earlier):
            lines.insert(
                0,
                Line(_("A year before"), [size(v) for v in earlier], [written(v) for v in earlier], is_reference=True),
            )
        is_running = found.periods[-1].is_running
        plot = Plot(names, lines, is_rate=measure.is_rate, is_running=is_running)
        what = self._what(measure)
        if plot.is_zoomed:
            what = _("%(what)s, scale from %(foot)s") % {"what": what, "foot": plot.tick(plot.axis[0])}
        rows = []
        for place in range(len(found.periods) - 1, -1, -1):
            name = words.name(found.periods[place], self.by)
            if is_running and place == len(found.periods) - 1:
                name = _("%(period)s to date") % {"period": name}
            cell = Cell(written(shown[place]), self.rows(measure, place) if shown[place] is not None else "")
            rows.append((name, [cell, Cell(written(earlier[place]))]))
        column = _("Quarter") if self.by == By.QUARTER else _("Month")
        return Chart(
            f"trend-{measure.slug.replace('_', '-')}",
            words.chart_finding(found, measure, self.by),
            what,
            plot,
            [column, str(measure.title), _("A year before")],
            rows,
            self._passport(measure),
        )

    def _passport(self, measure: Measure) -> str:
        """Return where the last number of a chart is explained; empty for a month's cohort, which has no passport."""
        query = dict(self.query)
        if measure.is_of_cohort:
            if self.by != By.QUARTER:
                return ""
            last = self.trend.periods[-1]
            query["quarter"] = f"{last.start.year}-q{last.number}"
        return str(to(self._context, "passport", measure.metric, **query))

    def _what(self, measure: Measure) -> str:
        by_quarter = self.by == By.QUARTER
        if measure.is_of_cohort:
            text = _("%(title)s by quarter of the due date") if by_quarter else _("%(title)s by month of the due date")
        else:
            text = _("%(title)s at the end of the quarter") if by_quarter else _("%(title)s at the end of the month")
        return text % {"title": measure.title}

    def heat(self, measure: Measure, *, shows_all: bool) -> Heat:
        """Return the table of departments, the one to look at first on top."""
        found = self.trend
        place = settled(found, measure)
        at = found.before + place
        ranked = sorted(found.departments, key=lambda course: _rank(measure, course, at))
        ranked = [
            course
            for course in ranked
            if any(measure.is_known(course, place) for place in range(found.before, len(course.due)))
        ]
        shown = ranked if shows_all else ranked[:MOST_ROWS]
        names = [words.short_name(period, self.by) for period in found.periods]
        last = len(names) - 1
        other = words.name(found.periods[place - 1], self.by, beside=found.periods[place])
        return Heat(
            words.heat_finding(found, measure, self.by),
            self._heat_what(measure),
            [(name, index == last and found.periods[-1].is_running) for index, name in enumerate(names)],
            _("%(period)s on %(other)s")
            % {"period": words.name(found.periods[place], self.by, beside=found.periods[-1]), "other": other},
            [self._row(measure, course, at, department=int(course.key)) for course in shown],
            self._row(measure, found.everybody, at),
            len(ranked) - len(shown),
        )

    def _heat_what(self, measure: Measure) -> str:
        if measure.is_rate:
            return _("%(title)s in percent. The warmer the cell, the lower the rate.") % {"title": measure.title}
        return _("People past due. The warmer the cell, the larger their share of the department.")

    def _row(self, measure: Measure, course: Course, at: int, *, department: int | None = None) -> HeatRow:
        values, before = measure.values(course), self.trend.before
        change = difference(values, at, at - 1)
        cells = [
            HeatCell(_bare(value), _warmth(measure.share(due, stood)), self.rows(measure, place, department=department))
            if value is not None
            else HeatCell("", None, "")
            for place, (value, due, stood) in enumerate(
                zip(values[before:], course.due[before:], course.stood[before:], strict=True)
            )
        ]
        address = ""
        if department is not None:
            address = str(to(self._context, "trends", **{**self.query, **self._view, "department": department}))
        return HeatRow(
            words.department_name(course) if address else _("All departments"),
            address,
            cells,
            words.change_words(measure, change),
            change is not None and (change <= -WORSE_POINTS if measure.is_rate else change >= WORSE_PEOPLE),
        )

    @cached_property
    def _view(self) -> dict[str, str]:
        """Query parameters of the page's own address beside its filters."""
        return {name: value for name in ("period", "measure") if (value := self.request.GET.get(name))}


def _bare(value: Value) -> str:
    """Write a rate without its sign: the whole table is in percent."""
    return written(value).removesuffix("%") if isinstance(value, Rate) else number(value)


def _warmth(share: Rate) -> int | None:
    if share.percent is None:
        return None
    return 0 if share.percent == 100 else sum(share.percent < limit for limit in WARMTH)


def _rank(measure: Measure, course: Course, at: int) -> tuple[bool, float, str]:
    """Sort by what needs a look: the lowest rate, the most people past due; departments without a value last."""
    value = size(measure.value(course, at))
    weight = 0.0 if value is None else value if measure.is_rate else -value
    return value is None, weight, course.name.casefold()
