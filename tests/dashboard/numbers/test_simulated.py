"""The simulator's company, published by the pipeline itself: what the mirror adds up to is what its facts add up to."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db.models import Model

from dashboard import rollups
from dashboard.models.settings import InferredTrigger
from sync.filling import Size, fill
from sync.models import Account, Campaign, Department, Enrollment, Group, Person, SyncRun
from sync.models.training import DueSource
from tests.dashboard.numbers.comparing import both_ways, compare_totals
from tests.dashboard.numbers.mirror import Mirror
from tests.oracle import records
from tests.oracle.companies import question
from tests.oracle.organization import Organization
from tests.oracle.records import Company, Question
from tests.oracle.simulated import simulated

pytestmark = pytest.mark.django_db
READ_AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
MOMENTS = (
    datetime(2023, 10, 1, tzinfo=UTC),
    datetime(2024, 2, 29, 23, 0, tzinfo=UTC),
    datetime(2024, 10, 27, 0, 30, tzinfo=UTC),
    datetime(2025, 12, 31, 23, 0, tzinfo=UTC),
    datetime(2026, 11, 22, 23, 0, tzinfo=UTC),
    READ_AT,
    datetime(2031, 1, 1, tzinfo=UTC),
)


@pytest.fixture
def published() -> tuple[Company, Mirror]:
    """Return the company as records, and the account that a first sync of it filled; days are Berlin's."""
    size = Size(people=60, enrollments=1_500, seed=11)
    run = fill(size, name="Simulated", at=READ_AT)
    Account.objects.filter(pk=run.account_id).update(time_zone=BERLIN.key)
    account = Account.objects.get(pk=run.account_id)
    return simulated(size.company(), READ_AT, BERLIN), mirror_of(account, run)


def mirror_of(account: Account, run: SyncRun) -> Mirror:
    """Return where the rows of an account are that a sync filled."""

    def ids(model: type[Model], name: str = "knowbe4_id") -> dict[Any, int]:
        return dict(model._default_manager.filter(account=account).values_list(name, "pk"))

    return Mirror(
        account,
        run,
        people=ids(Person),
        departments=ids(Department, "key"),
        campaigns=ids(Campaign),
        groups=ids(Group),
        enrollments=ids(Enrollment),
    )


@pytest.mark.slow
def test_published_facts_are_those_that_are_counted_by_hand(published: tuple[Company, Mirror]) -> None:
    company, mirror = published
    names = "knowbe4_id person__knowbe4_id campaign__knowbe4_id content__content_type reported_status enrolled_at"
    more = "started_at completed_at due_at policy_acknowledged due_source"
    rows = Enrollment.objects.filter(account=mirror.account).values_list(*names.split(), *more.split())
    found = {row[0]: (*row[:-1], row[-1] == DueSource.HIDDEN_EXTENSION) for row in rows}
    assert found == {
        row.key: (
            *(row.key, row.person, row.campaign, row.content_type, row.status, row.enrolled_at, row.started_at),
            *(row.completed_at, row.due_at, row.is_acknowledged, row.is_extended),
        )
        for row in company.enrollments
    }
    people = Person.objects.filter(account=mirror.account)
    organization = Organization(company)
    assert set(people.values_list("knowbe4_id", "status", "archived_at", "department__key", "manager__knowbe4_id")) == {
        (key, one.status, one.archived_at, organization.department(key), organization.manager(key))
        for key, one in company.people.items()
    }


@pytest.mark.slow
def test_figures_at_any_moment(published: tuple[Company, Mirror]) -> None:
    company, mirror = published
    company = replace(company, campaigns=with_inferred_triggers(company, mirror))
    rollups.rebuild(mirror.account, at=READ_AT)
    questions = [question(company, seed) for seed in range(3)] + [Question(at) for at in MOMENTS]
    for way in both_ways(mirror):
        for asking in questions if way == "tallies" else questions[:6]:
            compare_totals(company, mirror, asking, way)


def with_inferred_triggers(company: Company, mirror: Mirror) -> dict[int, records.Campaign]:
    """Return the campaigns with the trigger that was inferred: a judgment, which no count by hand repeats."""
    inferred = InferredTrigger.objects.filter(account=mirror.account)
    triggers = dict(inferred.values_list("campaign__knowbe4_id", "trigger"))
    return {key: replace(row, trigger=triggers.get(key, "unknown")) for key, row in company.campaigns.items()}
