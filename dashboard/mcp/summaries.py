"""Figures: where everybody stands, how a quarter went, and what is behind a number."""

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal

from django.urls import reverse
from msgspec import Meta

from dashboard.exports.metric_report.answers import NAMELESS, Asked, NotAskableError, Row, answer
from dashboard.exports.metric_report.cells import Cell
from dashboard.figures.cohorts import cohorts
from dashboard.figures.counts import DISTINCT, counts, figures_by
from dashboard.figures.counts import Group as FigureGroup
from dashboard.figures.selection import By, Filters, select
from dashboard.local_days import local_midnight, quarter_name
from dashboard.mcp.reading import Reader, invalid
from dashboard.mcp.shapes import About, Arguments, Day, Id, Name, Number, Shape
from dashboard.metrics import NO_COUNTS
from dashboard.metrics.registry import REGISTRY, Base, Metric, Unit, UnknownMetricError, Value, find
from dashboard.queries import passport as passports
from dashboard.queries.review import latest_quarter, quarter_of
from dashboard.queries.trends import Period
from dashboard.rate import Rate

USUAL = (
    *("completion_rate", "on_time_rate", "people_compliant", "coverage", "policy_acknowledgement_rate"),
    *("counted", "completed", "past_due", "people_past_due"),
)
OF_QUARTER = ("completion_rate", "on_time_rate", "due", "completed", "on_time", "completed_late", "still_open")
OF_CAMPAIGN = ("completion_rate", "on_time_rate", "counted", "completed", "past_due")
MOST_GROUPS = 30
_QUARTER = re.compile(r"(20\d\d)-?q([1-4])", re.ASCII | re.IGNORECASE)
Word = Annotated[str, Meta(max_length=40)]
_METRICS = ", ".join(REGISTRY)

AsOf = Annotated[Word | None, Meta(description="The end of a past day, like 2026-09-30; without it now.")]
Department = Annotated[Name | None, Meta(description='Only this department; "No department" for people without.')]
Manager = Annotated[
    Name | None, Meta(description='Only the line of this manager: their email, or "none" for people without a manager.')
]
CampaignId = Annotated[Id | None, Meta(description="Only this campaign, by KnowBe4's id.")]
ContentTypeName = Annotated[Name | None, Meta(description="Only this type of content, like Policy.")]
Quarter = Annotated[Word | None, Meta(description="Like 2026-Q3; without it the last quarter that has ended.")]


class Group(Shape):
    """One group and its numbers."""

    name: str
    exempt: Annotated[int, Meta(description="Enrollments left out because they are exempt.")]
    numbers: list[Number]


class Summary(Shape):
    """Summary of everybody's state."""

    about: About
    total: Group
    by: str | None
    groups: Annotated[list[Group], Meta(description="The lowest first metric first; recounted, they need not add up.")]
    groups_total: Annotated[int, Meta(description=f"How many groups there are; {MOST_GROUPS} of them are told.")]


class QuarterGroup(Shape):
    """A department, campaign or content type in the quarter."""

    name: str
    numbers: list[Number]


class QuarterCampaign(Shape):
    """A campaign as it stood at the quarter's end."""

    campaign_id: int
    name: str
    due_in_quarter: Annotated[int, Meta(description="Enrollments of it that fell due in the quarter.")]
    numbers: Annotated[list[Number], Meta(description="Of all its enrollments at the quarter's end, or now.")]


class Review(Shape):
    """Course of a quarter: of all enrollments whose due date falls in it, as of its end or as of now while it runs."""

    about: About
    quarter: str
    days: Day
    is_running: bool
    numbers: Annotated[list[Number], Meta(description="Of the enrollments due in the quarter.")]
    year_before: Annotated[list[Number], Meta(description="The same of the same quarter a year before.")]
    exempt: int
    departments: Annotated[list[QuarterGroup], Meta(description="The lowest completion rate first.")]
    campaigns: Annotated[
        list[QuarterCampaign], Meta(description="Of which something fell due in it; the lowest completion rate first.")
    ]


