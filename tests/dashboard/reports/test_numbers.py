"""The numbers of a report are those of the pages, in the scope of whoever asks."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from dashboard.access import Scope
from dashboard.figures.counts import figures, figures_by
from dashboard.figures.selection import By, Filters
from dashboard.formats import number, percent
from dashboard.local_days import local_midnight
from dashboard.models import Membership
from dashboard.queries.past_due import people_past_due
from dashboard.queries.review import latest_quarter
from dashboard.queries.review import review as read_review
from dashboard.reports import Kind, Question, describe, make
from sync.models import Account, Campaign, Department, Person

pytestmark = pytest.mark.usefixtures("company")


def values(content: dict[str, Any]) -> dict[str, str]:
    return {figure["title"]: figure["value"] for figure in content["figures"]}


def texts(rows: list[list[Any]]) -> list[list[str]]:
    return [[cell if isinstance(cell, str) else cell["text"] for cell in row] for row in rows]


@pytest.fixture
def claims() -> Department:
    return Department.objects.get(name="Claims")


@pytest.fixture
def head(account: Account, claims: Department) -> Scope:
    """Return the scope of the head of Claims."""
    return Scope(
        account=account, roles=frozenset({Membership.Role.DEPARTMENT_HEAD}), department_keys=frozenset({claims.pk})
    )


def test_the_board_report_has_the_figures_of_the_pages(question: Question) -> None:
    document = describe(Kind.BOARD, question)
    assert document is not None
    counts = figures(question.scope, as_of=question.as_of).net
    assert values(document.content) == {
        "Completion rate": percent(counts.completion_rate),
        "On-time rate": percent(counts.on_time_rate),
        "People compliant": percent(counts.people_compliant_rate),
        "People past due": number(counts.people_past_due),
    }
    groups = {
        group.name or "No department": group.totals.net
        for group in figures_by(question.scope, By.DEPARTMENT, as_of=question.as_of)
    }
    rows = texts(document.content["departments"]["table"]["rows"])
    assert rows
    for name, people, completion, on_time, late, _share in rows:
        assert (people, completion, on_time, late) == (
            number(groups[name].people_active),
            percent(groups[name].completion_rate),
            percent(groups[name].on_time_rate),
            number(groups[name].people_past_due),
        )


def test_the_review_has_the_figures_of_its_page(question: Question) -> None:
    document = describe(Kind.REVIEW, question)
    found = read_review(question.scope, latest_quarter(question.scope, as_of=question.as_of))
    assert document is not None
    assert found is not None
    due = found.trend.everybody.due[-1]
    assert values(document.content)["Completion rate"] == percent(due.completion_rate)
    assert values(document.content)["People past due"] == number(found.trend.everybody.stood[-1].people_past_due)
    assert document.title == f"Quarterly review, {found.quarter.quarter}"


def test_the_department_report_lists_everybody_past_due(question: Question, claims: Department) -> None:
    document = describe(Kind.DEPARTMENT, question, subject=claims.pk)
    assert document is not None
    filters = Filters(departments=frozenset({claims.pk}))
    counts = figures(question.scope, as_of=question.as_of, filters=filters).net
    late = people_past_due(question.scope, as_of=question.as_of, filters=filters, limit=1000)
    rows = texts(document.content["people"]["table"]["rows"])
    assert [row[0] for row in rows] == [person.name for person in late]
    assert len(rows) == counts.people_past_due > 0
    assert values(document.content)["People past due"] == number(counts.people_past_due)
    assert sum(int(bar["text"]) for bar in document.content["ageing"]["bars"]) == counts.people_past_due
    assert document.scope == "Department: Claims"


def test_the_campaign_report_has_the_figures_of_its_page(question: Question) -> None:
    campaign = Campaign.objects.get(name="Autumn awareness 2026")
    document = describe(Kind.CAMPAIGN, question, subject=campaign.pk)
    assert document is not None
    counts = figures(question.scope, as_of=question.as_of, filters=Filters(campaigns=frozenset({campaign.pk}))).net
    assert values(document.content)["Completion rate"] == percent(counts.completion_rate)
    assert values(document.content)["Past due"] == number(counts.past_due)
    people = document.content["tables"][1]["table"]
    assert len(people["rows"]) == counts.past_due


def test_the_person_record_has_every_enrollment(question: Question) -> None:
    person = Person.objects.order_by("pk")[0]
    document = describe(Kind.PERSON, question, subject=person.pk)
    assert document is not None
    assert len(document.content["tables"][0]["table"]["rows"]) == person.enrollments.count()
    assert str(person) in document.title


def test_a_head_gets_the_totals_of_the_department(
    account: Account, head: Scope, claims: Department, now: datetime
) -> None:
    question = Question(head, now, now)
    document = describe(Kind.BOARD, question)
    assert document is not None
    counts = figures(head, as_of=now).net
    assert values(document.content)["People past due"] == number(counts.people_past_due)
    assert [row[0] for row in texts(document.content["departments"]["table"]["rows"])] == ["Claims"]
    assert document.title == f"Board report, {head.label}"
    assert "Claims" in document.scope
    assert describe(Kind.DEPARTMENT, question, subject=claims.pk) is not None
    sales = Department.objects.get(name="Sales")
    assert describe(Kind.DEPARTMENT, question, subject=sales.pk) is None
    assert describe(Kind.DEPARTMENT, question, subject=0) is None
    outsider = Person.objects.filter(department=sales)[0]
    assert describe(Kind.PERSON, question, subject=outsider.pk) is None


def test_nobodys_scope_has_no_numbers(account: Account, now: datetime) -> None:
    nobody = Question(Scope(account=account), now, now)
    assert describe(Kind.REVIEW, nobody) is None
    assert describe(Kind.DEPARTMENT, nobody, subject=Department.objects.all()[0].pk) is None
    assert describe(Kind.CAMPAIGN, nobody, subject=Campaign.objects.all()[0].pk) is None
    assert describe(Kind.PERSON, nobody, subject=Person.objects.all()[0].pk) is None


def test_a_past_day_has_its_own_figures(question: Question, text_of: Callable[[bytes], str]) -> None:
    day = question.date - timedelta(days=20)
    as_of = local_midnight(day + timedelta(days=1), question.zone)
    past = Question(question.scope, as_of, question.now, day)
    document = describe(Kind.BOARD, past)
    assert document is not None
    counts = figures(question.scope, as_of=as_of).net
    assert values(document.content)["People past due"] == number(counts.people_past_due)
    made = make(Kind.BOARD, past)
    assert made is not None
    assert f"end of {day.day} {day:%b} {day.year}" in text_of(made.content)
    assert day.isoformat() in made.file_name


def test_every_page_says_what_it_is_of(
    question: Question, claims: Department, text_of: Callable[[bytes], str], program: Callable[..., str]
) -> None:
    made = make(Kind.DEPARTMENT, question, subject=claims.pk)
    assert made is not None
    pages = int(
        next(
            line.split()[1]
            for line in program(made.content, "pdfinfo", "FILE").splitlines()
            if line.startswith("Pages")
        )
    )
    shown = text_of(made.content)
    for page in range(1, pages + 1):
        assert f"Page {page} of {pages}" in shown
    assert shown.count("Department: Claims") >= pages
    short = " ".join(made.data_hash[place : place + 4] for place in range(0, 16, 4))
    assert shown.count(short) == pages
    assert f"Sync {question.account.published_run.number} of" in shown


def test_table_heads_are_on_every_page(question: Question, claims: Department, text_of: Callable[[bytes], str]) -> None:
    document = describe(Kind.DEPARTMENT, question, subject=claims.pk)
    assert document is not None
    rows = document.content["people"]["table"]["rows"]
    document.content["people"]["table"]["rows"] = rows * (120 // len(rows) + 1)
    made = document.rendered()
    assert text_of(made.content).count("Oldest past due") >= 3


def test_the_board_report_is_one_page_whatever_the_names(question: Question, program: Callable[..., str]) -> None:
    for number_, department in enumerate(Department.objects.exclude(key="")):
        department.name = f"{'Wide names 山田 WWWWWWWW ' * 12}{number_}"
        department.save()
    for number_, campaign in enumerate(Campaign.objects.all()):
        campaign.name = f"{'WWWWWWWWWWWWWWWWWWWWWWWW' * 8}{number_}"
        campaign.save()
    made = make(Kind.BOARD, question)
    assert made is not None
    assert "Pages:           1\n" in program(made.content, "pdfinfo", "FILE")


@pytest.mark.parametrize(("kind", "most"), [(Kind.BOARD, 20), (Kind.REVIEW, 12)])
def test_reports_ask_little(
    question: Question, kind: Kind, most: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(most):
        assert describe(kind, question) is not None


def test_reports_about_something_ask_little(
    question: Question, claims: Department, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(20):
        assert describe(Kind.DEPARTMENT, question, subject=claims.pk) is not None
    with django_assert_max_num_queries(12):
        assert describe(Kind.CAMPAIGN, question, subject=Campaign.objects.all()[0].pk) is not None
    with django_assert_max_num_queries(12):
        assert describe(Kind.PERSON, question, subject=Person.objects.all()[0].pk) is not None


def test_a_subject_must_be_named(question: Question) -> None:
    with pytest.raises(ValueError, match="needs a subject"):
        describe(Kind.PERSON, question)
