"""Changes of a sync, by kind and row by row; rows that KnowBe4 no longer returns."""

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from dashboard.access import Scope
from dashboard.models import Membership, User
from dashboard.queries import sync_changes as queries
from dashboard.queries import vanished
from dashboard.wording.changes import kind_words, told, value_words
from sync.models import Account, Change, Enrollment, SyncRun
from tests import factories

Subject = Change.Subject
LIST = {"HX-Request": "true", "HX-Target": "change-list"}


@pytest.fixture
def scope(account: Account) -> Scope:
    """Return the scope of someone who sees everybody."""
    return Scope(account=account, roles=frozenset({Membership.Role.SECURITY_MANAGER}))


@pytest.fixture
def before(account: Account, published: SyncRun) -> SyncRun:
    """Return the run published an hour before the published one."""
    return factories.SyncRunFactory(account=account, number=0, started_at=published.started_at - timedelta(hours=1))


def change(run: SyncRun, subject: Subject, pk: int, field: str, old: str | None, new: str | None) -> Change:
    return Change.objects.create(
        account=run.account,
        run=run,
        observed_at=run.published_at,
        subject=subject,
        subject_id=pk,
        field=field,
        old=old,
        new=new,
    )


def counts(scope: Scope, run: SyncRun) -> dict[tuple[str, str], int]:
    return {(group.kind.slug, group.kind.field): group.rows for group in queries.groups(scope, run)}


def test_a_completion_a_start_and_a_reset_are_told_apart(scope: Scope, account: Account, published: SyncRun) -> None:
    first, second = factories.EnrollmentFactory.create_batch(2, account=account)
    change(published, Subject.ENROLLMENT, first.pk, "completed_at", None, "2026-11-20 09:00:00+00")
    change(published, Subject.ENROLLMENT, first.pk, "started_at", None, "2026-11-20 08:00:00+00")
    change(published, Subject.ENROLLMENT, second.pk, "completed_at", "2026-11-19 09:00:00+00", None)
    change(published, Subject.ENROLLMENT, second.pk, "started_at", "2026-11-19 08:00:00+00", None)
    found = counts(scope, published)
    for field in ("completed", "started", "reopened", "reset"):
        assert found["enrollment", field] == 1
        kind = queries.Kind(Subject.ENROLLMENT, field)
        assert queries.run_changes(scope, published, kind).count() == 1
    assert ("enrollment", "completed_at") not in found


def test_every_number_opens_as_many_rows(
    as_alice: Client, scope: Scope, account: Account, before: SyncRun, published: SyncRun
) -> None:
    assert published.published_at
    old = factories.PersonFactory(account=account)
    factories.PersonFactory(account=account, first_seen_at=published.published_at)
    factories.EnrollmentFactory(account=account, person=old, due_at=published.published_at - timedelta(minutes=1))
    factories.EnrollmentFactory(account=account, person=old, due_at=published.published_at - timedelta(days=1))
    change(published, Subject.PERSON, old.pk, "manager", None, str(old.pk))
    change(published, Subject.PERSON, old.pk, "removed_at", None, "2026-11-20 09:00:00+00")
    published.counts = {}
    published.save()
    found = counts(scope, published)
    assert found == {
        ("person", "new"): 1,
        ("person", "manager"): 1,
        ("person", "removed"): 1,
        ("enrollment", "past_due"): 1,
    }
    for (subject, field), rows in found.items():
        text = as_alice.get(f"/sync/changes/?run={published.pk}&subject={subject}&field={field}", headers=LIST)
        assert text.content.decode().count('role="rowheader"') == rows


@pytest.mark.parametrize(
    ("fields", "is_newly"),
    [
        ({}, True),
        ({"due_at": timedelta(minutes=70)}, False),
        ({"due_at": timedelta(0)}, True),
        ({"due_at": timedelta(seconds=-1)}, False),
        ({"completed_at": timedelta(minutes=31)}, False),
        ({"completed_at": timedelta(minutes=-1)}, True),
        ({"reported_status": "Exempted"}, False),
    ],
)
def test_newly_past_due_is_what_fell_due_between_two_publications(
    scope: Scope, account: Account, before: SyncRun, published: SyncRun, fields: dict[str, object], is_newly: bool
) -> None:
    assert published.published_at
    moments = {
        name: published.published_at - value if isinstance(value, timedelta) else value
        for name, value in {"due_at": timedelta(minutes=30), **fields}.items()
    }
    factories.EnrollmentFactory(account=account, **moments)
    assert queries.newly_past_due(scope, published).exists() is is_newly
    assert not queries.newly_past_due(scope, before).exists()


