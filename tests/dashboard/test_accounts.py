"""Accounts: adding, changing, testing and switching them, and the key that is never shown."""

from datetime import datetime, timedelta
from urllib.parse import quote

import pytest
from django.conf import LazySettings
from django.test import Client
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from dashboard.access import Scope
from dashboard.models import Membership, User
from sync.models import Account, SyncRun
from tests import factories
from tests.dashboard.conftest import Queue
from tests.dashboard.secret_keys import use_secret_key
from tests.dashboard.signing_in import sign_in_lately

LIST = {"HX-Request": "true", "HX-Target": "account-list"}
FORM = {
    "name": "Airport Catering",
    "region": "eu",
    "key": "a-secret-key",
    "time_zone": "Europe/Paris",
    "interval": "90",
    "base_url": "",
}


def test_the_list_shows_how_each_account_stands(
    as_ines: Client, account: Account, published: SyncRun, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    account.is_connected, account.connection_message = True, "Connected: Northwind, Diamond, 1,842 seats."
    account.sync_interval = timedelta(minutes=90)
    account.save()
    with django_assert_max_num_queries(12):
        text = as_ines.get("/settings/accounts/").content.decode()
    assert "Connected: Northwind, Diamond, 1,842 seats." in text
    assert "every 90 minutes" in text
    assert "Complete," in text
    assert "hx-trigger" not in text.split('id="account-list"')[1].split(">")[0]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (
            {"state": "failed", "error_kind": "Unauthorized", "message": "KnowBe4 did not accept it."},
            "Key refused: KnowBe4",
        ),
        ({"state": "failed", "error_kind": "Unreachable", "message": "KnowBe4 did not answer."}, "Not tested"),
        ({}, "Connected."),
    ],
    ids=["refused", "not answered", "published"],
)
def test_a_key_that_nobody_tested_is_known_by_the_last_sync(
    as_ines: Client, account: Account, fields: dict[str, str], told: str, now: datetime
) -> None:
    run = factories.SyncRunFactory(account=account, started_at=now - timedelta(minutes=5), finished_at=now, **fields)
    if not fields:
        factories.publish(run)
    assert told in as_ines.get("/settings/accounts/").content.decode()


def test_a_test_after_a_refused_sync_counts(as_ines: Client, account: Account, now: datetime) -> None:
    factories.SyncRunFactory(
        account=account,
        state="failed",
        error_kind="Forbidden",
        message="Not accepted.",
        finished_at=now - timedelta(seconds=5),
    )
    account.is_connected, account.connection_message = True, "Connected: Northwind."
    account.connection_tested_at = now
    account.save()
    text = as_ines.get("/settings/accounts/").content.decode()
    assert "Connected: Northwind." in text
    assert "Key refused" not in text


