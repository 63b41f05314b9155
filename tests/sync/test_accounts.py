"""Accounts: from the environment, with their keys encrypted, and whether KnowBe4 knows them."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from config.processes import SIMULATOR_KEY
from config.sealing import SecretUnreadableError
from sync.models import Account
from sync.models.account import time_zones
from sync.models.environment import UnknownAccountError, WhichAccountError, describe, place_in_words
from sync.pipeline.connection import check_connection
from sync.pipeline.run import run_sync
from tests.conftest import BlockedConnectionError


@pytest.fixture
def environment(settings):
    """Set KnowBe4's variables as the environment would."""

    def set_variables(key="s3cret-key", region="us", base_url="", limits=True, is_demo=False, name="", **asked):
        settings.KNOWBE4_API_KEY, settings.KNOWBE4_REGION = key, region
        settings.KNOWBE4_BASE_URL, settings.KNOWBE4_LIMITS = base_url, limits
        settings.DEMO_SIGN_INS, settings.LOCAL_MODE, settings.KNOWBE4_ACCOUNT = is_demo, True, name
        described = describe(**asked)
        return described and described.account

    return set_variables


@pytest.mark.django_db
def test_without_a_key_there_is_one_account_without_a_key(environment):
    made = environment(key="")
    assert (made.name, made.api_key, made.is_from_environment) == ("My organization", "", True)
    assert environment(key="").pk == made.pk
    # A key that comes later is this account's: it was read from nowhere.
    connected = environment(region="eu")
    assert (connected.pk, connected.api_key, connected.region) == (made.pk, "s3cret-key", "eu")
    assert environment(key="").api_key == "s3cret-key"


@pytest.mark.django_db
def test_the_same_place_is_the_same_account(environment):
    first = environment(region="eu")
    again = environment(key="another-key", region="eu")
    assert (first.name, again.pk, again.api_key) == ("KnowBe4 EU", first.pk, "another-key")
    assert (again.requests_per_minute, again.requests_per_second, again.requests_per_day) == (50, 4, 2000)


def demo(environment, port=8900):
    return environment(key=SIMULATOR_KEY, base_url=f"http://127.0.0.1:{port}", limits=False, is_demo=True, region="us")


@pytest.mark.django_db
def test_a_demo_company_never_mixes_with_a_real_one(environment):
    made = demo(environment)
    assert (made.name, made.is_demo, made.is_from_environment, made.requests_per_minute) == ("Demo", True, False, None)
    assert environment(key="", is_demo=False) is None, "the demo alone wants no account beside it"
    real = environment(region="uk")
    made.refresh_from_db()
    assert real.pk != made.pk
    assert not made.is_sync_enabled, "nobody answers there while the environment names another"
    assert demo(environment, 8901).pk == made.pk
    made.refresh_from_db()
    assert made.is_sync_enabled
    real.refresh_from_db()
    assert real.is_from_environment


@pytest.mark.django_db
def test_beside_the_demo_an_account_without_a_key_is_made_when_asked_for(environment):
    made = demo(environment)
    own = environment(key="", without_demo=True)
    assert own.pk != made.pk
    assert not own.is_demo


@pytest.mark.django_db
@pytest.mark.parametrize(
    "given",
    [
        {"base_url": "http://127.0.0.1:8900"},
        {"base_url": "http://localhost:8900", "is_demo": True},
        {"base_url": "http://127.0.0.1:8900", "key": SIMULATOR_KEY},
        {"base_url": "https://proxy.example", "key": SIMULATOR_KEY, "is_demo": True},
    ],
)
def test_a_proxy_on_this_machine_is_no_demo(environment, given):
    account = environment(**given)
    assert not account.is_demo
    assert account.is_from_environment
    assert account.name in {"KnowBe4 through 127.0.0.1:8900", "KnowBe4 through localhost:8900", "proxy.example"}


@pytest.mark.django_db
@pytest.mark.parametrize("now", [{"region": "eu"}, {"base_url": "https://proxy.example"}])
def test_another_place_asks_which_account_is_meant(environment, now):
    first = environment(region="us")
    with pytest.raises(WhichAccountError) as raised:
        environment(key="of-elsewhere", **now)
    said = str(raised.value)
    assert "manage.py prepare --move 'KnowBe4 US'" in said
    assert "manage.py prepare --add" in said
    assert "KNOWBE4_ACCOUNT" in said
    first.refresh_from_db()
    assert (first.region, first.base_url, first.api_key) == ("us", "", "s3cret-key")
    assert Account.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("asked", [{"move": "KnowBe4 US"}, {"name": "KnowBe4 US"}])
def test_an_account_moves_and_stays_the_same(environment, asked):
    first = environment(region="us")
    moved = environment(key="of-elsewhere", region="eu", **asked)
    assert (moved.pk, moved.region, moved.api_key) == (first.pk, "eu", "of-elsewhere")
    # From then on the place is the account's own.
    assert environment(key="of-elsewhere", region="eu").pk == first.pk


