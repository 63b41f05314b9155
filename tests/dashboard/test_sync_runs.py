"""One sync's page, and the decision about a held one."""

from datetime import datetime, timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from dashboard.pages.sync_runs import list_words
from sync.models import Account, Change, QuarantinedRow, SyncRun
from sync.pipeline.stopping import StopAskedError
from tests import factories
from tests.clock import MOMENT
from tests.dashboard.conftest import Queue

MESSAGE = "Enrollments fell from 61,204 to 3."
DONE = {"person": {"title": "People", "rows": 3, "requests": 1, "state": "done", "position": 0}}


@pytest.fixture
def held(account: Account, published: SyncRun, now: datetime) -> SyncRun:
    """Return a run that the checks held, later than the published one."""
    return factories.SyncRunFactory(
        account=account,
        state="held",
        phase="check",
        message=MESSAGE,
        resources=DONE,
        started_at=now - timedelta(minutes=3),
    )


def test_every_page_says_that_a_sync_is_held_and_why(as_alice: Client, held: SyncRun) -> None:
    for address in ("/", "/sync/", f"/sync/runs/{held.pk}/", "/sync/vanished/", "/sync/changes/"):
        text = as_alice.get(address).content.decode()
        assert "Showing data of" in text, address
        assert "was held:" in text
        assert "enrollments fell from 61,204 to 3." in text


def test_an_administrator_decides_on_the_sync_page(as_ines: Client, held: SyncRun) -> None:
    for address in ("/sync/", f"/sync/runs/{held.pk}/"):
        text = as_ines.get(address).content.decode()
        assert f'action="/sync/runs/{held.pk}/resolve/"' in text
        assert 'value="publish"' in text
        assert 'value="discard"' in text
    assert ">Decide</a>" in as_ines.get("/").content.decode()


def test_others_see_who_can_decide(as_alice: Client, held: SyncRun) -> None:
    text = as_alice.get("/sync/").content.decode()
    assert "An administrator can publish it all the same" in text
    assert "resolve" not in text


@pytest.mark.parametrize("decision", ["publish", "discard"])
def test_a_decision_is_queued_with_its_reason(
    as_ines: Client,
    ines: object,
    held: SyncRun,
    queue: Queue,
    decision: str,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    now: datetime,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        response = as_ines.post(
            f"/sync/runs/{held.pk}/resolve/", {"decision": decision, "reason": " We removed them. "}, follow=True
        )
    assert response.redirect_chain == [("/sync/", 302)]
    assert queue.tasks() == [
        (
            "sync.tasks.resolve_run",
            {
                "run_id": held.pk,
                "publish": decision == "publish",
                "reason": "We removed them.",
                "user_id": response.wsgi_request.user.pk,
            },
        )
    ]
    text = response.content.decode()
    assert f"The held sync is being {'published' if decision == 'publish' else 'discarded'}." in text
    assert 'hx-trigger="every 1s"' in text
    assert "resolve" not in text
    SyncRun.objects.filter(pk=held.pk).update(state="discarded", resolved_at=now, resolution="Because.")
    text = as_ines.get("/sync/").content.decode()
    assert "is being" not in text
    assert "Because." in text


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"decision": "publish", "reason": "  "}, "a reason is needed"),
        ({"decision": "publish"}, "a reason is needed"),
        ({"reason": "Because."}, "Choose whether"),
        ({"decision": "delete", "reason": "Because."}, "Choose whether"),
    ],
)
def test_a_decision_needs_a_reason_and_a_choice(
    as_ines: Client, held: SyncRun, queue: Queue, form: dict[str, str], sentence: str
) -> None:
    response = as_ines.post(f"/sync/runs/{held.pk}/resolve/", form, follow=True)
    assert response.redirect_chain == [(f"/sync/runs/{held.pk}/", 302)]
    assert sentence in response.content.decode()
    assert queue.tasks() == []


@pytest.mark.parametrize(
    "fields",
    [
        {"error_kind": "PagingBroken"},
        {"resources": {"person": {**DONE["person"], "state": "reading"}}},
    ],
)
def test_a_list_that_did_not_end_cannot_be_published(
    as_ines: Client, held: SyncRun, queue: Queue, fields: dict[str, object]
) -> None:
    SyncRun.objects.filter(pk=held.pk).update(**fields)
    text = as_ines.get(f"/sync/runs/{held.pk}/").content.decode()
    assert 'value="publish"' not in text
    assert 'value="discard"' in text
    response = as_ines.post(f"/sync/runs/{held.pk}/resolve/", {"decision": "publish", "reason": "Go on."}, follow=True)
    assert "cannot be published" in response.content.decode()
    assert queue.tasks() == []


