"""A company with a schedule, a mail server, and settings as an EMAIL_URL makes them."""

from collections.abc import Callable, Iterator
from datetime import time
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from config import variables
from dashboard.models import Membership, Schedule, User
from sync.models import Account, Department
from tests import factories
from tests.clock import MOMENT
from tests.dashboard.mail.server import Inbox, serving


@pytest.fixture(autouse=True)
def room(tmp_path: Path, settings: Any) -> Path:
    """Return where the files of these tests are."""
    settings.MEDIA_ROOT = tmp_path
    settings.HAS_MAIL_SERVER = False
    return tmp_path / "mail"


@pytest.fixture
def mail_by(settings: Any) -> Callable[[str], None]:
    """Return a way to set mail up with an EMAIL_URL."""

    def set_up(url: str) -> None:
        for name, value in variables.email(url).items():
            setattr(settings, name, value)
        settings.HAS_MAIL_SERVER, settings.EMAIL_TIMEOUT = True, 2
        settings.DEFAULT_FROM_EMAIL = "Rollcall <reports@rollcall.example>"
        settings.PUBLIC_URL = "https://rollcall.example"

    return set_up


@pytest.fixture
def inbox() -> Inbox:
    """Return an inbox that no server fills yet."""
    return Inbox()


@pytest.fixture
def server(inbox: Inbox, mail_by: Callable[[str], None]) -> Iterator[Inbox]:
    """Return the inbox of a plain server that mail goes to."""
    with serving(inbox) as port:
        mail_by(f"smtp://127.0.0.1:{port}")
        yield inbox


@pytest.fixture
def head(company: Account) -> User:
    """Return the head of Claims."""
    user = factories.UserFactory(email="hana@brackwater.example", first_name="Hana", last_name="Ito")
    member = factories.MembershipFactory(user=user, account=company, role=Membership.Role.DEPARTMENT_HEAD)
    member.departments.add(Department.objects.get(account=company, name="Claims"))
    # As after a sync: without statistics of what a test has just written, Postgres may plan as for empty tables.
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE sync_person, sync_enrollment, dashboard_fact, dashboard_personstanding")
    return user


@pytest.fixture
def schedule(company: Account, alice: User, ines: User, head: User) -> Schedule:
    """Return a weekly mail of figures from Ines to Alice and the head of Claims."""
    return make_schedule(company, ines, alice, head)


def make_schedule(account: Account, owner: User, *recipients: User, **fields: Any) -> Schedule:
    """Return a schedule, weekly on Monday at 07:00 unless said otherwise."""
    at = MOMENT
    values: dict[str, Any] = {
        "name": "Weekly figures", "content": "figures", "frequency": "weekly", "weekday": 0, "at_time": time(7, 0),
        "created_at": at, "since": at,
    }  # fmt: skip
    found = Schedule.objects.create(account=account, owner=owner, **{**values, **fields})
    found.recipients.set(recipients)
    return found
