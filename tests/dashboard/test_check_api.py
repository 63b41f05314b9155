"""The page of an account's API check: asked for, awaited, shown, and downloaded by administrators alone."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks

from dashboard.models import User
from dashboard.pages.check_api import CHECKS
from sync.models import Account, ApiCheck
from tests import factories
from tests.dashboard.conftest import Queue

PART = {"HX-Request": "true", "HX-Target": "api-check"}
REPORT = {
    "outcome": "read",
    "requests": 28,
    "surprises": [
        {"effect": "stops", "sentence": "The key may not read recipients (403): Rollcall stops the sync there."},
        {"effect": "read", "sentence": "Dates come with no zone <b>: Rollcall takes them for UTC."},
    ],
}
MESSAGE = "KnowBe4 differs in 2 ways from what Rollcall expects; a sync will not be published."


@pytest.fixture
def address(account: Account) -> str:
    account.api_key = "a-secret-key"
    account.save()
    return f"/settings/accounts/{account.pk}/check/"


def test_before_the_first_check_there_is_nothing_to_download(as_ines: Client, address: str) -> None:
    text = as_ines.get(address).content.decode()
    assert "The API was not checked yet." in text
    assert "check/file/" not in text
    assert as_ines.get(f"{address}file/").status_code == 404
    assert address in as_ines.get("/settings/accounts/").content.decode()


def test_a_check_is_asked_for_and_shown_once_a_worker_has_made_it(
    as_ines: Client,
    account: Account,
    address: str,
    queue: Queue,
    now: datetime,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    kept = ApiCheck.objects.create(
        account=account, finished_at=now - timedelta(days=1), message="As expected.", report={"outcome": "read"}
    )
    with django_capture_on_commit_callbacks(execute=True):
        text = as_ines.post(address, follow=True).content.decode()
    assert queue.tasks() == [("sync.tasks.check_api", {"account_id": account.pk})]
    assert "Asking KnowBe4 for two rows of everything." in text
    assert 'hx-trigger="every 1s"' in text
    assert "As expected." not in text

    session = as_ines.session
    asked_at = datetime.fromisoformat(session[CHECKS][str(account.pk)])
    session[CHECKS] = {str(account.pk): (asked_at - timedelta(seconds=40)).isoformat()}
    session.save()
    assert "Celery worker has to run" in as_ines.get(address, headers=PART).content.decode()

    kept.finished_at, kept.message, kept.report = asked_at, MESSAGE, REPORT
    kept.save()
    part = as_ines.get(address, headers=PART).content.decode()
    assert "<html" not in part
    assert "hx-trigger" not in part
    assert MESSAGE in part
    assert part.index("The key may not read recipients (403)") < part.index("no zone &lt;b&gt;")
    assert "with 28 requests" in part


def test_one_check_at_a_time_whoever_asks(
    as_ines: Client,
    account: Account,
    address: str,
    queue: Queue,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(5):
            as_ines.post(address)
        session = as_ines.session
        asked_at = datetime.fromisoformat(session.pop(CHECKS)[str(account.pk)])
        session.save()
        # As somebody else, who asked for none.
        text = as_ines.post(address, follow=True).content.decode()
    assert len(queue.tasks()) == 1
    assert "Asking KnowBe4 for two rows of everything." in text
    ApiCheck.objects.create(account=account, finished_at=asked_at + timedelta(seconds=1), message="As expected.")
    with django_capture_on_commit_callbacks(execute=True):
        as_ines.post(address)
    assert len(queue.tasks()) == 2


def test_checks_have_a_limit(as_ines: Client, address: str, queue: Queue, settings: Any) -> None:
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"api_check": (2, 10**9)}
    assert [as_ines.post(address).status_code for _ in range(3)] == [302, 302, 429]
    assert as_ines.get(address).status_code == 200


def test_the_report_is_a_file(as_ines: Client, account: Account, address: str, now: datetime) -> None:
    ApiCheck.objects.create(account=account, finished_at=now, message=MESSAGE, report=REPORT)
    response = as_ines.get(f"{address}file/")
    assert response["Content-Disposition"] == 'attachment; filename="knowbe4-check-2026-11-23.json"'
    assert json.loads(response.content) == REPORT


def test_without_a_key_nothing_is_asked(as_ines: Client, account: Account, queue: Queue) -> None:
    account.api_key = ""
    account.save()
    text = as_ines.post(f"/settings/accounts/{account.pk}/check/", follow=True).content.decode()
    assert "has no key to read KnowBe4 with" in text
    assert "There is no key to ask KnowBe4 with." in text
    assert queue.tasks() == []


@pytest.mark.parametrize("path", ["", "file/"])
def test_only_administrators_of_the_account_see_it(
    as_ines: Client, client: Client, charlie: User, alice: User, address: str, now: datetime, path: str
) -> None:
    other = factories.AccountFactory(name="Somebody else's")
    ApiCheck.objects.create(account=other, finished_at=now, message="Theirs.", report=REPORT)
    assert as_ines.get(f"/settings/accounts/{other.pk}/check/{path}").status_code == 404
    assert as_ines.post(f"/settings/accounts/{other.pk}/check/").status_code == 404
    for user in (alice, charlie):
        client.force_login(user)
        assert client.get(address + path).status_code == 403
