"""One number, wherever a reader meets it: on the page, in the file, in the PDF, from the report command.

Each is asked for as every kind of reader. What rates are made of is counted again from the exported rows, by the
definitions and not by the product's queries.
"""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from dashboard import rollups
from dashboard.access import Scope
from dashboard.exports import jobs
from dashboard.exports.metric_report.answers import Asked, answer
from dashboard.exports.tables import TABLES
from dashboard.files.jobs import name_of
from dashboard.formats import number, percent
from dashboard.metrics.registry import REGISTRY, find
from dashboard.models import Export, Membership, Role, User
from dashboard.rate import Rate
from dashboard.reports import Kind, Question, describe
from sync.models import Account, Department, Person
from tests import factories
from tests.clock import MOMENT
from tests.dashboard.exports.reading import body, fetch, rows_of_csv

ROLES = ["administrator", "security_manager", "auditor", "department_head", "people_manager"]
# The counts whose rows can be taken along.
COUNTS = ("counted", "completed", "completed_late", "in_progress", "not_started", "due", "on_time", "unknown_due")


@pytest.fixture(params=ROLES)
def reader(request: pytest.FixtureRequest, company: Account, now: datetime) -> User:
    """Return a reader of each role: the head's department is Claims, the manager's people are of all departments."""
    role = Role(request.param)
    people = list(Person.objects.filter(account=company).order_by("pk"))
    chief, second = people[0], people[40]
    for person in people[10:160:10]:
        person.manager, person.manager_email = (chief if person.pk % 2 else second), chief.email
    second.manager = chief
    Person.objects.bulk_update(people, ["manager", "manager_email"])
    rollups.rebuild(company, at=now)
    email = chief.email if role == Role.PEOPLE_MANAGER else "reader@brackwater.example"
    user: User = factories.UserFactory(email=email)
    ends_at = now + timedelta(days=30) if role == Role.AUDITOR else None
    member: Membership = factories.MembershipFactory(user=user, account=company, role=role, ends_at=ends_at)
    if role == Role.DEPARTMENT_HEAD:
        member.departments.add(Department.objects.get(account=company, name="Claims"))
    return user


@pytest.fixture
def as_reader(client: Client, reader: User) -> Client:
    """Return a client signed in as the reader."""
    client.force_login(reader)
    return client


def rows_of(client: Client, table: str, **query: Any) -> list[dict[str, str]]:
    """Return a list's rows with all its columns, by their keys."""
    keys = [column.key for column in TABLES[table].columns]
    response = fetch(client, reverse("export", args=[table], query=query), "csv", column=keys)
    return [dict(zip(keys, row, strict=True)) for row in rows_of_csv(body(response))[1:]]


@pytest.mark.slow
def test_every_number_is_the_same_everywhere(as_reader: Client, reader: User, company: Account, now: datetime) -> None:
    scope = Scope.of(reader)
    metrics = find(REGISTRY)
    told = answer(scope, Asked(metrics, now)).total
    assert told is not None
    values = {name: pair.net for name, pair in told.values.items()}
    people = rows_of(as_reader, "people")
    counted = rows_of(as_reader, "enrollments")
    late = rows_of(as_reader, "past_due_enrollments")

    # Nobody who is not in scope, and everybody who is.
    theirs = set(scope.people().values_list("email", flat=True))
    assert {row["email"] for row in people} == theirs
    assert {row["email"] for row in counted} <= theirs
    assert 0 < len(theirs) <= 160 and (len(theirs) == 160) == scope.sees_everyone

    # Counts: as many rows as the report command says.
    for name in COUNTS:
        assert len(rows_of(as_reader, "enrollments", measure=name)) == values[name].value, name
    assert len(late) == values["past_due"].value > 0
    assert len(rows_of(as_reader, "past_due")) == values["people_past_due"].value > 0
    assert sum(int(row["past_due"]) for row in people) == len(late)
    assert sum(int(row["assigned"]) for row in people) == len(counted)
    assert sum(int(row["completed"]) for row in people) == values["completed"].value
    assert len({row["person_id"] for row in counted}) == values["people_counted"].value
    assert sum(row["active"] == "Yes" for row in people) == values["people_active"].value

    # Rates: counted again from the rows.
    done = [row for row in counted if row["state"] == "Completed"]
    passed = [row for row in counted if row["due_at"] and row["due_at"] <= now.date().isoformat()]
    punctual = [row for row in passed if row["completed_at"] and row["late"] == "No"]
    late_people = {row["person_id"] for row in late}
    for name, numerator, denominator in (
        ("completion_rate", len(done), len(counted)),
        ("on_time_rate", len(punctual), len(passed)),
        ("people_compliant", values["people_counted"].value - len(late_people), values["people_counted"].value),
        ("coverage", sum(row["active"] == "Yes" and row["assigned"] != "0" for row in people), len(theirs)),
    ):
        assert (values[name].numerator, values[name].denominator) == (numerator, denominator), name
    assert percent(Rate(len(done), len(counted))) == values["completion_rate"].shown

    # Pages.
    shown = as_reader.get(reverse("overview")).context["headline"].now
    assert shown.completion_rate == Rate(len(done), len(counted))
    assert shown.people_past_due == len(late_people)
    assert as_reader.get(reverse("past_due"), {"by": "none"}).context["spread"].people == len(late_people)
    assert as_reader.get(reverse("people")).context["page"].paginator.count == len(people)

    # The Board report.
    report = describe(Kind.BOARD, Question(scope, now, now))
    assert report is not None
    assert {figure["title"]: figure["value"] for figure in report.content["figures"]} == {
        "Completion rate": values["completion_rate"].shown,
        "On-time rate": values["on_time_rate"].shown,
        "People compliant": values["people_compliant"].shown,
        "People past due": number(len(late_people)),
    }
    assert report.scope == scope.label


@pytest.mark.slow
def test_lists_by_campaign_and_period_are_the_page_s(as_reader: Client, reader: User, company: Account) -> None:
    lines = as_reader.get(reverse("campaigns")).context["lines"]
    rows = rows_of(as_reader, "campaigns")
    assert [row["campaign"] for row in rows] == [str(line.row.campaign) for line in lines]
    assert [int(row["counted"]) for row in rows] == [line.row.totals.net.counted for line in lines]
    assert [int(row["completed"]) for row in rows] == [line.row.totals.net.completed for line in lines]
    trend = as_reader.get(reverse("trends")).context["trend"]
    due = trend.everybody.due[trend.before :]
    periods = rows_of(as_reader, "trends")
    assert [int(row["due"]) for row in periods] == [cohort.due for cohort in due]
    assert [int(row["on_time"]) for row in periods] == [cohort.on_time for cohort in due]


@pytest.mark.slow
def test_workers_make_files_of_the_same_scope(reader: User, company: Account, settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    scope = Scope.of(reader)
    export = wish(company, reader)
    jobs.make_export(export.pk)
    export.refresh_from_db()
    assert export.state == Export.State.READY, export.error
    found = {row[0] for row in rows_of_csv((tmp_path / name_of(export)).read_bytes())[1:]}
    assert found == set(scope.people().values_list("email", flat=True))


def wish(account: Account, user: User) -> Export:
    """Return a wish of the reader for everybody on the page of people."""
    now: datetime = MOMENT
    parameters = {"query": "", "as_of": now.isoformat(), "past_day": None, "columns": ["email"]}
    return Export.objects.create(
        account=account, user=user, table="people", format="csv", parameters=parameters, requested_at=now
    )