def test_a_run_that_published_nothing_changed_nothing(scope: Scope, account: Account) -> None:
    run = factories.SyncRunFactory(account=account, state="held")
    assert queries.groups(scope, run) == []
    assert not queries.new_rows(scope, run, Subject.PERSON).exists()
    assert not queries.newly_past_due(scope, run).exists()


def test_nothing_is_shown_to_whom_nobody_is_in_scope(account: Account, published: SyncRun) -> None:
    person = factories.PersonFactory(account=account, removed_at=published.published_at)
    change(published, Subject.PERSON, person.pk, "email", "a", "b")
    for scope in (Scope(account=account), Scope(account=account, roles=frozenset({"no such role"}))):
        assert not scope.changes().exists()
        assert not scope.quarantined().exists()
        assert queries.groups(scope, published) == []
        assert vanished.vanished(scope) == []
        assert vanished.total(scope) == 0


def test_another_accounts_changes_stay_there(as_alice: Client, scope: Scope, published: SyncRun) -> None:
    other = factories.SyncRunFactory(account=factories.AccountFactory(name="Another"))
    person = factories.PersonFactory(account=other.account, first_name="Somebody", last_name="Else")
    change(other, Subject.PERSON, person.pk, "email", "a", "b")
    change(published, Subject.PERSON, person.pk, "email", "a", "b")
    assert scope.changes().count() == 1
    text = as_alice.get("/sync/changes/").content.decode()
    assert "Somebody Else" not in text
    assert f"Person {person.pk}" in text


def test_values_read_as_a_reader_writes_them(account: Account, published: SyncRun) -> None:
    manager = factories.PersonFactory(account=account, first_name="Ulla", last_name="Chidi")
    names = {("person", manager.pk): queries.Name("Ulla Chidi")}
    with timezone.override(account.zone):
        for subject, field, text, words in [
            (Subject.ENROLLMENT, "due_at", "2026-11-20 22:30:00+00", "20 Nov 2026, 23:30"),
            (Subject.ENROLLMENT, "due_source", "hidden_extension", "Extended in KnowBe4; new date not published"),
            (Subject.ENROLLMENT, "time_spent", "754", "12:34"),
            (Subject.ENROLLMENT, "policy_acknowledged", "true", "yes"),
            (Subject.CAMPAIGN, "content_ids", "{3,4,5}", "3 items"),
            (Subject.PERSON, "manager", str(manager.pk), "Ulla Chidi"),
            (Subject.PERSON, "employee_start_date", "2026-02-01", "1 Feb 2026"),
            (Subject.PERSON, "status", "archived", "Archived"),
            (Subject.PERSON, "no_such_field", "as it came", "as it came"),
            (Subject.PERSON, "joined_at", "not a date", "not a date"),
            (Subject.PERSON, "email", None, "–"),
        ]:
            row = Change(account=account, run=published, subject=subject, subject_id=1, field=field)
            assert value_words(row, text, names) == words


def test_the_most_telling_kinds_come_first_and_noise_last() -> None:
    groups = [
        queries.Group(queries.Kind(Subject.PERSON, "current_risk_score"), 530),
        queries.Group(queries.Kind(Subject.CAMPAIGN, "end_at"), 9),
        queries.Group(queries.Kind(Subject.ENROLLMENT, "past_due"), 2),
        queries.Group(queries.Kind(Subject.ENROLLMENT, "completed"), 1),
    ]
    tiles, more = told(groups)
    assert [tile.words for tile in tiles] == ["completed", "newly past due", "campaigns: end date changes"]
    assert [item.words for item in more] == ["risk score changes"]
    assert kind_words(queries.Kind(Subject.PERSON, "new"), 1) == "new person"
    assert kind_words(queries.Kind(Subject.PERSON, "removed"), 2) == "people no longer returned"