def test_only_an_administrator_of_the_account_decides(as_alice: Client, held: SyncRun, queue: Queue) -> None:
    form = {"decision": "publish", "reason": "Because."}
    assert as_alice.post(f"/sync/runs/{held.pk}/resolve/", form).status_code == 403
    assert as_alice.get(f"/sync/runs/{held.pk}/resolve/").status_code == 405
    assert queue.tasks() == []


def test_another_accounts_run_is_not_there(as_ines: Client, queue: Queue) -> None:
    other = factories.SyncRunFactory(account=factories.AccountFactory(name="Another"), state="held")
    assert as_ines.get(f"/sync/runs/{other.pk}/").status_code == 404
    form = {"decision": "discard", "reason": "Because."}
    assert as_ines.post(f"/sync/runs/{other.pk}/resolve/", form).status_code == 404
    assert as_ines.get(f"/sync/changes/?run={other.pk}").status_code == 404


def test_a_run_decided_meanwhile_is_left_alone(as_ines: Client, held: SyncRun, queue: Queue) -> None:
    SyncRun.objects.filter(pk=held.pk).update(state="discarded")
    form = {"decision": "publish", "reason": "Because."}
    response = as_ines.post(f"/sync/runs/{held.pk}/resolve/", form, follow=True)
    assert "Nothing to decide any more" in response.content.decode()
    assert queue.tasks() == []


def test_the_run_history_tells_who_decided_and_why(
    as_alice: Client, ines: object, held: SyncRun, now: datetime
) -> None:
    SyncRun.objects.filter(pk=held.pk).update(
        state="published",
        published_at=now,
        resolved_by=ines,
        resolved_at=now,
        resolution="The branch was sold.",
    )
    for address in ("/sync/", f"/sync/runs/{held.pk}/"):
        text = as_alice.get(address).content.decode()
        assert "Published all the same by Ines Halloran" in text
        assert "The branch was sold." in text
        assert "nothing shrank" not in text.split("Publish</span>")[0].split("Check</span>")[-1]


def test_the_run_page_shows_plan_steps_changes_and_rows_set_aside(
    as_alice: Client, account: Account, published: SyncRun, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    person = factories.PersonFactory(account=account, first_name="Nadia", last_name="Coldwell")
    published.plan = {
        "kind": "quick",
        "total": 41,
        "requests": {"people": 2, "enrollments": 39},
        "campaign_ids": [1, 2],
    }
    published.resources = DONE
    published.save()
    Change.objects.create(
        account=account,
        run=published,
        observed_at=published.published_at,
        subject=Change.Subject.PERSON,
        subject_id=person.pk,
        field="department_name",
        old="Sales",
        new="Claims",
    )
    QuarantinedRow.objects.create(
        account=account,
        run=published,
        list_key="enrollments:791599",
        reason="Expected int",
        raw='{"enrollment_id":"x"}',
    )
    with django_assert_max_num_queries(12):
        text = as_alice.get(f"/sync/runs/{published.pk}/").content.decode()
    assert "It set out to read 2 campaigns" in text
    assert "Requests planned</dt><dd>41" in text
    assert "Nadia Coldwell" in text
    assert "Sales" in text
    assert "Claims" in text
    assert "1 row could not be read and was set aside" in text
    assert "Enrollments, campaign 791599" in text
    assert "{&quot;enrollment_id&quot;:&quot;x&quot;}" in text


@pytest.mark.parametrize("target", ["change-list", "set-aside"])
def test_the_lists_of_the_run_page_come_alone(as_alice: Client, published: SyncRun, target: str) -> None:
    headers = {"HX-Request": "true", "HX-Target": target}
    text = as_alice.get(f"/sync/runs/{published.pk}/", headers=headers).content.decode()
    assert f'id="{target}"' in text
    assert "<html" not in text


@pytest.mark.parametrize("state", ["running", "published", "held", "failed", "paused", "discarded"])
def test_the_run_page_has_words_for_every_state(as_alice: Client, account: Account, state: str, now: datetime) -> None:
    run = factories.SyncRunFactory(account=account, state=state, message=MESSAGE, started_at=now)
    text = as_alice.get(f"/sync/runs/{run.pk}/").content.decode()
    words = {"published": "was published", "running": "is running", "failed": "failed", "paused": "is paused"}
    assert f"This sync {words.get(state, f'was {state}' if state == 'discarded' else f'is {state}')}" in text


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("users:active", "People, active"),
        ("recipients:12", "Phishing results, test 12"),
        ("policies", "Policies"),
        ("console", "The uploaded file"),
        ("new_list", "New list"),
    ],
)
def test_lists_are_named_in_words(key: str, words: str) -> None:
    assert list_words(key) == words


