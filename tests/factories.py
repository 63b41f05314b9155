"""Rows for tests: each factory builds one valid row with invented names; tests say what matters to them."""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import factory
from django.contrib.auth.hashers import make_password
from factory.django import DjangoModelFactory

from dashboard.models import Membership, User
from sync.models import Account, Campaign, ContentItem, Department, Enrollment, Group, Person, SyncRun
from sync.models.training import ContentType, DueSource

SEEN_AT = datetime(2024, 1, 8, 6, 0, tzinfo=UTC)
PASSWORD = "correct horse battery staple"


class AccountFactory(DjangoModelFactory[Account]):
    """A connected KnowBe4 tenant, without any sync."""

    class Meta:
        model = Account

    name = factory.Sequence(lambda n: f"Brackwater Mutual {n:05}" if n else "Brackwater Mutual")
    api_key = "not-a-key"
    time_zone = "Europe/Berlin"


class UserFactory(DjangoModelFactory[User]):
    """Someone who can sign in with `PASSWORD`, without any membership."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"reader{n:05}@brackwater.example")

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **fields: Any) -> User:
        password = _hashed(fields.pop("password", PASSWORD))
        return model_class.objects.create(**fields, password=password)


@cache
def _hashed(password: str) -> str:
    """Hash a password once: Argon2 takes a fifth of a second, and thousands of tests have users."""
    return make_password(password)


class MembershipFactory(DjangoModelFactory[Membership]):
    """A security manager's membership."""

    class Meta:
        model = Membership

    user = factory.SubFactory(UserFactory)
    account = factory.SubFactory(AccountFactory)
    role = Membership.Role.SECURITY_MANAGER


class DepartmentFactory(DjangoModelFactory[Department]):
    """A department with a name of its own."""

    class Meta:
        model = Department

    account = factory.SubFactory(AccountFactory)
    name = factory.Sequence(lambda n: f"Department {n:05}")
    key = factory.LazyAttribute(lambda department: department.name.casefold())


class PersonFactory(DjangoModelFactory[Person]):
    """An active person with a department."""

    class Meta:
        model = Person

    account = factory.SubFactory(AccountFactory)
    knowbe4_id = factory.Sequence(lambda n: 1000 + n)
    first_name = "Invented"
    last_name = factory.Sequence(lambda n: f"Person {n:05}")
    email = factory.LazyAttribute(lambda person: f"person{person.knowbe4_id}@brackwater.example")
    status = "active"
    department = factory.SubFactory(DepartmentFactory, account=factory.SelfAttribute("..account"))
    first_seen_at = SEEN_AT


class GroupFactory(DjangoModelFactory[Group]):
    """A group at KnowBe4 that has members."""

    class Meta:
        model = Group

    account = factory.SubFactory(AccountFactory)
    knowbe4_id = factory.Sequence(lambda n: 3000 + n)
    name = factory.Sequence(lambda n: f"Group {n:05}")
    status = "active"
    first_seen_at = SEEN_AT


class ContentItemFactory(DjangoModelFactory[ContentItem]):
    """A training module from the store."""

    class Meta:
        model = ContentItem

    account = factory.SubFactory(AccountFactory)
    source = ContentItem.Source.STORE_PURCHASE
    knowbe4_id = factory.Sequence(lambda n: 5000 + n)
    name = factory.Sequence(lambda n: f"Module {n:05}")
    content_type = ContentType.MODULE
    first_seen_at = SEEN_AT


class CampaignFactory(DjangoModelFactory[Campaign]):
    """A campaign in progress with an end date."""

    class Meta:
        model = Campaign

    account = factory.SubFactory(AccountFactory)
    knowbe4_id = factory.Sequence(lambda n: 7000 + n)
    name = factory.Sequence(lambda n: f"Campaign {n:05}")
    reported_status = "In Progress"
    duration_type = "Specific End Date"
    start_at = SEEN_AT
    end_at = datetime(2026, 11, 27, 23, 0, tzinfo=UTC)
    first_seen_at = SEEN_AT


class EnrollmentFactory(DjangoModelFactory[Enrollment]):
    """An open enrollment, enrolled long ago, without a due date."""

    class Meta:
        model = Enrollment

    account = factory.SubFactory(AccountFactory)
    knowbe4_id = factory.Sequence(lambda n: 90_000 + n)
    person = factory.SubFactory(PersonFactory, account=factory.SelfAttribute("..account"))
    campaign = factory.SubFactory(CampaignFactory, account=factory.SelfAttribute("..account"))
    content = factory.SubFactory(ContentItemFactory, account=factory.SelfAttribute("..account"))
    reported_status = "Not Started"
    enrolled_at = SEEN_AT
    due_source = DueSource.NONE
    first_seen_at = SEEN_AT


class SyncRunFactory(DjangoModelFactory[SyncRun]):
    """A full sync that was published two minutes after it began."""

    class Meta:
        model = SyncRun

    account = factory.SubFactory(AccountFactory)
    kind = SyncRun.Kind.FULL
    trigger = SyncRun.Trigger.SCHEDULE
    state = SyncRun.State.PUBLISHED
    phase = SyncRun.Phase.DONE
    started_at = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    heartbeat_at = factory.LazyAttribute(lambda run: run.started_at + timedelta(minutes=2))
    finished_at = factory.LazyAttribute(
        lambda run: None if run.state == SyncRun.State.RUNNING else run.started_at + timedelta(minutes=2)
    )
    published_at = factory.LazyAttribute(lambda run: run.finished_at if run.state == SyncRun.State.PUBLISHED else None)
    requests_made = 98
    counts = factory.LazyAttribute(
        lambda run: (
            {"enrollment": {"inserted": 3, "changed": 20, "vanished": 0, "restored": 0}} if run.published_at else {}
        )
    )


def publish(run: SyncRun) -> SyncRun:
    """Make `run` the one its account's pages show."""
    Account.objects.filter(pk=run.account_id).update(
        published_run=run, published_at=run.published_at, data_as_of=run.started_at
    )
    run.account.refresh_from_db()
    return run
