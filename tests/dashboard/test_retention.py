"""Retention: what accounts no longer keep is removed at night; unless told, they keep all of it."""

from datetime import datetime, time, timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client

from dashboard import tasks
from dashboard.models import AuditEvent, Delivery, Export, Occurrence, Schedule, User
from dashboard.services.retention import KEEPING, keep, kept
from dashboard.services.retention_cleanup import apply_all
from sync.models import Account, Person
from tests import factories
from tests.dashboard.test_accounts import FORM


@pytest.fixture
def old(company: Account, alice: User, now: datetime) -> dict[str, int]:
    """Return how many rows there are of each kind once a half of them is 100 days old, the other 10."""
    run = company.published_run
    assert run is not None
    people = list(Person.objects.filter(account=company, removed_at=None).order_by("pk")[:4])
    schedule = Schedule.objects.create(
        account=company, name="Weekly", owner=alice, content="figures", frequency="weekly", weekday=0,
        created_at=now, since=now, at_time=time(7),
    )  # fmt: skip
    for number, days in enumerate((100, 10)):
        at = now - timedelta(days=days)
        Person.objects.filter(pk=people[2 * number].pk).update(removed_at=at, last_name="Gone")
        Person.objects.filter(pk=people[2 * number + 1].pk).update(status="archived", archived_at=at, last_name="Gone")
        occurrence = Occurrence.objects.create(account=company, schedule=schedule, due_at=at, created_at=at)
        Delivery.objects.create(
            account=company, occurrence=occurrence, recipient=alice, state="sent", next_try_at=at, finished_at=at
        )
        Export.objects.create(
            account=company, user=alice, table="people", format="csv", state="expired", requested_at=at
        )
        UserSession.objects.create(user=alice, ip="192.0.2.1", session_key=f"key{days}", last_seen_at=at)
    return counted()


def counted() -> dict[str, int]:
    return {
        "people": Person.objects.filter(last_name="Gone").count(),
        "mails": Delivery.objects.count(),
        "occurrences": Occurrence.objects.count(),
        "exports": Export.objects.count(),
        "sessions": UserSession.objects.count(),
    }


def test_everything_is_kept_unless_told(company: Account, old: dict[str, int]) -> None:
    tasks.apply_retention()
    assert counted() == old == {"people": 4, "mails": 2, "occurrences": 2, "exports": 2, "sessions": 2}
    assert not AuditEvent.objects.filter(action="retention_applied").exists()
    assert kept(company) == dict.fromkeys(KEEPING)


def test_what_is_older_goes_and_is_counted_in_the_log(
    company: Account, old: dict[str, int], ines: User, now: datetime
) -> None:
    other = factories.AccountFactory(name="Elsewhere")
    gone = factories.PersonFactory(account=other, last_name="Other", removed_at=now - timedelta(days=100))
    keep(company, dict.fromkeys(KEEPING, 30), by=ines)
    apply_all(now)
    assert counted() == {"people": 2, "mails": 1, "occurrences": 2, "exports": 1, "sessions": 1}
    (applied,) = AuditEvent.objects.filter(action="retention_applied")
    assert (applied.through, applied.details) == (
        "schedule",
        {"people": 2, "mails": 1, "exports": 1, "sessions": 1},
    )
    acts = AuditEvent.objects.filter(action="person_erased", through="schedule", details__reason="Retention")
    assert acts.count() == 2
    gone.refresh_from_db()
    assert gone.last_name == "Other"
    apply_all(now)
    assert AuditEvent.objects.filter(action="retention_applied").count() == 1


def test_sessions_that_are_over_are_removed_anyway(db: None, now: datetime) -> None:
    for key, end in {"over": now - timedelta(hours=1), "open": now + timedelta(hours=1)}.items():
        Session.objects.create(session_key=key, session_data="", expire_date=end)
    apply_all(now)
    assert [session.session_key for session in Session.objects.all()] == ["open"]


def test_an_administrator_sets_it_on_the_accounts_page(as_ines: Client, account: Account) -> None:
    address = f"/settings/accounts/{account.pk}/"
    form = {**FORM, "name": account.name, "region": account.region, "key": ""}
    assert as_ines.post(address, {**form, "people_days": "365", "sessions_days": "90"}).status_code == 302
    assert kept(account) == {"people_days": 365, "mails_days": None, "exports_days": None, "sessions_days": 90}
    text = as_ines.get(address).content.decode()
    assert 'name="people_days" id="id_people_days" min="30" max="36500" value="365"' in text
    (changed,) = AuditEvent.objects.filter(action="retention_changed")
    assert changed.details == {"people_days": 365, "sessions_days": 90}
    refused = as_ines.post(address, {**form, "people_days": "29"})
    assert "greater than or equal to 30" in refused.content.decode()
    assert kept(account)["people_days"] == 365
    assert as_ines.post(address, {**form, "people_days": ""}).status_code == 302
    assert kept(account) == dict.fromkeys(KEEPING)
