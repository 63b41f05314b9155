"""The second wall: what the database shows the pages' role, whatever it is asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import psycopg
import pytest
from django.apps import apps
from django.conf import settings
from django.db import ProgrammingError, connection, transaction

from dashboard import rollups
from dashboard.access import Scope
from dashboard.models import Membership, Role
from dashboard.row_security import POLICIES, ROLE, is_known, within
from sync.models import Account, Change, Person
from tests import factories
from tests.dashboard.company import build_company

pytestmark = pytest.mark.django_db
_OWN_APPS = ("sync", "dashboard")


@pytest.fixture
def full(account: Account, now: datetime) -> Account:
    """Return an account with a company, and another one beside it."""
    build_company(account, now)
    other = factories.EnrollmentFactory().account
    rollups.rebuild(other, at=now)
    return account


@contextmanager
def seen_by(scope: Scope) -> Iterator[None]:
    """Ask as the pages do, and take the transaction back."""
    with transaction.atomic():
        with within(scope):
            yield
        transaction.set_rollback(True)


def count(table: str, where: str = "true") -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table} WHERE {where}")  # noqa: S608 - ours
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize("model", [m for app in _OWN_APPS for m in apps.get_app_config(app).get_models()])
def test_somebody_decided_who_reads_each_table(model: type) -> None:
    assert is_known(model), "Say in dashboard.row_security who may read this table."


@pytest.mark.parametrize("table", POLICIES)
def test_without_a_scope_every_table_is_empty(full: Account, table: str) -> None:
    with seen_by(Scope()):
        assert count(table) == 0


def test_who_sees_everyone_sees_one_account(full: Account) -> None:
    people = Person.objects.filter(account=full).count()
    facts = count("dashboard_fact", f"account_id = {full.pk}")
    assert count("sync_person") > people
    with seen_by(Scope(account=full, roles=frozenset({Role.SECURITY_MANAGER}))):
        assert count("sync_person") == people
        assert count("dashboard_fact") == facts
        assert count("sync_enrollment") > 0


def test_a_head_sees_the_rows_of_a_department(full: Account) -> None:
    department = factories.DepartmentFactory._meta.model.objects.filter(account=full).exclude(key="").first()
    theirs = Person.objects.filter(account=full, department=department)
    scope = Scope(account=full, roles=frozenset({Role.DEPARTMENT_HEAD}), department_keys=frozenset({department.pk}))
    with_tallies = count("dashboard_tally", f"grain IN (1, 4) AND department_id = {department.pk}")
    expected = theirs.count()
    enrollments = theirs.filter(enrollments__isnull=False).values("enrollments").count()
    assert 0 < expected < count("sync_person")
    with seen_by(scope):
        assert count("sync_person") == expected
        assert count("dashboard_personstanding") == expected
        assert count("sync_enrollment") == enrollments
        assert count("dashboard_fact", f"department_id <> {department.pk}") == 0
        assert count("dashboard_tally") == with_tallies
        assert count("dashboard_settingchange") == count("sync_quarantinedrow") == 0


def test_changes_are_seen_with_whom_they_are_about(full: Account, now: datetime) -> None:
    run = factories.SyncRunFactory(account=full)
    known, unknown = Person.objects.filter(account=full).exclude(department=None).order_by("department")[:2]
    unknown = Person.objects.filter(account=full).exclude(department=known.department).first()
    for person in (known, unknown):
        Change.objects.create(account=full, run=run, observed_at=now, subject=1, subject_id=person.pk, field="email")
    scope = Scope(
        account=full, roles=frozenset({Role.DEPARTMENT_HEAD}), department_keys=frozenset({known.department_id})
    )
    with seen_by(scope):
        assert list(Change.objects.values_list("subject_id", flat=True)) == [known.pk]


def test_rows_out_of_scope_cannot_be_written(full: Account, now: datetime) -> None:
    department = factories.DepartmentFactory._meta.model.objects.filter(account=full).exclude(key="").first()
    other = Person.objects.filter(account=full).exclude(department=department).first()
    scope = Scope(account=full, roles=frozenset({Role.DEPARTMENT_HEAD}), department_keys=frozenset({department.pk}))
    with seen_by(scope):
        assert Person.objects.filter(pk=other.pk).update(job_title="Changed") == 0
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            Person.objects.create(
                account=full, knowbe4_id=987, status="active", first_seen_at=now, department=other.department
            )


def test_an_inner_scope_gives_way_to_the_outer_one(full: Account) -> None:
    everyone = Scope(account=full, roles=frozenset({Role.SECURITY_MANAGER}))
    with seen_by(everyone):
        before = count("sync_person")
        with within(Scope()):
            assert count("sync_person") == 0
        assert count("sync_person") == before
    assert count("sync_person") > before


def test_the_staging_area_is_closed(full: Account) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA staging_{full.pk}")
        cursor.execute(f"CREATE TABLE staging_{full.pk}.users (name text)")
    with (
        seen_by(Scope(account=full, roles=frozenset({Role.SECURITY_MANAGER}))),
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(),
    ):
        count(f"staging_{full.pk}.users")


@pytest.mark.django_db(transaction=True)
def test_a_login_of_the_pages_sees_nothing_by_itself() -> None:
    account = factories.EnrollmentFactory().account
    parameters = {**connection.get_connection_params(), "user": ROLE}
    for ours in ("context", "cursor_factory", "prepare_threshold"):
        parameters.pop(ours, None)
    wanted = ("host", "port", "dbname", "user")
    with psycopg.connect(**{key: parameters[key] for key in wanted if key in parameters}) as direct:
        assert direct.execute("SELECT count(*) FROM sync_person").fetchone() == (0,)
        direct.execute("SELECT set_config('rollcall.scope', %s, true)", [f"x y|{account.pk}|on||||on"])
        assert direct.execute("SELECT count(*) FROM sync_person").fetchone() == (0,)


def test_the_pages_sign_in_as_that_role() -> None:
    assert settings.WEB_DATABASE_URL.startswith(f"postgresql://{ROLE}@")


def test_a_search_finds_the_same_people_through_the_wall(full: Account, now: datetime) -> None:
    membership = factories.MembershipFactory(user=factories.UserFactory(), account=full)
    assert isinstance(membership, Membership)
    from dashboard.queries.people import Wanted, people  # noqa: PLC0415

    scope = Scope.of(membership.user)
    name = Person.objects.filter(account=full, status="active").first().last_name
    for text in (name, name[:2], f"{name} %", "o'_\\"):
        wanted = Wanted.typed(text)
        without = people(scope, as_of=now, wanted=wanted)
        with within(scope):
            assert people(scope, as_of=now, wanted=wanted) == without
