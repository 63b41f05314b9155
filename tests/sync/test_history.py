"""The past of a row, from what the syncs recorded."""

from datetime import UTC, datetime, timedelta

import pytest

from sync.models import Account, Campaign, Change, ContentItem, Enrollment, Person, SyncRun
from sync.models.history import as_known, as_was, parse

MONDAY = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def enrollment(db):
    account = Account.objects.create(name="Northwind")
    person = Person.objects.create(
        account=account, knowbe4_id=1, status="active", department_name="Legal", first_seen_at=MONDAY
    )
    campaign = Campaign.objects.create(account=account, knowbe4_id=2, first_seen_at=MONDAY)
    content = ContentItem.objects.create(
        account=account,
        source="store_purchase",
        knowbe4_id=3,
        name="Basics",
        content_type="Video",
        first_seen_at=MONDAY,
    )
    return Enrollment.objects.create(
        account=account,
        knowbe4_id=4,
        person=person,
        campaign=campaign,
        content=content,
        reported_status="Not Started",
        enrolled_at=MONDAY - 100 * HOUR,
        due_source="none",
        first_seen_at=MONDAY,
    )


@pytest.fixture
def changed(enrollment):
    run = SyncRun.objects.create(
        account=enrollment.account, kind="full", trigger="command", state="published", phase="done",
        started_at=MONDAY, heartbeat_at=MONDAY,
    )  # fmt: skip

    def record(row, at, field, old, new):
        subject = Change.Subject.PERSON if isinstance(row, Person) else Change.Subject.ENROLLMENT
        Change.objects.create(
            account=enrollment.account,
            run=run,
            observed_at=at,
            subject=subject,
            subject_id=row.pk,
            field=field,
            old=old,
            new=new,
        )

    return record


def test_a_completion_was_so_before_it_was_known(enrollment, changed):
    enrollment.completed_at = MONDAY + HOUR
    enrollment.save()
    changed(enrollment, MONDAY + 3 * HOUR, "completed_at", None, "2026-11-23 10:30:00+00")
    assert as_known(enrollment, MONDAY + 2 * HOUR).completed_at is None
    assert as_was(enrollment, MONDAY + 2 * HOUR).completed_at == MONDAY + HOUR
    assert as_was(enrollment, MONDAY).completed_at is None
    assert as_known(enrollment, MONDAY + 3 * HOUR).completed_at == MONDAY + HOUR


def test_a_reset_leaves_the_earlier_completion_in_the_past(enrollment, changed):
    changed(enrollment, MONDAY + HOUR, "completed_at", None, "2026-11-23 10:00:00+00")
    changed(enrollment, MONDAY + 5 * HOUR, "completed_at", "2026-11-23 10:00:00+00", None)
    assert as_was(enrollment, MONDAY + 4 * HOUR).completed_at == MONDAY + HOUR / 2
    assert as_known(enrollment, MONDAY + 4 * HOUR).completed_at == MONDAY + HOUR / 2
    assert as_was(enrollment, MONDAY + 5 * HOUR).completed_at is None
    assert as_was(enrollment, MONDAY).completed_at is None


def test_a_person_was_where_the_syncs_saw_them(enrollment, changed):
    person = enrollment.person
    changed(person, MONDAY + HOUR, "department_name", "Claims", "Sales")
    changed(person, MONDAY + 2 * HOUR, "department_name", "Sales", "Legal")
    assert as_was(person, MONDAY - 1000 * HOUR).department_name == "Claims"
    assert as_was(person, MONDAY + HOUR).department_name == "Sales"
    assert as_was(person, MONDAY + 2 * HOUR).department_name == "Legal"
    assert as_known(person, MONDAY - HOUR) is None
    assert Person.objects.get(pk=person.pk).department_name == "Legal", "the row itself is not touched"


def test_a_removed_enrollment_is_gone_from_then_on(enrollment, changed):
    enrollment.removed_at = MONDAY + HOUR
    enrollment.save()
    changed(enrollment, MONDAY + HOUR, "removed_at", None, "2026-11-23 10:30:00+00")
    assert as_was(enrollment, MONDAY).removed_at is None
    assert as_was(enrollment, MONDAY + HOUR) is None
    assert as_known(enrollment, MONDAY + HOUR).removed_at == MONDAY + HOUR


def test_nobody_was_enrolled_before_they_were(enrollment):
    assert as_was(enrollment, enrollment.enrolled_at - timedelta(seconds=1)) is None


@pytest.mark.parametrize(
    ("model", "field", "text", "value"),
    [
        (Enrollment, "due_at", "2026-11-30 23:00:00.5+00", datetime(2026, 11, 30, 23, 0, 0, 500_000, tzinfo=UTC)),
        (Enrollment, "is_completion_observed", "true", True),
        (Enrollment, "is_completion_observed", "false", False),
        (Enrollment, "time_spent", "90", 90),
        (Enrollment, "person_id", "12", 12),
        (Enrollment, "score", None, None),
        (Campaign, "content_ids", "{4,5}", [4, 5]),
        (Campaign, "group_ids", "{}", []),
        (Person, "employee_start_date", "2026-01-02", datetime(2026, 1, 2, tzinfo=UTC).date()),
        (Person, "first_name", "{brace}", "{brace}"),
    ],
)
def test_parse_reads_what_postgres_writes(model, field, text, value):
    assert parse(model, field, text) == value
