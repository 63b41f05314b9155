"""The table of queries: one figure for each question and way to ask it, and what a percentile is."""

import json

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from dashboard.benchmark import queries
from dashboard.benchmark.questions import questions
from sync.models import Account
from tests.dashboard.benchmark.conftest import filled


@pytest.fixture
def account(db: None) -> Account:
    """Return a filled account of the test's own: these commit."""
    return filled()


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [([1.0], 95, 1.0), (list(range(1, 101)), 95, 95), (list(range(1, 41)), 95, 38), ([3.0, 1.0, 2.0], 50, 2.0)],
)
def test_percentile(values, percent, expected):
    assert queries.percentile(values, percent) == expected


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_every_question_is_measured_in_three_ways(account, now):
    said = []

    figures = queries.measure_queries(account, now=now, say=said.append, runs=3, plain_runs=1)

    count, *measured = figures
    assert (count.name, count.value > 1_000) == ("queries: enrollments", True)
    assert [figure.name for figure in measured] == [
        f"{question.name}{way}" for question in questions() for way in ("", ", two filters", ", a past day")
    ]
    for figure in measured:
        assert figure.value > 0
        assert figure.unit == "ms"
        assert figure.beside["runs"] == 3
        assert figure.beside["times as long"] > 0
    goals = {figure.name: figure.at_most for figure in measured}
    assert goals["overview figures"] == 10
    assert goals["department by quarter, a past day"] == 40


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_goals_of_many_enrollments(account, now, monkeypatch):
    monkeypatch.setattr(queries, "MANY", 1_000)

    figures = queries.measure_queries(account, now=now, say=lambda _: None, runs=1, plain_runs=1)

    assert {figure.name: figure.at_most for figure in figures}["by manager, whole lines"] == 45


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_command_queries_what_is_filled(account, capsys):
    call_command("benchmark", only="queries", runs=1, json=True)

    figures = json.loads(capsys.readouterr().out)
    assert figures[0]["name"] == "queries: enrollments"
    assert set(figures[1]) == {"name", "value", "unit", "at_least", "at_most", "met", "beside"}


@pytest.mark.django_db
def test_command_with_nothing_filled():
    with pytest.raises(CommandError, match="Nothing is filled"):
        call_command("benchmark", only="queries")


@pytest.mark.django_db
def test_command_with_unknown_account():
    with pytest.raises(CommandError, match="no account named 'Nowhere'"):
        call_command("benchmark", only="queries", account="Nowhere")