def test_adding_an_account_tests_its_key_and_makes_the_adder_its_administrator(
    as_ines: Client,
    ines: User,
    account: Account,
    queue: Queue,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    now: datetime,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        response = as_ines.post("/settings/accounts/new/", FORM, follow=True)
    # From the second account on addresses name the one that is looked at.
    named = f"/account-{account.pk}/settings/accounts/"
    assert response.redirect_chain == [("/settings/accounts/", 302), (named, 302)]
    added = Account.objects.get(name="Airport Catering")
    assert (added.region, added.time_zone, added.sync_interval) == ("eu", "Europe/Paris", timedelta(minutes=90))
    assert added.api_key == "a-secret-key"
    assert b"a-secret-key" not in bytes(added.encrypted_key)
    assert queue.tasks() == [("sync.tasks.test_connection", {"account_id": added.pk})]
    assert Scope.of(ines).administered == {account.pk, added.pk}
    assert response.wsgi_request.account == account
    text = response.content.decode()
    assert "Asking KnowBe4 whose key this is." in text
    assert 'hx-trigger="every 1s"' in text
    assert "a-secret-key" not in text
    Account.objects.filter(pk=added.pk).update(
        is_connected=False,
        connection_message="KnowBe4 refuses the key.",
        connection_tested_at=now + timedelta(minutes=1),
    )
    part = as_ines.get(named, headers=LIST).content.decode()
    assert "KnowBe4 refuses the key." in part
    assert "<html" not in part
    assert 'hx-trigger="every 1s"' not in part


def test_the_key_is_never_shown_and_replaced_only_if_typed(as_ines: Client, account: Account, queue: Queue) -> None:
    account.api_key = "the-old-key"
    account.save()
    address = f"/settings/accounts/{account.pk}/"
    text = as_ines.get(address).content.decode()
    assert "the-old-key" not in text
    assert "A key is stored and never shown again." in text
    form = {**FORM, "region": account.region, "key": ""}
    assert as_ines.post(address, form).status_code == 302
    account.refresh_from_db()
    assert (account.name, account.api_key) == ("Airport Catering", "the-old-key")
    assert as_ines.post(address, {**form, "key": " the-new-key "}).status_code == 302
    account.refresh_from_db()
    assert account.api_key == "the-new-key"


@pytest.mark.parametrize("moved", [{"region": "de"}, {"base_url": "https://elsewhere.example"}])
def test_a_key_is_not_sent_to_another_address_unseen(
    as_ines: Client, account: Account, moved: dict[str, str], queue: Queue
) -> None:
    form = {**FORM, "region": account.region, "key": "", **moved}
    response = as_ines.post(f"/settings/accounts/{account.pk}/", form)
    assert "Enter the key again" in response.content.decode()
    account.refresh_from_db()
    assert (account.region, account.base_url) == ("us", "")
    assert as_ines.post(f"/settings/accounts/{account.pk}/", {**form, "key": "typed"}).status_code == 302


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": ""}, "required"),
        ({"name": "Brackwater Mutual"}, "Another account has this name."),
        ({"region": "mars"}, "not one of the available choices"),
        ({"time_zone": "Europe/Atlantis"}, "is not a time zone"),
        ({"time_zone": "localtime"}, "is not a time zone"),
        ({"interval": "5"}, "greater than or equal to 15"),
        ({"base_url": "not an address"}, "valid URL"),
        ({"base_url": "https://ann:pears@proxy.example"}, "without a user or password"),
    ],
)
def test_a_wrong_field_is_said_beside_it(
    as_ines: Client, account: Account, wrong: dict[str, str], sentence: str, queue: Queue
) -> None:
    response = as_ines.post("/settings/accounts/new/", {**FORM, **wrong})
    assert response.status_code == 200
    text = response.content.decode()
    assert sentence in text
    assert 'aria-invalid="true"' in text
    assert "a-secret-key" not in text
    assert Account.objects.count() == 1
    assert queue.tasks() == []


def test_the_region_is_fixed_once_there_is_data(as_ines: Client, account: Account, published: SyncRun) -> None:
    form = {**FORM, "region": "de", "key": ""}
    assert as_ines.post(f"/settings/accounts/{account.pk}/", form).status_code == 302
    account.refresh_from_db()
    assert account.region == "us"


def test_what_the_environment_sets_is_not_changed_here(
    as_ines: Client, account: Account, settings: LazySettings
) -> None:
    settings.KNOWBE4_API_KEY, settings.KNOWBE4_BASE_URL = "not-a-key", ""
    Account.objects.update(is_from_environment=True)
    text = as_ines.get(f"/settings/accounts/{account.pk}/").content.decode()
    assert "come from the environment" in text
    assert 'name="key"' not in text
    assert as_ines.post(f"/settings/accounts/{account.pk}/", {**FORM, "key": "other"}).status_code == 302
    account.refresh_from_db()
    assert (account.name, account.api_key, account.time_zone) == ("Brackwater Mutual", "not-a-key", "Europe/Paris")


