"""Failures while a file is imported: all of it happens, or nothing."""

from datetime import timedelta

import psycopg
import pytest
from celery.exceptions import Retry
from django.db import connection

from sync import tasks
from sync.models import Account, Change, Enrollment, SyncRun
from sync.pipeline.console import accept_import, give_back
from sync.pipeline.run import LOCK, AlreadyRunningError
from sync.signals import published
from tests import factories
from tests.sync.console.conftest import as_csv

HEADERS = ["Email", "Campaign", "Content", "Due Date"]


@pytest.fixture
def account(db) -> Account:
    """Return an account in Berlin that KnowBe4's API feeds."""
    return factories.AccountFactory()


@pytest.fixture
def enrollment(account) -> Enrollment:
    """Return an enrollment of Ada's, due on 27 November 2026 at 23:00 UTC, midnight in Berlin."""
    campaign = factories.CampaignFactory(account=account, name="Autumn  Awareness")
    return factories.EnrollmentFactory(
        account=account,
        person=factories.PersonFactory(account=account, email="Ada.Quill@brackwater.example"),
        campaign=campaign,
        content=factories.ContentItemFactory(account=account, name="Spotting a phish"),
        due_at=campaign.end_at,
        original_due_at=campaign.end_at,
        due_source="campaign_end",
    )


def file_with(due: str) -> str:
    return as_csv(HEADERS, [["ada.quill@brackwater.example", "autumn awareness", "spotting a PHISH", due]])


@pytest.mark.parametrize(
    "due",
    ["27.11.2026", "28.11.2026", "28.11.2026 00:00", "2026-11-27T23:00:00Z", "2026-11-28 00:00:00"],
)
def test_the_date_of_the_campaign_is_no_extension(account, enrollment, upload, due):
    report = upload(account, file_with(due)).report
    assert (report["matched"], report["changes"]["count"]) == (1, 0)


@pytest.mark.parametrize("due", ["26.11.2026", "29.11.2026", "28.11.2026 00:01", "2026-11-27T22:59:59Z"])
def test_any_other_date_is_one(account, enrollment, upload, due):
    assert upload(account, file_with(due)).report["changes"]["set"] == 1


def test_an_error_in_the_middle_leaves_nothing(account, enrollment, upload, accept):
    preview = upload(account, file_with("24.12.2026"))

    def refuse(**arguments: object) -> None:
        raise RuntimeError("no")

    published.connect(refuse)
    try:
        with pytest.raises(RuntimeError):
            accept(preview)
    finally:
        published.disconnect(refuse)
    enrollment.refresh_from_db()
    preview.refresh_from_db()
    assert (enrollment.extended_due_at, enrollment.due_source) == (None, "campaign_end")
    assert not Change.objects.exists()
    assert (preview.state, preview.run) == ("preview", None)
    assert "nothing was imported" in preview.message
    run = SyncRun.objects.get()
    assert (run.state, run.error_kind, run.published_at) == ("failed", "RuntimeError", None)
    assert accept(preview).state == "accepted"


def test_an_import_cut_short_starts_afresh(account, enrollment, upload, accept, now):
    left = factories.SyncRunFactory(account=account, kind="import", state="running", started_at=now, finished_at=None)
    done = accept(upload(account, file_with("24.12.2026")))
    left.refresh_from_db()
    assert (left.state, done.state) == ("failed", "accepted")


def test_it_waits_for_a_sync_of_its_account(account, enrollment, upload, maren, now):
    preview = upload(account, file_with("24.12.2026"))
    preview.state, preview.decided_by = "importing", maren
    preview.save()
    settings = connection.get_connection_params()
    place = {name: settings[name] for name in ("dbname", "user", "password", "host", "port") if settings.get(name)}
    with psycopg.connect(**place, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", [LOCK, account.pk])
        with pytest.raises(AlreadyRunningError):
            accept_import(preview.pk, now=lambda: now)
        with pytest.raises(Retry):
            tasks.accept_console_import.apply(kwargs={"import_id": preview.pk}, throw=True)
        assert not SyncRun.objects.exists()
        give_back(preview.pk, "Try again later.")
    preview.refresh_from_db()
    assert (preview.state, preview.message) == ("preview", "Try again later.")


def test_the_tasks_do_the_work(account, enrollment, upload, maren):
    preview = upload(account, file_with("24.12.2026"))
    preview.state = "reading"
    preview.save()
    tasks.preview_console_import(import_id=preview.pk)
    preview.refresh_from_db()
    preview.state, preview.decided_by = "importing", maren
    preview.save()
    tasks.accept_console_import(import_id=preview.pk)
    preview.refresh_from_db()
    assert preview.state == "accepted"
    preview.state = "withdrawing"
    preview.save()
    tasks.withdraw_console_import(import_id=preview.pk)
    preview.refresh_from_db()
    assert preview.state == "withdrawn"


def test_the_later_of_two_lines_counts(account, enrollment, upload, accept):
    row = ["ada.quill@brackwater.example", "Autumn Awareness", "Spotting a phish"]
    preview = upload(account, as_csv(HEADERS, [[*row, "24.12.2026 12:00"], [*row, "31.12.2026 12:00"]]))
    assert (preview.report["duplicates"], preview.report["changes"]["count"]) == (1, 1)
    accept(preview)
    enrollment.refresh_from_db()
    assert enrollment.due_at.isoformat() == "2026-12-31T11:00:00+00:00"


def test_several_that_fit_are_told_apart_by_the_enrollment_date(account, enrollment, upload):
    again = factories.EnrollmentFactory(
        account=account,
        person=enrollment.person,
        campaign=enrollment.campaign,
        content=enrollment.content,
        enrolled_at=enrollment.enrolled_at + timedelta(days=200),
        due_at=enrollment.due_at,
        due_source="campaign_end",
    )
    row = ["ada.quill@brackwater.example", "Autumn Awareness", "Spotting a phish"]
    day = again.enrolled_at.date().isoformat()
    text = as_csv([*HEADERS, "Date Enrolled"], [[*row, "24.12.2026", day], [*row, "24.12.2026", ""]])
    report = upload(account, text).report
    assert (report["matched"], report["changes"]["rows"][0]["line"]) == (1, 2)
    [unmatched] = report["unmatched"]["rows"]
    assert (unmatched["line"], "Several" in unmatched["reason"]) == (3, True)


def test_a_blank_takes_back_open_work_only(account, enrollment, upload, accept):
    headers = [*HEADERS[:3], "Extended Due Date"]
    row = ["ada.quill@brackwater.example", "Autumn Awareness", "Spotting a phish"]
    accept(upload(account, as_csv(headers, [[*row, "24.12.2026"]])))
    Enrollment.objects.update(reported_status="Passed")
    assert upload(account, as_csv(headers, [[*row, ""]])).report["changes"]["count"] == 0
    Enrollment.objects.update(reported_status="In Progress")
    assert upload(account, as_csv(headers, [[*row, ""]])).report["changes"]["cleared"] == 1


def test_other_accounts_are_not_touched(account, enrollment, upload):
    other = factories.AccountFactory(name="Elsewhere")
    report = upload(other, file_with("24.12.2026")).report
    assert (report["matched"], report["unmatched"]["count"]) == (0, 1)
