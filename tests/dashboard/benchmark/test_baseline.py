"""The plain queries count what the pages' own queries count, else the comparison would compare two things."""

import pytest

from dashboard.benchmark import baseline
from dashboard.benchmark.questions import questions, span
from dashboard.benchmark.samples import Asked, Samples
from dashboard.figures.cohorts import cohorts
from dashboard.figures.counts import figures, figures_by
from dashboard.figures.selection import By
from dashboard.queries.past_due import Sort

ASKED_OF_PAIRS = 14


@pytest.fixture
def ways(scope, now):
    """Return now, past days and pairs of filters."""
    samples = Samples(scope, now=now)
    return [Asked(now), *samples.past_days(3), *samples.pairs(ASKED_OF_PAIRS)]


def taken(counts, names):
    return {name: getattr(counts, name) for name in names}


def test_overview_agrees(scope, ways):
    for asked in ways:
        [row] = baseline.overview(scope, asked)
        totals = figures(scope, as_of=asked.as_of, filters=asked.filters)
        assert taken(totals.gross, row) == row, asked


@pytest.mark.parametrize(("by", "key"), [(By.DEPARTMENT, "person__department_id"), (By.CAMPAIGN, "campaign_id")])
def test_groups_agree(scope, ways, by, key):
    # "No department" is the department without a name there, and 0 here.
    departments = scope.departments().filter(key="") if by == By.DEPARTMENT else scope.departments().none()
    nowhere = dict.fromkeys(departments.values_list("pk", flat=True), 0)
    for asked in ways:
        expected = {nowhere.get(row[key], row[key]): row for row in baseline.by(scope, asked, key)}
        expected = {group: {name: row[name] for name in row if name != key} for group, row in expected.items()}
        groups = figures_by(scope, by, as_of=asked.as_of, filters=asked.filters)
        found = {group.key: group.totals.gross for group in groups if group.totals.gross.counted}
        assert {key: taken(counts, expected[key]) for key, counts in found.items()} == expected, asked


def test_lines_agree(scope, ways):
    names = list(baseline.counts(ways[0].as_of))
    for asked in ways:
        expected = {row[0]: dict(zip(names, map(int, row[1:]), strict=True)) for row in baseline.by_line(scope, asked)}
        groups = figures_by(scope, By.MANAGER, as_of=asked.as_of, filters=asked.filters)
        found = {g.key: taken(g.totals.gross, names) for g in groups if g.key in expected}
        assert found == expected, asked


def test_every_question_has_answers(scope, now):
    for question in questions():
        assert question.ask(scope, Asked(now)), question.name
        assert question.baseline(scope, Asked(now)), question.name


@pytest.mark.parametrize("sort", [Sort.DAYS, Sort.ITEMS])
def test_past_due_lists_agree(scope, now, sort):
    question = next(question for question in questions() if question.name == f"past due by {sort}")
    found = [(row.person_id, row.items) for row in question.ask(scope, Asked(now))]
    expected = [(row["person_id"], row["items"]) for row in question.baseline(scope, Asked(now))]
    assert found == expected


def test_trend_agrees(scope, now):
    question = next(question for question in questions() if question.name.startswith("trend"))
    expected = {row["quarter"].date(): (row["due"], row["on_time"]) for row in question.baseline(scope, Asked(now))}
    first, last = span(scope, now)
    rows = cohorts(scope, as_of=now, period=By.QUARTER, first=first, last=last)
    assert {row.start: (row.gross.due, row.gross.on_time) for row in rows if row.gross.due} == expected