def test_a_key_of_another_secret_is_said_everywhere_and_breaks_nothing(
    as_ines: Client, account: Account, published: SyncRun, settings: LazySettings, queue: Queue
) -> None:
    use_secret_key(settings, "another secret than the one that stored the key")
    sign_in_lately(as_ines, User.objects.get(email="ines@brackwater.example"))
    for address in ("/", "/sync/", "/settings/accounts/", f"/settings/accounts/{account.pk}/"):
        response = as_ines.get(address)
        assert response.status_code == 200
        text = response.content.decode()
        assert "SECRET_KEY has changed since it was entered" in text, address
        assert 'action="/sync/start/' not in text
    response = as_ines.post(f"/settings/accounts/{account.pk}/sync/", follow=True)
    assert "has no key to read KnowBe4 with" in response.content.decode()
    assert queue.tasks() == []
    form = {**FORM, "region": account.region}
    assert as_ines.post(f"/settings/accounts/{account.pk}/", {**form, "key": ""}).status_code == 200
    assert as_ines.post(f"/settings/accounts/{account.pk}/", form).status_code == 302
    account.refresh_from_db()
    assert account.api_key == "a-secret-key"


def test_an_account_is_synced_tested_and_switched_off(
    as_ines: Client,
    ines: User,
    account: Account,
    queue: Queue,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    address = f"/settings/accounts/{account.pk}"
    with django_capture_on_commit_callbacks(execute=True):
        assert "is on its way" in as_ines.post(f"{address}/sync/", follow=True).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        as_ines.post(f"{address}/test/")
    assert queue.tasks() == [
        (
            "sync.tasks.sync_account",
            {"account_id": account.pk, "trigger": "person", "requested_by": ines.pk, "full": False},
        ),
        ("sync.tasks.test_connection", {"account_id": account.pk}),
    ]
    assert (
        "is not synced any more" in as_ines.post(f"{address}/enable/", {"enabled": "0"}, follow=True).content.decode()
    )
    account.refresh_from_db()
    assert not account.is_sync_enabled
    assert "syncing is off" in as_ines.get("/sync/").content.decode()
    as_ines.post(f"{address}/enable/", {"enabled": "1"})
    account.refresh_from_db()
    assert account.is_sync_enabled


def test_a_sync_that_runs_is_not_queued_again(as_ines: Client, account: Account, queue: Queue, now: datetime) -> None:
    factories.SyncRunFactory(account=account, state="running", started_at=now)
    response = as_ines.post(f"/settings/accounts/{account.pk}/sync/", follow=True)
    assert "is already running" in response.content.decode()
    assert queue.tasks() == []


def addresses(account: Account) -> list[str]:
    here = f"/settings/accounts/{account.pk}/"
    return [here, f"{here}sync/", f"{here}test/", f"{here}enable/"]


def test_only_administrators_manage_accounts(as_alice: Client, account: Account, queue: Queue) -> None:
    for address in ("/settings/accounts/", "/settings/accounts/new/", f"/settings/accounts/{account.pk}/"):
        assert as_alice.get(address).status_code == 403
    for address in ("/settings/accounts/new/", *addresses(account)):
        assert as_alice.post(address, FORM).status_code == 403
    assert "/settings/accounts/" not in as_alice.get("/").content.decode()
    assert Account.objects.count() == 1
    assert queue.tasks() == []


def test_an_account_one_does_not_administer_is_not_there(as_ines: Client, ines: User, queue: Queue) -> None:
    other = factories.AccountFactory(name="Zephyr")
    for is_member in (False, True):
        if is_member:  # a security manager there: still no administrator
            factories.MembershipFactory(user=ines, account=other)
        assert as_ines.get(f"/settings/accounts/{other.pk}/", follow=True).status_code == 404
        for address in addresses(other):
            assert as_ines.post(address, FORM).status_code == 404
        assert "<h2>Zephyr" not in as_ines.get("/settings/accounts/", follow=True).content.decode()
    assert queue.tasks() == []


# Switching -----------------------------------------------------------------------------------------------------


def test_a_reader_of_several_accounts_switches_between_them(as_alice: Client, alice: User, account: Account) -> None:
    assert "account-menu" not in as_alice.get("/").content.decode()
    zephyr = factories.AccountFactory(name="Zephyr")
    factories.MembershipFactory(user=alice, account=zephyr, role=Membership.Role.ADMINISTRATOR)
    assert "account-menu" in as_alice.get("/", follow=True).content.decode()
    assert as_alice.post(f"/accounts/{zephyr.pk}/switch/")["Location"] == "/"
    response = as_alice.get("/", follow=True)
    assert response.wsgi_request.scope == Scope(account=zephyr, roles=frozenset({"administrator"}))
    as_alice.post(f"/accounts/{account.pk}/switch/")
    assert as_alice.get("/").wsgi_request.scope == Scope(account=account, roles=frozenset({"security_manager"}))


def test_the_chosen_account_is_held_against_the_memberships_each_time(
    as_alice: Client, alice: User, account: Account
) -> None:
    zephyr = factories.AccountFactory(name="Zephyr")
    membership = factories.MembershipFactory(user=alice, account=zephyr)
    as_alice.post(f"/accounts/{zephyr.pk}/switch/")
    membership.delete()
    assert as_alice.get("/").wsgi_request.scope.account == account


def test_an_account_of_others_cannot_be_chosen(as_alice: Client, account: Account) -> None:
    other = factories.AccountFactory(name="Another")
    assert as_alice.post(f"/accounts/{other.pk}/switch/").status_code == 404
    assert as_alice.get(f"/accounts/{account.pk}/switch/").status_code == 405
    session = as_alice.session
    session["account"] = other.pk
    session.save()
    assert as_alice.get("/").wsgi_request.scope.account == account


@pytest.mark.parametrize("chosen", [None, "1", [], 0, -1])
def test_a_chosen_account_that_is_none_is_passed_over(alice: User, account: Account, chosen: object) -> None:
    assert Scope.of(alice, chosen=chosen).account == account


def test_a_request_for_a_sync_stays_with_its_account(as_alice: Client, alice: User, account: Account) -> None:
    zephyr = factories.AccountFactory(name="Zephyr")
    factories.MembershipFactory(user=alice, account=zephyr)
    as_alice.post("/sync/start/")
    assert "about to start" in as_alice.get("/sync/", follow=True).content.decode()
    as_alice.post(f"/accounts/{zephyr.pk}/switch/")
    assert "about to start" not in as_alice.get("/sync/", follow=True).content.decode()


def test_an_account_without_a_key_can_be_added_and_edited(
    as_ines: Client,
    account: Account,
    queue: Queue,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    """A plan without the Reporting API has no key; the console's CSV is then all the account shows."""
    with django_capture_on_commit_callbacks(execute=True):
        response = as_ines.post("/settings/accounts/new/", {**FORM, "key": ""}, follow=True)
    assert response.redirect_chain[-1] == (f"/account-{account.pk}/settings/accounts/", 302)
    assert queue.tasks() == []
    added = Account.objects.get(name=FORM["name"])
    assert bytes(added.encrypted_key) == b""
    assert "No key: imported from the console" in response.content.decode()
    form = {**FORM, "key": "", "time_zone": "Europe/Paris"}
    assert as_ines.post(f"/settings/accounts/{added.pk}/", form).status_code == 302
    added.refresh_from_db()
    assert added.time_zone == "Europe/Paris"


@pytest.mark.parametrize("page", ["new", "own"])
def test_keys_are_changed_by_who_signed_in_lately(client: Client, ines: User, account: Account, page: str) -> None:
    client.force_login(ines)
    address = f"/settings/accounts/{'new' if page == 'new' else account.pk}/"
    for answer in (client.get(address), client.post(address, {"name": "Elsewhere"})):
        assert answer.status_code == 302
        assert answer["Location"] == f"/confirm/?next={quote(address, safe='')}"
    account.refresh_from_db()
    assert account.name == "Brackwater Mutual"