class LeftOut(Shape):
    """Number left out for one reason."""

    reason: str
    count: int


class Explanation(Shape):
    """The passport of a number: known = denominator + everything left out."""

    about: About
    number: Number
    meaning: str
    of: Annotated[str, Meta(description="What the denominator counts.")]
    counts: Annotated[Literal["enrollments", "people"], Meta(description="What is counted.")]
    quarter: str | None
    known: Annotated[int, Meta(description="All there are before anything is left out.")]
    left_out: list[LeftOut]


class ComplianceSummary(Arguments):
    """About whom and what, as of when."""

    by: Annotated[
        Literal["department", "manager", "campaign", "content_type"] | None,
        Meta(description="A row for each of these. By manager: whole lines."),
    ] = None
    metrics: Annotated[
        list[Annotated[str, Meta(max_length=60)]],
        Meta(max_length=30, description=f"Without any the usual ones. There are: {_METRICS}."),
    ] = []
    department: Department = None
    manager: Manager = None
    campaign_id: CampaignId = None
    content_type: ContentTypeName = None
    as_of: AsOf = None


class QuarterlyReview(Arguments):
    """Choice of a quarter and of people."""

    quarter: Quarter = None
    department: Department = None
    manager: Manager = None


class ExplainNumber(Arguments):
    """Choice of a number."""

    metric: Annotated[str, Meta(max_length=60, description=f"One of: {_METRICS}.")]
    department: Department = None
    manager: Manager = None
    campaign_id: CampaignId = None
    content_type: ContentTypeName = None
    as_of: AsOf = None
    quarter: Annotated[Word | None, Meta(description="Like 2026-Q3: the number as that quarter's row has it.")] = None


def compliance_summary(reader: Reader, asked: ComplianceSummary) -> Summary:
    """Tell where everybody stands: completion, on time, past due, coverage, as a whole and by department or the like.

    The very numbers of Rollcall's pages and of its report command.
    """
    if asked.by == "manager":
        reader.require_people()
    metrics = _metrics(asked.metrics or USUAL)
    if not asked.metrics and asked.by in ("campaign", "content_type"):
        metrics = [metric for metric in metrics if metric.name != "coverage"]
    as_of, day = reader.moment(asked.as_of)
    filters, query = _filters(reader, asked)
    whole = answer(reader.scope, Asked(metrics, as_of, None, filters)).total
    if whole is None:
        raise ValueError("Only periods have no total.")
    groups, groups_total = _groups(reader, metrics, as_of, By(asked.by), filters) if asked.by else ([], 0)
    return Summary(
        about=reader.about(_page_of(asked.by), {**query, **day}, as_of=as_of),
        total=_group(whole, metrics),
        by=asked.by,
        groups=groups,
        groups_total=groups_total,
    )


def _groups(
    reader: Reader, metrics: Sequence[Metric], as_of: datetime, by: By, filters: Filters
) -> tuple[list[Group], int]:
    """Return the groups told, and how many there are: of thousands of managers only those told are written out."""
    is_of_people = by not in (By.CAMPAIGN, By.CONTENT_TYPE)
    if any(metric.of is None or (metric.base == Base.ACTIVE_PEOPLE and not is_of_people) for metric in metrics):
        try:
            rows = sorted(answer(reader.scope, Asked(metrics, as_of, by, filters)).rows, key=_by_first)
        except NotAskableError as error:
            raise invalid(str(error)) from None
        return [_group(row, metrics) for row in rows[:MOST_GROUPS]], len(rows)
    first = metrics[0].of

    def place(found: FigureGroup) -> tuple[bool, float, str]:
        value = first(found.totals.net) if first else 0
        number = value.percent if isinstance(value, Rate) else value
        return number is None, number or 0, found.name.casefold()

    groups = figures_by(reader.scope, by, as_of=as_of, filters=filters)
    return [
        Group(
            name=found.name or (str(found.key) if by == By.CONTENT_TYPE else NAMELESS[by]),
            exempt=found.totals.exempt,
            numbers=[
                _number(metric, Cell.of(metric.of(found.totals.net)), Cell.of(metric.of(found.totals.gross)))
                for metric in metrics
                if metric.of
            ],
        )
        for found in sorted(groups, key=place)[:MOST_GROUPS]
    ], len(groups)


