"""Nothing a reader is told depends on people out of scope: no page, file, mail, program or assistant tells of them.

The same company stands twice, with different people, training, names and counts wherever a reader may not look; both
answer everything byte for byte the same, but for the clock, keys of forms and what is random.
"""

import itertools
import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction

from dashboard import rollups
from dashboard.models import Exemption, Export, SettingChange
from sync.models import (
    Account,
    Campaign,
    Change,
    ContentItem,
    Department,
    Enrollment,
    Group,
    GroupMembership,
    Person,
    PhishingResult,
    PhishingTest,
    QuarantinedRow,
    SyncRun,
)
from tests import factories
from tests.dashboard.api.asking import questions
from tests.dashboard.api.conftest import Program, token_for
from tests.dashboard.canary import MANAGER, MAY_SEE, Canary
from tests.dashboard.mcp.asking import ask, scope_of
from tests.dashboard.mcp.conftest import calls
from tests.dashboard.walking import answers, mailed, reported, signed_in, text_of

pytestmark = pytest.mark.slow
# Differ from one answer to the next: keys of forms and sessions, of scripts, the second, and hashes over these.
RANDOM = re.compile(
    r'csrfmiddlewaretoken" value="[^"]*|x-csrftoken[^}]*|nonce[=-]"?[\w+/=-]+|\b\d+\.\d+\.[\w-]{16}:[\w-]{43}'
    r"|[\w-]{16,}:[\w-]{6}:[\w-]{40,}|search=[\w-]{20,}|after=[\w:=-]{20,}|\d\d:30:\d\d(?:\.\d+)?|3[01]:\d\d(?:\.\d+)?"
    r"|message-id: <[^>]*>|={15}\d+==|(?:[\w+/]{76}\r?\n)+[\w+/=]+"
    r"|<v>46\d{3}\.\d+</v>|(?:[0-9a-f]{4} ){3}[0-9a-f]{4}|\b[0-9a-f]{64}\b|sha-256 [0-9a-f]{16}"
    r"|\b[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f-]{17}"
)
# A second factor's secret and a passkey's challenge are random as a whole, and about nobody else.
UNLIKE = re.compile(r"^/you/(?:app|passkeys)/")


@pytest.fixture
def canary(marked_companies: Canary, db: None, redis_url: str, settings: Any) -> Canary:
    """Return the two marked companies; nothing is asked too often."""
    settings.RATE_LIMITS = dict.fromkeys(settings.RATE_LIMITS, (1_000_000, 60))
    cache.clear()
    return marked_companies


def change_the_others(canary: Canary, role: str, now: datetime) -> None:
    """Change everybody whom the reader of a role may not see, and what is about them alone."""
    account, names = canary.account, itertools.count()
    others = [one for mark, people in canary.people.items() if mark not in MAY_SEE[role] for one in people]
    others = [one for one in others if one.account_id == account.pk]
    theirs = Enrollment.objects.filter(person__in=others)
    for person in others:
        word = f"Other{next(names)}"
        Person.objects.filter(pk=person.pk).update(
            first_name=word, last_name=word, email=f"{word}@else.example", job_title=word, location=word,
            division=word, organization=word, employee_number=word, current_risk_score=91.5,
        )  # fmt: skip
    theirs.filter(pk__in=list(theirs.order_by("pk").values_list("pk", flat=True)[::2])).update(
        reported_status="Passed", completed_at=now - timedelta(days=4), started_at=now - timedelta(days=5)
    )
    theirs.filter(completed_at=None).update(due_at=now - timedelta(days=70))
    PhishingResult.objects.filter(person__in=others).update(failed_at=None, clicked_at=None, reported_at=now)
    Exemption.objects.filter(person__in=others).update(approved_by=canary.readers["administrator"], approved_at=now)
    newcomers(canary, now)
    Campaign.objects.filter(account=account).update(completion_percentage=77)
    Group.objects.filter(account=account).update(member_count=99)
    PhishingTest.objects.filter(account=account).update(
        phish_prone_percentage=0.9, delivered_count=99, clicked_count=55, scheduled_count=99
    )
    describe_runs(account, people=900)
    rollups.rebuild(account, at=now)


def describe_runs(account: Account, *, people: int) -> None:
    """Let the syncs have read so many people, and more of everything else the more they are."""
    SyncRun.objects.filter(account=account).update(
        requests_made=people + 5,
        counts={"person": {"inserted": people}, "enrollment": {"inserted": people * 3}},
        resources={
            "users": {"title": "People", "state": "done", "rows": people, "requests": people, "expected": people}
        },
        plan={"campaigns": people, "total": people},
    )
    SyncRun.objects.filter(account=account, state=SyncRun.State.HELD).update(message=f"People fell from {people} to 3.")


