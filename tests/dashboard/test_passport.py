"""A number's passport as a page and as the panel that opens beside a figure."""

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from dashboard.access import Scope
from dashboard.formats import number, percent
from dashboard.metrics.registry import REGISTRY
from dashboard.models import Membership, User
from dashboard.queries.overview import overview
from sync.models import Account, Campaign, SyncRun
from tests.clock import MOMENT


def address(metric: str = "completion_rate", **query: object) -> str:
    return reverse("passport", args=[metric], query=query or None)


def test_passport_says_what_the_number_is_made_of(as_alice: Client, company: Account, published: SyncRun) -> None:
    now = overview(
        Scope(account=company, roles=frozenset({Membership.Role.SECURITY_MANAGER})), as_of=MOMENT
    ).headline.now
    text = as_alice.get(address()).content.decode()
    assert "<h1" in text
    assert percent(now.completion_rate) in text
    assert number(now.completed) in text
    assert number(now.counted) in text
    assert "Left out: Campaign cancelled" in text
    assert reverse("sync_run", args=[published.pk]) in text
    assert "All departments" in text


def test_passport_opens_beside_a_figure(as_alice: Client, company: Account) -> None:
    response = as_alice.get(address("people_past_due"), headers={"HX-Request": "true", "HX-Target": "passport"})
    text = response.content.decode()
    assert "<html" not in text
    assert "<h2" in text
    assert "People past due" in text
    assert "HX-Target" in response["Vary"]


@pytest.mark.parametrize("metric", REGISTRY)
def test_every_metric_has_a_passport(as_alice: Client, company: Account, metric: str) -> None:
    text = as_alice.get(address(metric)).content.decode()
    assert REGISTRY[metric].title in text


def test_passport_keeps_the_filters_and_says_them(as_alice: Client, company: Account) -> None:
    campaign = Campaign.objects.get(name="Autumn awareness 2026")
    text = as_alice.get(address("counted", campaign=campaign.pk, state="completed")).content.decode()
    assert "Autumn awareness 2026" in text
    assert "<dd>Completed</dd>" in text


def test_passport_of_a_past_day_says_which(as_alice: Client, company: Account, now: datetime) -> None:
    day = now.date() - timedelta(days=10)
    text = as_alice.get(address(as_of=day.isoformat())).content.decode()
    assert "the end of" in text
    assert "You are looking at the past." in text


def test_passport_of_a_quarters_row(as_alice: Client, company: Account) -> None:
    assert "Q3 2026" in as_alice.get(address("on_time_rate", quarter="2026-q3")).content.decode()
    assert as_alice.get(address("on_time_rate", quarter="2026-q5")).status_code == 400
    assert as_alice.get(address("coverage", quarter="2026-q3")).status_code == 400


def test_passport_of_what_no_metric_is(as_alice: Client, company: Account) -> None:
    assert as_alice.get(address("happiness")).status_code == 404
    assert as_alice.get(address(department="x")).status_code == 400


def test_passport_is_for_members(client: Client, company: Account, charlie: User) -> None:
    client.force_login(charlie)
    assert client.get(address()).status_code == 403


@pytest.mark.parametrize("metric", ["completion_rate", "people_compliant", "days_to_complete"])
def test_passport_stays_within_twelve_queries(
    as_alice: Client, company: Account, metric: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(12):
        as_alice.get(address(metric))


def test_passport_of_an_account_without_data(as_alice: Client, account: Account) -> None:
    assert "None was published yet" in as_alice.get(address()).content.decode()
