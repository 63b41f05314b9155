"""Publish: it writes all of a sync, only what differs, and what KnowBe4 forgets."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import ProgrammingError, connection, transaction

from sync.models import Account, Campaign, Change, ContentItem, Department, Enrollment, Group, GroupMembership, Person
from sync.pipeline import tables
from sync.pipeline.publish import publish
from sync.pipeline.staging import Staging
from sync.signals import published

MONDAY = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
ENROLLED = {"enrolled_at": MONDAY - 30 * 24 * HOUR}

MIRROR = (
    "sync_person sync_group sync_groupmembership sync_department sync_contentitem sync_campaign sync_enrollment "
    "sync_change"
).split()


def row_versions():
    """Return every mirror row's physical version: it moves with any write, even of equal values."""
    versions = set()
    with connection.cursor() as cursor:
        for table in MIRROR:
            cursor.execute(f"SELECT id, ctid::text, xmin::text FROM {table}")  # noqa: S608
            versions |= {(table, *row) for row in cursor.fetchall()}
    return versions


def test_a_first_sync_links_everything(sync, account):
    people = [
        {
            "knowbe4_id": 501,
            "department_name": " Field  Work ",
            "manager_email": "BO@northwind.example",
            "group_ids": [8],
        },
        {"knowbe4_id": 502, "email": "bo@northwind.example", "department_name": "field work", "group_ids": []},
        {
            "knowbe4_id": 503,
            "email": "cy@northwind.example",
            "department_name": "field work",
            "manager_name": "Someone",
        },
        {"knowbe4_id": 504, "email": "di@northwind.example", "department_name": ""},
    ]
    run = sync(MONDAY, person=people, group=[{"knowbe4_id": 8, "name": "New hires"}], enrollment=[ENROLLED])
    enrollment = Enrollment.objects.select_related("person", "campaign", "content").get()
    assert enrollment.person.knowbe4_id == 501
    assert enrollment.campaign.name == "Annual training"
    assert (enrollment.content.name, enrollment.content.content_type) == ("Spotting a phish", "Training Module")
    assert enrollment.campaign.content_ids == [enrollment.content_id]
    assert [group.name for group in Group.objects.filter(pk__in=enrollment.campaign.group_ids)] == ["All Users"]
    assert enrollment.person.manager.knowbe4_id == 502
    assert list(Department.objects.order_by("key").values_list("key", "name")) == [
        ("", ""),
        ("field work", "field work"),
    ]
    assert GroupMembership.objects.get().person == enrollment.person
    account.refresh_from_db()
    assert (account.published_run, account.published_at, account.knowbe4_name) == (run, MONDAY, "Northwind")
    assert not Change.objects.exists(), "a first sync finds rows, not changes"


def test_the_same_again_writes_not_one_row(sync):
    person = {"department_name": "Claims", "group_ids": [8], "current_risk_score": 12.5}
    rows = {"person": [person], "group": [{"knowbe4_id": 8}], "enrollment": [ENROLLED]}
    sync(MONDAY, **rows)
    before = row_versions()
    run = sync(MONDAY + HOUR, **rows)
    assert row_versions() == before
    assert all(not any(count.values()) for count in run.counts.values())


def test_each_changed_field_is_one_change(sync):
    sync(MONDAY, person=[{"department_name": "Claims"}], enrollment=[ENROLLED])
    person = {"department_name": "Legal", "email": "ada@northwind.example", "last_sign_in_at": MONDAY}
    run = sync(MONDAY + HOUR, person=[person], enrollment=[ENROLLED])
    changes = Change.objects.filter(subject=Change.Subject.PERSON).order_by("field")
    assert [(c.field, c.old, c.new, c.run_id) for c in changes] == [
        ("department_name", "Claims", "Legal", run.pk),
        ("email", "Ada.Quill@northwind.example", "ada@northwind.example", run.pk),
    ]
    assert Person.objects.get().department.name == "Legal"
    assert Person.objects.get().last_sign_in_at == MONDAY


def test_what_knowbe4_no_longer_returns_is_marked_and_may_come_back(sync):
    sync(MONDAY, enrollment=[ENROLLED])
    run = sync(MONDAY + HOUR, person=[], campaign=[], enrollment=[])
    for model in (Person, Campaign, Enrollment):
        assert model.objects.get().removed_at == MONDAY + HOUR
    assert run.counts["enrollment"]["vanished"] == 1
    run = sync(MONDAY + 2 * HOUR, enrollment=[ENROLLED])
    for model in (Person, Campaign, Enrollment):
        assert model.objects.get().removed_at is None
    assert run.counts["enrollment"]["restored"] == 1
    history = Change.objects.filter(subject=Change.Subject.ENROLLMENT, field="removed_at").order_by("pk")
    assert [(c.old, c.new) for c in history] == [
        (None, "2026-11-23 10:30:00+00"),
        ("2026-11-23 10:30:00+00", None),
    ]


