"""The pages before the first data: the same steps on each, by what is known of the key."""

from datetime import datetime

import pytest
from django.test import Client

from sync.models import Account
from tests import factories

PAGES = {"/": "Overview", "/past-due/": "Past due", "/campaigns/": "Campaigns"}
START = "Start the first sync</button>"


@pytest.mark.parametrize("address", PAGES)
def test_without_a_key_every_page_says_how_to_connect(as_ines: Client, account: Account, address: str) -> None:
    Account.objects.filter(pk=account.pk).update(encrypted_key=b"")
    text = as_ines.get(address).content.decode()
    assert f"<h1>{PAGES[address]}</h1>" in text
    assert f"<title>{PAGES[address]} · Rollcall</title>" in text
    assert "Make a key in KnowBe4" in text
    assert "Import a CSV" in text
    assert "A key is stored" not in text
    assert "/sync/start/" not in text


@pytest.mark.parametrize("address", PAGES)
def test_a_refused_key_is_asked_for_again(as_ines: Client, account: Account, now: datetime, address: str) -> None:
    factories.SyncRunFactory(
        account=account,
        state="failed",
        error_kind="Unauthorized",
        message="KnowBe4 did not accept the key at us.api.knowbe4.com.",
        started_at=now,
        finished_at=now,
    )
    text = as_ines.get(address).content.decode()
    assert "the second step is to be done again" in text
    assert "Key refused: KnowBe4 did not accept the key at us.api.knowbe4.com." in text
    assert 'name="key"' in text
    assert "KnowBe4 is connected" not in text
    assert START not in text


@pytest.mark.parametrize("address", PAGES)
def test_a_stored_key_awaits_its_first_sync(as_ines: Client, account: Account, address: str) -> None:
    text = as_ines.get(address).content.decode()
    assert "A key is stored; the first sync has still to run." in text
    assert START in text


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true", "HX-Target": "sync-status"}], ids=["page", "htmx"])
def test_no_sync_starts_without_a_key(as_ines: Client, account: Account, headers: dict[str, str]) -> None:
    Account.objects.filter(pk=account.pk).update(encrypted_key=b"")
    text = as_ines.post("/sync/start/", headers=headers, follow=True).content.decode()
    assert "There is no key to read KnowBe4 with: enter one, or import a CSV." in text
    assert "on its way" not in text
    assert "Waiting for a worker" not in text


def test_the_sign_in_page_names_the_first_administrators_link(client: Client, account: Account) -> None:
    text = client.get("/sign-in/").content.decode()
    assert "open the link that was printed where Rollcall was started" in text
    assert "manage.py invite" in text
    factories.MembershipFactory(account=account, role="administrator")
    text = client.get("/sign-in/").content.decode()
    assert "can invite you" in text
    assert "manage.py invite" not in text
