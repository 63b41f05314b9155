"""Accounts: from the environment, with their keys encrypted, and whether KnowBe4 knows them."""

import pytest
from django.db import connection

from sync.keys import KeyUnreadableError
from sync.models import Account
from sync.pipeline.connection import check_connection
from sync.pipeline.run import run_sync
from tests.conftest import BlockedConnectionError


@pytest.fixture
def environment(settings):
    """Set KnowBe4's variables as the environment would."""

    def set_variables(key="s3cret-key", region="us", base_url="", limits=True):
        settings.KNOWBE4_API_KEY, settings.KNOWBE4_REGION = key, region
        settings.KNOWBE4_BASE_URL, settings.KNOWBE4_LIMITS = base_url, limits
        return Account.objects.from_environment()

    return set_variables


@pytest.mark.django_db
def test_without_a_key_there_is_no_account(environment):
    assert environment(key="") is None
    assert not Account.objects.exists()


@pytest.mark.django_db
def test_the_same_place_is_the_same_account(environment):
    first = environment(region="eu")
    again = environment(key="another-key", region="eu")
    assert (first.name, again.pk, again.api_key) == ("KnowBe4 EU", first.pk, "another-key")
    assert (again.requests_per_minute, again.requests_per_second, again.requests_per_day) == (50, 4, 2000)


@pytest.mark.django_db
def test_a_demo_company_never_mixes_with_a_real_one(environment):
    demo = environment(base_url="http://127.0.0.1:8900", limits=False)
    assert (demo.is_demo, demo.requests_per_minute) == (True, None)
    real = environment(region="uk")
    demo.refresh_from_db()
    assert real.pk != demo.pk
    assert not demo.is_sync_enabled, "nobody answers there while the environment names another"
    assert environment(base_url="http://127.0.0.1:8901", limits=False).pk == demo.pk
    demo.refresh_from_db()
    assert demo.is_sync_enabled


@pytest.mark.django_db
def test_limits_that_were_off_come_back(environment):
    environment(base_url="http://127.0.0.1:8900", limits=False)
    again = environment(base_url="http://127.0.0.1:8900")
    assert (again.requests_per_minute, again.requests_per_second, again.requests_per_day) == (50, 4, 2000)


@pytest.mark.django_db
def test_a_key_that_cannot_be_read_is_entered_again(environment, settings):
    environment(key="s3cret-key")
    settings.SECRET_KEY = "another"
    assert environment(key="s3cret-key").api_key == "s3cret-key"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("redis_url")
def test_a_real_key_asks_the_real_host_of_its_region(environment):
    account = environment(region="eu")
    with pytest.raises(BlockedConnectionError, match=r"eu\.api\.knowbe4\.com"):
        run_sync(account, trigger="command")


@pytest.mark.django_db
def test_keys_are_encrypted_and_bound_to_the_secret_key(environment, settings):
    account = environment(key="s3cret-key")
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(a)::text FROM sync_account a")
        assert "s3cret-key" not in cursor.fetchone()[0]
    settings.SECRET_KEY = "another"
    with pytest.raises(KeyUnreadableError, match="SECRET_KEY has changed"):
        _ = Account.objects.get(pk=account.pk).api_key


def test_a_key_that_cannot_be_read_leaves_a_failed_run(connected, settings):
    settings.SECRET_KEY = "another"
    with pytest.raises(KeyUnreadableError):
        run_sync(connected, trigger="schedule")
    failed = connected.runs.get()
    assert (failed.state, failed.error_kind) == ("failed", "KeyUnreadableError")
    assert "Enter the key again" in failed.message


def test_a_good_key_says_whose_it_is(connected, company, now):
    assert check_connection(connected, now=now)
    connected.refresh_from_db()
    seats = company.account(now).number_of_seats
    assert connected.connection_message == f"Connected: Brackwater Mutual, Diamond, {seats:,} seats."
    assert (connected.is_connected, connected.connection_tested_at) == (True, now)


def test_a_bad_key_says_what_to_check(connected):
    connected.api_key = "not-that-one"
    connected.save()
    assert not check_connection(connected)
    assert "check KNOWBE4_API_KEY and the region" in connected.connection_message
    assert "not-that-one" not in connected.connection_message