def newcomers(canary: Canary, now: datetime) -> None:
    """Add a department with three people, who alone have a campaign, a group and a phishing test."""
    account = canary.account
    run = SyncRun.objects.filter(account=account, published_at__isnull=False)[0]
    home = factories.DepartmentFactory(account=account, name="Elsewhere")
    campaign = factories.CampaignFactory(account=account, name="Elsewhere only", end_at=now + timedelta(days=3))
    group = Group.objects.create(
        account=account, knowbe4_id=7_000_001, name="Elsewhere only", status="active", first_seen_at=now
    )
    Campaign.objects.filter(pk=campaign.pk).update(group_ids=[group.pk])
    test = PhishingTest.objects.create(
        account=account, knowbe4_id=7_000_002, name="Elsewhere only", started_at=now - timedelta(days=5),
        first_seen_at=now,
    )  # fmt: skip
    content = ContentItem.objects.filter(account=account)[0]
    older = Campaign.objects.filter(account=account).order_by("pk")[0]
    decider = canary.readers["administrator"]
    for number in range(3):
        person = factories.PersonFactory(account=account, department=home, department_name=home.name)
        for one in (campaign, older):
            enrollment = factories.EnrollmentFactory(
                account=account, person=person, campaign=one, content=content, enrolled_at=now - timedelta(days=20),
                due_at=now - timedelta(days=number), reported_status="Past Due",
            )  # fmt: skip
            changed(account, run, Change.Subject.ENROLLMENT, enrollment.pk)
        GroupMembership.objects.create(account=account, group=group, person=person, first_seen_at=now)
        PhishingResult.objects.create(
            account=account, test=test, knowbe4_id=7_000_010 + number, person=person, first_seen_at=now,
            delivered_at=now - timedelta(days=5), failed_at=now - timedelta(days=4),
        )  # fmt: skip
        changed(account, run, Change.Subject.PERSON, person.pk)
        exemption = Exemption.objects.create(
            account=account, person=person, reason="other", note="Elsewhere", starts_at=now, requested_by=decider,
            requested_at=now,
        )  # fmt: skip
        SettingChange.objects.create(
            account=account, subject="exemption", subject_id=exemption.pk, field="state", new="requested",
            changed_by=decider, changed_at=now, reason="Elsewhere",
        )  # fmt: skip
        canary.add("person", person)
        canary.add("exemption", exemption)
    for subject, row in ((Change.Subject.CAMPAIGN, campaign), (Change.Subject.GROUP, group),
                         (Change.Subject.PHISHING_TEST, test)):  # fmt: skip
        changed(account, run, subject, row.pk)
    QuarantinedRow.objects.create(account=account, run=run, list_key="users", reason="Odd", raw='{"name": "x"}')
    Export.objects.create(account=account, user=decider, table="people", requested_at=now)
    canary.add("department", home)
    canary.add("campaign", campaign)


def changed(account: Account, run: SyncRun, subject: int, key: int) -> None:
    """Record that a sync found another name."""
    Change.objects.create(
        account=account, run=run, observed_at=run.published_at, subject=subject, subject_id=key, field="name",
        old="Old", new="New",
    )  # fmt: skip


def told(canary: Canary, role: str, asked: list[Any], tools: list[Any], now: datetime, place: Path) -> dict[str, str]:
    """Return everything that the reader is told, by what was asked."""
    place.mkdir()
    reader = canary.readers[role]
    return {key: RANDOM.sub("*", text) for key, text in _told(canary, role, asked, tools, now, place, reader)}


def _told(
    canary: Canary, role: str, asked: list[Any], tools: list[Any], now: datetime, place: Path, reader: Any
) -> Iterator[tuple[str, str]]:
    for address, response in answers(signed_in(canary, role), canary):
        if not UNLIKE.match(address):
            yield address, f"{response.status_code} {text_of(response)}"
    program = Program(token_for(reader, canary.account))
    for path, query, kind in asked:
        response = program.get(path, **query, format=kind)
        yield f"api {path} {query} {kind}", f"{response.status_code} {text_of(response)}"
    scope = scope_of(reader, canary.account)
    for name, arguments in tools:
        yield f"tool {name} {arguments}", json.dumps(ask(scope, name, arguments), default=str)
    for content, about, text in mailed(canary, reader, account=canary.account, at=now, place=place):
        yield f"mail {content} {about}", text
    for name, by, text in reported(reader, canary.account):
        yield f"command {name} {by}", text


@pytest.mark.parametrize(
    "role",
    ["department_head", *(pytest.param(role, marks=pytest.mark.soak) for role in ("people_manager", "borrower"))],
)
def test_nothing_told_depends_on_people_out_of_scope(canary: Canary, role: str, now: datetime, tmp_path: Path) -> None:
    keys = {kind: list(values) for kind, values in canary.keys.items()}
    describe_runs(canary.account, people=8)
    try:
        with transaction.atomic():
            old = list(questions()), list(calls(canary.account))
            change_the_others(canary, role, now)
            # What is asked is the same: the keys and names of both.
            asked = [*old[0], *(one for one in questions() if one not in old[0])]
            tools = [*old[1], *(one for one in calls(canary.account) if one not in old[1])]
            with transaction.atomic():
                different = told(canary, role, asked, tools, now, tmp_path / "different")
                transaction.set_rollback(True)
            transaction.set_rollback(True)
        cache.clear()
        same = told(canary, role, asked, tools, now, tmp_path / "same")
    finally:
        canary.keys.clear()
        canary.keys.update(keys)
    assert different.keys() == same.keys()
    assert len(same) > 700
    unlike = [f"{key}\n{_difference(text, different[key])}" for key, text in same.items() if text != different[key]]
    assert not unlike, f"{len(unlike)} of {len(same)}:\n\n" + "\n\n".join(unlike[:40])
    assert MANAGER in MAY_SEE[role]


def _difference(one: str, other: str) -> str:
    place = next(n for n, (a, b) in enumerate(itertools.zip_longest(one, other)) if a != b)
    return "\n".join(f"  {text[max(0, place - 90) : place + 110]!r}" for text in (one, other))


def test_the_others_are_met_by_who_may(canary: Canary, now: datetime) -> None:
    program = Program(token_for(canary.readers["administrator"], canary.account))
    before = program.get("/campaigns", format="json").content
    change_the_others(canary, "department_head", now)
    assert program.get("/campaigns", format="json").content != before
    assert Department.objects.filter(name="Elsewhere").exists()
