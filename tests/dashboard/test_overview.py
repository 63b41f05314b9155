"""The Overview: its figures, its states, its cost."""

from datetime import datetime, timedelta

import pytest
from django.db.models import Count
from django.template.loader import render_to_string
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from dashboard import metrics
from dashboard.local_days import local_midnight
from dashboard.models import User
from dashboard.rollups import rebuild
from sync.models import Account, Enrollment, Person, SyncRun
from tests import factories


def test_overview_shows_the_figures(as_alice: Client, company: Account) -> None:
    response = as_alice.get("/")
    assert response.status_code == 200
    text = response.content.decode()
    assert "people are past due" in text
    assert "Autumn awareness 2026" in text
    assert "Customer Service" in text
    assert "No department" in text
    assert "Data as of" in text
    assert "complete sync" in text


def test_overview_stays_within_twelve_queries(
    as_alice: Client, company: Account, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(12):
        as_alice.get("/")


def test_overview_of_a_past_day_counts_what_was_then(
    as_alice: Client, company: Account, django_assert_max_num_queries: DjangoAssertNumQueries, now: datetime
) -> None:
    day = now.astimezone(company.zone).date() - timedelta(days=20)
    with django_assert_max_num_queries(12):
        response = as_alice.get("/", {"as_of": day.isoformat()})
    text = response.content.decode()
    assert "You are looking at the past." in text
    end = local_midnight(day + timedelta(days=1), company.zone)
    late = Enrollment.objects.filter(metrics.counted(end), metrics.past_due(end)).values("person").distinct().count()
    assert late > 0
    assert f"{late} people are past due" in text
    assert f"/past-due/?as_of={day.isoformat()}" in text


def test_overview_leads_to_the_rows_behind_its_numbers(as_alice: Client, company: Account) -> None:
    text = as_alice.get("/").content.decode()
    claims = company.department_set.get(name="Claims")
    for address in (
        "/past-due/",
        "/past-due/?age=15-30&amp;by=none",
        f"/past-due/?department={claims.pk}",
        f"/people/?department={claims.pk}",
        "/campaigns/",
        "/numbers/completion_rate/",
    ):
        assert f'href="{address}"' in text


def test_overview_names_the_managers_to_ask(as_alice: Client, company: Account, now: datetime) -> None:
    text = as_alice.get("/").content.decode()
    assert "No manager has anyone past due" in text
    people = list(Person.objects.filter(account=company).order_by("pk"))
    for manager, reports in ((people[0], people[1:20]), (people[21], people[22:30])):
        Person.objects.filter(pk__in=[person.pk for person in reports]).update(manager=manager)
    end = now
    rebuild(company, at=end)
    late = Enrollment.objects.filter(metrics.counted(end), metrics.past_due(end), person__manager__isnull=False)
    teams = dict(late.order_by().values_list("person__manager").annotate(Count("person", distinct=True)))
    text = as_alice.get("/").content.decode()
    panel = text.split('id="managers"')[1].split("</section>")[0]
    assert len(teams) == 2
    for manager, count in teams.items():
        assert f'href="/past-due/?by=none&amp;manager={manager}&amp;direct=1">{count}</a>' in panel
    assert "Customer Service" in panel
    assert "Past due, 13 weeks" in text
    assert text.count('class="spark"') > 4


def test_overview_cuts_long_lists_and_leads_to_the_rest(
    as_alice: Client, company: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.pages.overview.MOST_CAMPAIGNS", 2)
    monkeypatch.setattr("dashboard.pages.overview.FIRST_CAMPAIGNS", 1)
    text = as_alice.get("/").content.decode()
    assert "All 6 campaigns" in text
    assert text.count("data-campaign=") == 1


def test_overview_of_an_empty_published_account_says_so(as_alice: Client, published: SyncRun) -> None:
    text = as_alice.get("/").content.decode()
    assert "Nobody is enrolled in training that counts" in text
    assert "KnowBe4 has no training campaign" in text


def test_signing_in_lands_on_the_overview_without_a_message(client: Client, alice: User, published: SyncRun) -> None:
    response = client.post("/sign-in/", {"login": alice.email, "password": factories.PASSWORD}, follow=True)
    assert response.redirect_chain == [("/", 302)]
    assert "signed in as" not in response.content.decode()


def test_nobody_signs_up_alone(client: Client, account: Account) -> None:
    assert "by invitation" in client.get("/sign-up/").content.decode()
    client.post("/sign-up/", {"email": "eve@elsewhere.example", "password1": "x" * 20, "password2": "x" * 20})
    assert not User.objects.filter(email="eve@elsewhere.example").exists()


def test_errors_have_pages_of_their_own(as_alice: Client, alice: User) -> None:
    missing = as_alice.get("/no/such/page/")
    assert missing.status_code == 404
    assert "There is nothing here that you can see." in missing.content.decode()
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    forged = strict.post("/sync/start/")
    assert forged.status_code == 403
    assert "The form was too old to be safe." in forged.content.decode()


@pytest.mark.parametrize("name", ["400.html", "500.html", "503.html"])
def test_pages_for_the_worst_need_neither_database_nor_request(name: str) -> None:
    assert "Rollcall" in render_to_string(name)
