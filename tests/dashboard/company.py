"""A small company in training, enough for every block of the pages to have something to say."""

import random
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Model

from dashboard import rollups
from dashboard.models.rollups import CohortTally, Fact, PersonStanding, ReportingLine, RollupState, Tally
from sync.models import Account, Campaign, ContentItem, Department, Enrollment, Person
from sync.models.training import DueSource
from tests import factories

# What is written for a company: all of it belongs to the account.
_MODELS: tuple[type[Model], ...] = (
    *(Department, Person, ContentItem, Campaign, Enrollment),
    *(Fact, Tally, CohortTally, PersonStanding, ReportingLine, RollupState),
)


def build_company(account: Account, now: datetime) -> None:
    """Fill the account with 160 people in eight departments and the campaigns they owe.

    Hundreds of tests have this company, and it takes half a second: it is built once an hour, and copied. Within an
    hour its dates stay as far from now, in days, as they were. A second one in the same database is built anew.
    """
    hour = now.replace(minute=0, second=0, microsecond=0)
    copied = _copies.get(hour)
    if copied is not None and not Department.objects.filter(pk=copied.first).exists():
        copied.put(account)
        return
    _build(account, now)
    _copies.clear()
    _copies[hour] = Copy.of(account)


class Copy:
    """The rows of one account, by table, as Postgres writes them; without the account's key, which is another's."""

    def __init__(self, tables: dict[str, tuple[str, list[bytes]]], first: int) -> None:
        self._tables = tables
        self.first = first

    @classmethod
    def of(cls, account: Account) -> "Copy":
        """Take a copy of what there is of the account."""
        tables = {}
        with connection.cursor() as cursor:
            for model in _MODELS:
                table = model._meta.db_table
                fields = [field for field in model._meta.concrete_fields if not field.generated]
                columns = ", ".join(field.column for field in fields if field.column != "account_id")
                wanted = f"COPY (SELECT {columns} FROM {table} WHERE account_id = {account.pk}) TO STDOUT"  # noqa: S608 - ours
                with cursor.copy(wanted) as rows:
                    tables[table] = columns, b"".join(rows).splitlines(keepends=True)
        first = Department.objects.filter(account=account).order_by("pk").values_list("pk", flat=True)[0]
        _number_on()
        return cls(tables, first)

    def put(self, account: Account) -> None:
        """Write the rows as the account's, with the keys they had."""
        key = b"%d\t" % account.pk
        with connection.cursor() as cursor:
            for table, (columns, rows) in self._tables.items():
                with cursor.copy(f"COPY {table} (account_id, {columns}) FROM STDIN") as target:
                    target.write(b"".join(key + row for row in rows))
        _number_on()


def _number_on() -> None:
    """Give rows to come other keys than those of the copied ones: a sequence may have been set back with a test."""
    tables = [model._meta.db_table for model in _MODELS if model._meta.pk.column == "id"]
    parts = (
        f"setval('{table}_id_seq', greatest((SELECT max(id) FROM {table}), nextval('{table}_id_seq')))"  # noqa: S608 - ours
        for table in tables
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}")


_copies: dict[datetime, Copy] = {}


def _build(account: Account, now: datetime) -> None:
    dice = random.Random(7)
    names = ["Customer Service", "Claims", "Sales", "Underwriting", "Engineering", "Finance", "Human Resources", ""]
    departments = [factories.DepartmentFactory(account=account, name=name) for name in names]
    people = Person.objects.bulk_create(
        factories.PersonFactory.build(account=account, department=departments[min(index // 21, 7)])
        for index in range(160)
    )
    content = factories.ContentItemFactory(account=account)
    plan = [
        ("Payment fraud awareness", "In Progress", 11),
        ("Use of AI tools policy", "In Progress", 4),
        ("Autumn awareness 2026", "In Progress", -24),
        ("Information handling policy 2026", "Closed", -66),
        ("Code of conduct policy 2027", "Created", 74),
        ("Withdrawn pilot", "Cancelled", -40),
    ]
    rows = []
    for name, status, days in plan:
        due_at = now + timedelta(days=days, hours=3)
        start_at = due_at - timedelta(days=45)
        campaign = factories.CampaignFactory(
            account=account, name=name, reported_status=status, start_at=start_at, end_at=due_at
        )
        if start_at > now:
            continue
        for index, person in enumerate(people):
            diligence = dice.random() * (0.6 if index // 21 in {0, 1} else 1.2)
            wanted = start_at + timedelta(days=50 * max(0.02, 1.15 - diligence) * (1 + dice.random() / 4))
            done_at = wanted if wanted < now and diligence > 0.05 else None
            rows.append(
                # Not by the factory, which takes a millisecond for each: hundreds of tests have this company.
                Enrollment(
                    account=account,
                    knowbe4_id=5_000_000 + len(rows),
                    first_seen_at=factories.SEEN_AT,
                    person=person,
                    campaign=campaign,
                    content=content,
                    enrolled_at=start_at,
                    started_at=start_at + timedelta(days=2) if diligence > 0.3 else None,
                    completed_at=done_at,
                    due_at=due_at,
                    due_source=DueSource.CAMPAIGN_END,
                    reported_status="Passed" if done_at else "Past Due" if due_at < now else "Not Started",
                )
            )
    Enrollment.objects.bulk_create(rows)
    rollups.rebuild(account, at=now)