def test_people_and_content_that_only_an_enrollment_names_are_kept(sync):
    stray = ENROLLED | {
        "user_id": 777,
        "user_email": "gone@northwind.example",
        "user_first_name": "Gil",
        "store_purchase_id": 888,
        "module_name": "Retired game",
    }
    policy = ENROLLED | {
        "knowbe4_id": 2,
        "store_purchase_id": None,
        "source": "policy",
        "module_name": "Clean desk",
    }
    for at in (MONDAY, MONDAY + HOUR):
        sync(at, enrollment=[stray, policy])
        person = Person.objects.get(knowbe4_id=777)
        assert (person.status, person.full_name, person.removed_at) == ("unlisted", "Gil", MONDAY)
        assert ContentItem.objects.get(knowbe4_id=888).name == "Retired game"
        clean_desk = ContentItem.objects.get(name="Clean desk")
        assert (clean_desk.content_type, clean_desk.knowbe4_id) == ("Policy", None)
        assert Enrollment.objects.get(knowbe4_id=2).content == clean_desk
    assert not Change.objects.exists()


def test_a_null_user_keeps_its_enrollment(sync):
    sync(MONDAY, enrollment=[ENROLLED | {"user_id": None}])
    assert Enrollment.objects.get().person is None


def test_rows_set_aside_let_nothing_vanish(sync, account):
    run = sync(MONDAY, enrollment=[ENROLLED])
    staging = Staging(account.pk)
    staging.create(run.pk)
    staging.add_page(
        "enrollments",
        tables.ENROLLMENT,
        [],
        number=1,
        next_position=None,
        count=0,
        rejected=[("too large a number", "{}")],
    )
    publish(account, run, staging, now=MONDAY + HOUR)
    assert Enrollment.objects.get().removed_at is None
    assert Person.objects.get().removed_at == MONDAY + HOUR


def test_a_row_that_loses_its_user_stays_that_persons(sync):
    sync(MONDAY, enrollment=[ENROLLED])
    sync(MONDAY + HOUR, enrollment=[ENROLLED | {"user_id": None}])
    assert Enrollment.objects.get().person.knowbe4_id == 501


def test_policies_of_one_name_are_told_apart_by_their_campaign(sync):
    policies = [{"source": "policy", "knowbe4_id": number, "name": "Clean desk"} for number in (5, 6)]
    campaign = {"content": [["policy", 6, "Clean desk", "Uploaded Policy"]]}
    sync(
        MONDAY,
        content=policies,
        campaign=[campaign],
        enrollment=[ENROLLED | {"store_purchase_id": None, "source": "policy", "module_name": "Clean desk"}],
    )
    assert Enrollment.objects.get().content.knowbe4_id == 6


def test_texts_and_numbers_of_any_length_are_published(sync):
    long = "x" * 5_000
    sync(
        MONDAY,
        person=[{"status": long, "language": long, "job_title": long, "email": long, "department_name": long}],
        group=[{"knowbe4_id": 8, "status": long, "name": long}],
        campaign=[{"name": long, "reported_status": long}],
        enrollment=[ENROLLED | {"reported_status": long, "time_spent": 2**40}],
    )
    assert Enrollment.objects.get().time_spent == 2**40
    assert Person.objects.get().language == long


def test_a_failing_listener_publishes_nothing(sync, account):
    def refuse(**kwargs):
        raise ValueError("no")

    sync(MONDAY, enrollment=[ENROLLED])
    published.connect(refuse)
    try:
        with pytest.raises(ValueError, match="no"), transaction.atomic():
            sync(MONDAY + HOUR, enrollment=[])
    finally:
        published.disconnect(refuse)
    assert Enrollment.objects.get().removed_at is None
    assert Account.objects.get().published_at == MONDAY


@pytest.mark.parametrize("statement", ["UPDATE sync_change SET new = ''", "DELETE FROM sync_change"])
def test_history_cannot_be_rewritten(sync, statement):
    sync(MONDAY, enrollment=[ENROLLED])
    sync(MONDAY + HOUR, enrollment=[])
    with pytest.raises(ProgrammingError, match="Changes are history"), transaction.atomic():
        connection.cursor().execute(statement)
    assert Change.objects.count() == 1


def test_accounts_do_not_mix(sync, account):
    other = Account.objects.create(name="Southwind")
    Person.objects.create(account=other, knowbe4_id=501, status="active", first_seen_at=MONDAY)
    sync(MONDAY, enrollment=[ENROLLED])
    sync(MONDAY + HOUR, person=[], enrollment=[])
    assert Person.objects.get(account=other).removed_at is None
    assert Enrollment.objects.get().person.account == account