def _metrics(names: Iterable[str]) -> list[Metric]:
    try:
        return find(names)
    except UnknownMetricError as error:
        raise invalid(str(error)) from None


def _filters(reader: Reader, asked: ComplianceSummary | ExplainNumber) -> tuple[Any, dict[str, Any]]:
    return reader.filters(
        department=asked.department,
        manager=asked.manager,
        campaign_id=asked.campaign_id,
        content_type=asked.content_type,
    )


def _page_of(by: str | None) -> str:
    return reverse("campaigns") if by in ("campaign", "content_type") else reverse("overview")


def _by_first(row: Row) -> tuple[bool, float, str]:
    value = next(iter(row.values.values())).net.value
    return value is None, value or 0, row.name.casefold()


def _group(row: Row, metrics: Sequence[Metric]) -> Group:
    numbers = [_number(metric, row.values[metric.name].net, row.values[metric.name].gross) for metric in metrics]
    return Group(name=row.name, exempt=row.exempt, numbers=numbers)


def _number(metric: Metric, net: Cell, gross: Cell) -> Number:
    return Number(
        metric=metric.name,
        title=metric.title,
        unit=metric.unit.value,
        value=net.value,
        shown=net.shown,
        numerator=net.numerator,
        denominator=net.denominator,
        gross=gross.shown,
    )


def quarterly_review(reader: Reader, asked: QuarterlyReview) -> Review:
    """Tell how a quarter went: due, completed, on time, late and still open, by department, campaign and content.

    Beside it the same quarter a year before.
    """
    period = _period(reader, asked.quarter)
    filters, query = reader.filters(department=asked.department, manager=asked.manager)
    metrics = _metrics(OF_QUARTER)
    question: dict[str, Any] = {"as_of": period.at, "filters": filters}
    of_quarter = {**question, "first": period.start, "last": period.start}
    before = period.start.replace(year=period.start.year - 1)
    whole = cohorts(reader.scope, **of_quarter)
    earlier = cohorts(reader.scope, **question, first=before, last=before)

    def told(rows: Any) -> list[Number]:
        return [_of_cohort(metric, row.net, row.gross) for row in rows for metric in metrics]

    rows = [row for row in cohorts(reader.scope, **of_quarter, by=By.DEPARTMENT) if row.net.due]
    rows.sort(key=lambda row: (row.net.completion_rate.percent or 0, row.name.casefold()))
    return Review(
        about=reader.about(reverse("review_quarter", args=[period.start.year, period.number]), query, as_of=period.at),
        quarter=quarter_name(period.start),
        days=Day(start=period.start, end=period.end),
        is_running=period.is_running,
        numbers=told(whole),
        year_before=told(earlier),
        exempt=sum(row.exempt for row in whole),
        departments=[
            QuarterGroup(name=str(row.name or NAMELESS[By.DEPARTMENT]), numbers=told([row]))
            for row in rows[:MOST_GROUPS]
        ],
        campaigns=_campaigns_of(reader, period, filters),
    )


