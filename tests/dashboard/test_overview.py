"""The Overview: its figures, its states, its cost."""

from django.test import Client
from pytest_django import DjangoAssertNumQueries

from sync.models import Account, SyncRun


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


def test_overview_of_an_empty_published_account_says_so(as_alice: Client, published: SyncRun) -> None:
    text = as_alice.get("/").content.decode()
    assert "Nobody is enrolled in training that counts" in text
    assert "KnowBe4 has no training campaign" in text
