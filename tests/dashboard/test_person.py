"""A person's record: what they owe, what happened, and who may read it."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from dashboard.models import Exemption, User
from dashboard.rollups import rebuild
from sync.models import (
    Account,
    Change,
    Enrollment,
    Group,
    GroupMembership,
    Person,
    PhishingResult,
    PhishingTest,
    SyncRun,
)
from tests import factories

DAY = timedelta(days=1)


@pytest.fixture
def boss(account: Account) -> Person:
    """Return the manager of everybody below, who reports to somebody known by name only."""
    return factories.PersonFactory(
        account=account, first_name="Jelena", last_name="Maddox", manager_name="Ottoline Vance", email="jm@b.example"
    )


@pytest.fixture
def anton(account: Account, boss: Person) -> Person:
    """Return someone who works for the boss."""
    return factories.PersonFactory(
        account=account,
        first_name="Anton",
        last_name="Castellan",
        job_title="Loss adjuster",
        manager=boss,
        current_risk_score=31.47,
    )


@pytest.fixture
def record(account: Account, published: SyncRun, anton: Person, now: datetime) -> Person:
    """Return Anton with four enrollments: two past due, one completed late, one that does not count."""
    enroll: Callable[..., Enrollment] = lambda name, **facts: factories.EnrollmentFactory(  # noqa: E731
        account=account,
        person=anton,
        campaign=factories.CampaignFactory(account=account, name=name, **facts.pop("of", {})),
        due_source="campaign_end",
        **facts,
    )
    enroll("Autumn awareness", enrolled_at=now - 40 * DAY, due_at=now - 23 * DAY, started_at=now - 30 * DAY)
    enroll("Invoice fraud", enrolled_at=now - 30 * DAY, due_at=now - 2 * DAY)
    enroll(
        "Mid-year awareness",
        enrolled_at=now - 90 * DAY,
        due_at=now - 70 * DAY,
        completed_at=now - 60 * DAY,
        reported_status="Passed",
    )
    enroll("Withdrawn pilot", of={"reported_status": "Cancelled"}, enrolled_at=now - 50 * DAY, due_at=now - 9 * DAY)
    rebuild(account, at=now)
    return anton


def page(client: Client, person: Person, query: str = "") -> str:
    response = client.get(f"/people/{person.pk}/{query}")
    assert response.status_code == 200
    return response.content.decode()


def words(text: str) -> str:
    """Return what is read, without the tags and with single blanks."""
    return re.sub(r" ([.,])", r"\1", " ".join(re.sub(r"<[^>]+>", " ", text).split()))


def test_the_first_sentence_says_what_is_owed(as_alice: Client, record: Person) -> None:
    text = words(page(as_alice, record))
    assert "Anton owes 2 of 3, the oldest for 23 days. 1 of 3 completed, 1 of them late." in text
    assert "Anton has missed 3 of 3 deadlines since" in text
    assert "23 days past due" in text
    assert "Completed late, 10 days" in text
    assert "Not counted: Campaign cancelled" in text
    assert "Loss adjuster" in text
    assert "31.5" in text


def test_whoever_owes_nothing_is_told_so(as_alice: Client, record: Person, boss: Person) -> None:
    text = words(page(as_alice, boss))
    assert "Jelena is assigned nothing that counts." in text
    assert "Jelena was never enrolled" in text
    assert "The only person who reports to Jelena has something past due" in text
    assert "Ottoline Vance" in text


def test_the_reporting_line_goes_up_and_down(as_alice: Client, record: Person, boss: Person) -> None:
    assert f'href="/people/{boss.pk}/"' in page(as_alice, record)
    assert "Reporting line" in page(as_alice, record)
    below = page(as_alice, boss)
    assert f'href="/people/{record.pk}/"' in below
    assert f'href="/people/?manager={boss.pk}"' in below


def test_a_loop_of_managers_ends(as_alice: Client, record: Person, boss: Person, now: datetime) -> None:
    Person.objects.filter(pk=boss.pk).update(manager=record, manager_name="")
    rebuild(record.account, at=now)
    line = page(as_alice, record).split('<dl class="facts')[1].split("</dl>")[0]
    assert line.count("Jelena Maddox</a>") == 1
    assert "Anton" not in line


def test_a_past_day_shows_what_stood_then(as_alice: Client, record: Person, now: datetime) -> None:
    day = (now - 65 * DAY).date()
    text = words(page(as_alice, record, f"?as_of={day:%Y-%m-%d}"))
    assert "Anton owes 1 of 1, past due for" in text
    assert "Autumn awareness" not in text
    assert "Completed" not in text.split("Deadline Outcome")[1].split("Anton has had")[0]


def test_changes_are_told_in_words(as_alice: Client, record: Person, published: SyncRun, now: datetime) -> None:
    change: dict[str, Any] = {"account": record.account, "run": published, "observed_at": now - DAY}
    Change.objects.create(**change, subject=1, subject_id=record.pk, field="department_name", old="Sales", new="Claims")
    Change.objects.create(**change, subject=1, subject_id=record.pk, field="phish_prone_percentage", old="1", new="2")
    text = words(page(as_alice, record))
    assert "Department: Sales → Claims" in text
    assert "phish-prone" not in text.lower()


def test_phishing_tests_say_what_was_done(as_alice: Client, record: Person, now: datetime) -> None:

    def test(name: str, sent_at: datetime, **done: datetime) -> None:
        test = PhishingTest.objects.create(
            account=record.account, knowbe4_id=sent_at.toordinal(), name=name, started_at=sent_at, first_seen_at=now
        )
        PhishingResult.objects.create(
            account=record.account,
            test=test,
            knowbe4_id=1,
            person=record,
            delivered_at=sent_at,
            first_seen_at=now,
            **done,
        )

    test("Supplier bank details", now - 20 * DAY, clicked_at=now - 19 * DAY, failed_at=now - 19 * DAY)
    test("Voicemail notice", now - 50 * DAY, reported_at=now - 49 * DAY)
    test("Refund request", now - 500 * DAY)
    text = words(page(as_alice, record))
    assert "Anton fell for 1 of the last 2 simulated phishing emails and reported 1" in text
    assert "Supplier bank details Clicked" in text
    assert "Refund request No action" in text
    before = words(page(as_alice, record, f"?as_of={now - 20 * DAY:%Y-%m-%d}"))
    assert "Supplier bank details Clicked" not in before


def test_groups_and_exemptions_are_listed(as_alice: Client, alice: User, record: Person, now: datetime) -> None:
    group = Group.objects.create(account=record.account, knowbe4_id=5, name="Field staff", first_seen_at=now)
    GroupMembership.objects.create(account=record.account, group=group, person=record, first_seen_at=now)
    assert "Never exempt" in page(as_alice, record)
    Exemption.objects.create(
        account=record.account,
        person=record,
        reason="leave",
        starts_at=now - DAY,
        ends_at=now + DAY,
        requested_by=alice,
        requested_at=now - DAY,
    )
    text = words(page(as_alice, record))
    assert "Field staff" in text
    assert "In 1 group" in text
    assert "All campaigns Requested" in text


def test_nobody_reads_whom_they_may_not(client: Client, as_alice: Client, charlie: User, record: Person) -> None:
    stranger = factories.PersonFactory(account=factories.AccountFactory())
    assert as_alice.get(f"/people/{stranger.pk}/").status_code == 404
    assert as_alice.get("/people/999999999/").status_code == 404
    client.force_login(charlie)
    assert client.get(f"/people/{record.pk}/").status_code == 403


def test_the_page_stays_within_twelve_queries(
    as_alice: Client, record: Person, boss: Person, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for person in (record, boss):
        for query in ("", "?as_of=2026-10-01", "?as_of=2026-10-01&basis=then"):
            with django_assert_max_num_queries(12, info=query):
                page(as_alice, person, query)