@pytest.fixture
def at_work(account: Account, published: SyncRun, now: datetime) -> SyncRun:
    """Return a sync that is reading."""
    return factories.SyncRunFactory(
        account=account,
        state="running",
        phase="fetch",
        resources={"person": {**DONE["person"], "state": "reading"}},
        started_at=now - timedelta(minutes=1),
        heartbeat_at=now,
    )


def test_a_sync_at_work_can_be_stopped(as_alice: Client, alice: object, at_work: SyncRun) -> None:
    for address in ("/sync/", f"/sync/runs/{at_work.pk}/"):
        assert "Stop this run" in as_alice.get(address).content.decode()
    response = as_alice.post(f"/sync/runs/{at_work.pk}/resolve/", {"decision": "stop"}, follow=True)
    assert response.redirect_chain == [("/sync/", 302)]
    text = response.content.decode()
    assert "The sync is being stopped." in text
    assert "Stop this run" not in text
    at_work.refresh_from_db()
    assert (at_work.state, at_work.resolved_by) == ("running", alice)
    assert "Stopping" in as_alice.get("/").content.decode()


def test_a_stopped_sync_says_who_stopped_it(as_alice: Client, alice: object, at_work: SyncRun, now: datetime) -> None:
    SyncRun.objects.filter(pk=at_work.pk).update(
        state="discarded",
        error_kind=StopAskedError.__name__,
        resolved_by=alice,
        resolved_at=now,
        finished_at=now,
        message="Stopped by hand while reading people; what it had read is dropped.",
    )
    text = as_alice.get("/sync/").content.decode()
    assert "The latest sync was stopped." in text
    assert "Stopped by Alice Marlow" in text
    assert "Discarded" not in text
    text = as_alice.get(f"/sync/runs/{at_work.pk}/").content.decode()
    assert "This sync was stopped at" in text
    assert "Stop this run" not in text
    assert "latest sync not published" not in as_alice.get("/").content.decode()


@pytest.mark.parametrize(
    "fields",
    [
        {"phase": "publish"},
        {"state": "published", "phase": "done", "published_at": MOMENT},
        {"kind": "import"},
        {"heartbeat_at": MOMENT - timedelta(minutes=9)},
        {"resolved_at": MOMENT},
    ],
)
def test_what_cannot_be_stopped_says_so(as_alice: Client, at_work: SyncRun, fields: dict[str, object]) -> None:
    SyncRun.objects.filter(pk=at_work.pk).update(**fields)
    assert "Stop this run" not in as_alice.get("/sync/").content.decode()
    response = as_alice.post(f"/sync/runs/{at_work.pk}/resolve/", {"decision": "stop"}, follow=True)
    assert "Nothing to stop any more" in response.content.decode()
    at_work.refresh_from_db()
    assert at_work.resolved_by is None


def test_only_who_may_start_a_sync_stops_one(client: Client, at_work: SyncRun, charlie: object) -> None:
    client.force_login(charlie)
    assert client.post(f"/sync/runs/{at_work.pk}/resolve/", {"decision": "stop"}).status_code == 403
    at_work.refresh_from_db()
    assert at_work.resolved_at is None


def test_another_accounts_sync_cannot_be_stopped(as_ines: Client, at_work: SyncRun) -> None:
    SyncRun.objects.filter(pk=at_work.pk).update(account=factories.AccountFactory(name="Another"))
    assert as_ines.post(f"/sync/runs/{at_work.pk}/resolve/", {"decision": "stop"}).status_code == 404