@pytest.mark.django_db
@pytest.mark.parametrize("asked", [{"add": True}, {"name": "Northwind Europe"}])
def test_another_account_is_added_and_the_first_one_goes_on(environment, asked):
    first = environment(region="us")
    added = environment(key="of-elsewhere", region="eu", **asked)
    assert added.pk != first.pk
    assert added.name == asked.get("name", "KnowBe4 EU")
    first.refresh_from_db()
    assert (first.is_from_environment, first.is_sync_enabled, first.api_key) == (False, True, "s3cret-key")
    # Repeated it adds no third one, and a place with its very key says by itself which account is meant.
    assert environment(key="of-elsewhere", region="eu", **asked).pk == added.pk
    assert environment(region="us").pk == first.pk
    assert Account.objects.count() == 2


@pytest.mark.django_db
def test_what_became_of_both_is_told(environment, settings):
    environment(region="us")
    settings.KNOWBE4_API_KEY, settings.KNOWBE4_REGION = "of-elsewhere", "eu"
    assert describe(add=True).said == [
        "The environment now describes KnowBe4 EU. KnowBe4 US keeps its data and its key and goes on being synced: "
        "change that under Accounts."
    ]
    settings.KNOWBE4_REGION = "de"
    assert describe(move="KnowBe4 EU").said == [
        "KnowBe4 EU is read from region de from now on, before it was region eu; its history stays."
    ]
    with pytest.raises(
        UnknownAccountError, match="There is no account named 'Acme'; there are: KnowBe4 EU, KnowBe4 US"
    ):
        describe(move="Acme")


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", "s3cret-key"])
def test_an_account_of_the_demos_name_is_refused(environment, key):
    demo(environment)
    with pytest.raises(UnknownAccountError, match="KNOWBE4_ACCOUNT is 'Demo', the name of the demo's account"):
        environment(key=key, name="Demo")
    assert Account.objects.count() == 1


@pytest.mark.django_db
def test_without_a_key_names_are_heeded(environment, settings):
    environment(key="s3cret-key")
    other = Account.objects.create(name="Northwind Bank")
    assert environment(key="", name="Northwind Bank").pk == other.pk
    with pytest.raises(UnknownAccountError, match="KNOWBE4_API_KEY is not set"):
        environment(key="", move="Acme")
    settings.KNOWBE4_ACCOUNT = "Acme"
    assert describe().said == [
        "KNOWBE4_ACCOUNT is not heeded. There is no account named 'Acme'; there are: KnowBe4 US, Northwind Bank."
    ]


def test_places_are_told_apart_and_show_no_password():
    proxy = "https://ann:pears@proxy.example:8443/one"
    assert place_in_words("us", proxy) == "proxy.example:8443"
    assert place_in_words("us", proxy, apart_from="https://proxy.example:8443/two") == "https://proxy.example:8443/one"
    assert place_in_words("us", "", apart_from=proxy) == "region us"


@pytest.mark.django_db(transaction=True)
def test_of_several_starts_at_once_each_finds_the_same_account(settings):
    settings.KNOWBE4_API_KEY, settings.KNOWBE4_REGION, settings.KNOWBE4_BASE_URL = "s3cret-key", "us", ""
    settings.KNOWBE4_ACCOUNT, settings.DEMO_SIGN_INS = "", False
    barrier = Barrier(4)

    def start(_number):
        barrier.wait(timeout=20)
        try:
            return describe().account.pk
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(start, range(4)))) == 1
    assert Account.objects.count() == 1


@pytest.mark.django_db
def test_an_account_of_before_it_was_remembered_is_found(environment):
    old = Account.objects.create(name="KnowBe4 EU", region="eu")
    Account.objects.create(name="Added by hand", region="eu")
    assert environment(region="eu").pk == old.pk
    assert Account.objects.count() == 2


@pytest.mark.django_db
def test_time_zones_are_known_to_the_database():
    names = time_zones()
    assert {"Europe/Berlin", "UTC"} < set(names)
    assert "localtime" not in names
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(now() AT TIME ZONE name) FROM unnest(%s::text[]) AS name", [list(names)])
        assert cursor.fetchone() == (len(names),)


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
    with pytest.raises(SecretUnreadableError, match="SECRET_KEY has changed"):
        _ = Account.objects.get(pk=account.pk).api_key


def test_a_key_that_cannot_be_read_leaves_a_failed_run(connected, settings):
    settings.SECRET_KEY = "another"
    with pytest.raises(SecretUnreadableError):
        run_sync(connected, trigger="schedule")
    failed = connected.runs.get()
    assert (failed.state, failed.error_kind) == ("failed", "SecretUnreadableError")
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