def test_the_list_comes_in_pages_and_alone(
    as_alice: Client, account: Account, published: SyncRun, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    people = factories.PersonFactory.create_batch(51, account=account, department=None)
    for person in people:
        change(published, Subject.PERSON, person.pk, "job_title", "Clerk", "Head")
    with django_assert_max_num_queries(12):
        text = as_alice.get("/sync/changes/?subject=person&field=job_title").content.decode()
    assert "51 job title changes" in text
    assert "1 to 50 of 51" in text
    assert "subject=person&amp;field=job_title&amp;page=2" in text
    last = as_alice.get("/sync/changes/?subject=person&field=job_title&page=2", headers=LIST).content.decode()
    assert last.count('role="rowheader"') == 1
    assert "<html" not in last


@pytest.mark.parametrize(
    "address",
    [
        "run=x",
        "run=-1",
        "run=99999999999999999999",
        "run=999999",
        "subject=nobody&field=email",
        "subject=person",
        "subject=person&field=past_due",
        "subject=person&field=a;b",
    ],
)
def test_an_address_that_names_nothing_is_not_found(as_alice: Client, published: SyncRun, address: str) -> None:
    assert as_alice.get(f"/sync/changes/?{address}").status_code == 404


def test_before_the_first_publication_there_are_no_changes(as_alice: Client, account: Account) -> None:
    assert as_alice.get("/sync/changes/").status_code == 404


def test_changes_of_one_row_share_its_name(as_alice: Client, account: Account, published: SyncRun) -> None:
    enrollment: Enrollment = factories.EnrollmentFactory(account=account)
    for field in ("completed_at", "started_at"):
        change(published, Subject.ENROLLMENT, enrollment.pk, field, None, "2026-11-20 09:00:00+00")
    text = as_alice.get(f"/sync/changes/?run={published.pk}").content.decode()
    assert 'rowspan="2"' in text
    assert text.count(str(enrollment.person)) == 1


# The vanish register -------------------------------------------------------------------------------------------


def test_what_vanished_is_grouped_by_local_day_and_kind(scope: Scope, account: Account, published: SyncRun) -> None:
    late = datetime.fromisoformat("2026-11-20T23:30:00+00:00")  # the 21st in Berlin
    run = factories.SyncRunFactory(account=account, started_at=late - timedelta(minutes=2))
    assert run.published_at == late
    factories.PersonFactory.create_batch(2, account=account, removed_at=late)
    factories.CampaignFactory(account=account, removed_at=late - timedelta(hours=1))
    found = [(str(row.day), row.kind, row.rows, row.runs) for row in vanished.vanished(scope)]
    assert found == [("2026-11-21", "person", 2, (run,)), ("2026-11-20", "campaign", 1, ())]
    assert vanished.total(scope) == 3


def test_the_register_leads_to_the_rows_and_back_to_the_run(
    as_alice: Client, account: Account, published: SyncRun, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    factories.PersonFactory(account=account, first_name="Gone", last_name="Away", removed_at=published.published_at)
    with django_assert_max_num_queries(12):
        text = as_alice.get("/sync/vanished/").content.decode()
    day = published.published_at.astimezone(account.zone).date().isoformat()
    address = f"/sync/vanished/?kind=person&amp;day={day}"
    assert address in text
    with django_assert_max_num_queries(12):
        rows = as_alice.get(address.replace("&amp;", "&")).content.decode()
    assert "Gone Away" in rows
    assert f"/sync/runs/{published.pk}/" in rows
    assert "Gone Away" not in as_alice.get("/sync/vanished/?kind=person&day=2020-01-01").content.decode()


def test_the_register_says_when_nothing_vanished(as_alice: Client, published: SyncRun) -> None:
    assert "KnowBe4 still returns all it ever did." in as_alice.get("/sync/vanished/").content.decode()


@pytest.mark.parametrize("address", ["kind=secret", "kind=person&day=yesterday"])
def test_a_register_of_nothing_is_not_found(as_alice: Client, published: SyncRun, address: str) -> None:
    assert as_alice.get(f"/sync/vanished/?{address}").status_code == 404


def test_the_rows_of_the_register_come_alone(as_alice: Client, alice: User, published: SyncRun) -> None:
    headers = {"HX-Request": "true", "HX-Target": "vanished-rows"}
    text = as_alice.get("/sync/vanished/?kind=campaign", headers=headers).content.decode()
    assert 'id="vanished-rows"' in text
    assert "<html" not in text