def _campaigns_of(reader: Reader, period: Period, filters: Filters) -> list[QuarterCampaign]:
    """Return the campaigns of which something fell due in the quarter, as the review's page has them."""
    selection = select(reader.scope, as_of=period.at, filters=filters)
    if selection is None:
        return []
    begins = local_midnight(period.start, reader.account.zone)
    before, after = counts(selection, By.CAMPAIGN, [begins, period.at], people=DISTINCT)
    metrics = _metrics(OF_CAMPAIGN)
    called = reader.scope.campaigns().in_bulk([key for key in after if isinstance(key, int)])
    found = []
    for key, totals in after.items():
        due = totals.net.due - (before[key].net.due if key in before else NO_COUNTS.due)
        campaign = called.get(key)
        if due <= 0 or campaign is None:
            continue
        numbers = [
            _number(metric, Cell.of(metric.of(totals.net)), Cell.of(metric.of(totals.gross)))
            for metric in metrics
            if metric.of
        ]
        found.append(
            QuarterCampaign(campaign_id=campaign.knowbe4_id, name=campaign.name, due_in_quarter=due, numbers=numbers)
        )
    return sorted(found, key=lambda each: (each.numbers[0].value or 0, each.name.casefold()))[:MOST_GROUPS]


def _period(reader: Reader, text: str | None) -> Period:
    first = _quarter(text)
    if first is None:
        return latest_quarter(reader.scope, as_of=reader.now)
    period = quarter_of(reader.scope, first, as_of=reader.now)
    if period is None:
        raise invalid(f"{quarter_name(first)} has not begun.")
    return period


def _quarter(text: str | None) -> date | None:
    """Return the first day of the quarter that a text names; ToolError 400 for any other text."""
    if not text:
        return None
    match = _QUARTER.fullmatch(text.strip())
    if match is None:
        raise invalid(f"quarter is written like 2026-Q3, not {text!r}.")
    return date(int(match[1]), int(match[2]) * 3 - 2, 1)


def _of_cohort(metric: Metric, net: Any, gross: Any) -> Number:
    of = metric.of_cohort
    return _number(metric, Cell.of(of(net)), Cell.of(of(gross))) if of else _number(metric, Cell(), Cell())


def explain_number(reader: Reader, asked: ExplainNumber) -> Explanation:
    """Explain a number: what it means, its numerator and denominator, and what was left out and why."""
    metric = _metrics([asked.metric])[0] if asked.metric.casefold() != "all" else None
    if metric is None:
        raise invalid(f"Ask about one metric of: {_METRICS}.")
    quarter = _quarter(asked.quarter)
    as_of, day = reader.moment(asked.as_of)
    filters, query = _filters(reader, asked)
    try:
        found = passports.passport(reader.scope, metric.name, as_of=as_of, filters=filters, quarter=quarter)
    except ValueError as error:
        raise invalid(str(error)) from None
    told = f"{quarter.year}-q{(quarter.month + 2) // 3}" if quarter else None
    return Explanation(
        about=reader.about(reverse("passport", args=[metric.name]), {**query, **day, "quarter": told}, as_of=as_of),
        number=_explained(reader, metric, found, filters, as_of),
        meaning=metric.sentence,
        of=metric.base.value,
        counts="people" if found.is_of_people else "enrollments",
        quarter=quarter_name(quarter) if quarter else None,
        known=found.known,
        left_out=[LeftOut(reason=str(left.reason.label), count=left.count) for left in found.left_out],
    )


def _explained(reader: Reader, metric: Metric, found: passports.Passport, filters: Any, as_of: datetime) -> Number:
    if metric.unit == Unit.DAYS:
        report = answer(reader.scope, Asked([metric], as_of, filters=filters))
        pair = report.total.values[metric.name] if report.total else None
        return _number(metric, pair.net if pair else Cell(), pair.gross if pair else Cell())

    def cell(numerator: int, denominator: int) -> Cell:
        value: Value = numerator
        if metric.unit == Unit.PERCENT:
            return Cell.of(Rate(numerator, denominator))
        return Cell.of(value)

    return _number(
        metric,
        cell(found.numerator, found.denominator),
        cell(found.gross_numerator, found.gross_denominator),
    )
