"""Readers of the pages in these tests, and the company they read about."""

import base64
import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
import redis
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dashboard.models import Membership, User
from sync.models import Account, SyncRun
from tests import factories
from tests.clock import MOMENT
from tests.dashboard.canary import Canary, build
from tests.dashboard.company import build_company
from tests.dashboard.signing_in import sign_in_lately


@pytest.fixture
def account(db: None) -> Account:
    """Return a connected account without data."""
    return factories.AccountFactory(name="Brackwater Mutual")


@pytest.fixture
def alice(account: Account) -> User:
    """Return a security manager: she sees everybody."""
    user = factories.UserFactory(email="alice@brackwater.example", first_name="Alice", last_name="Marlow")
    factories.MembershipFactory(user=user, account=account)
    return user


@pytest.fixture
def ines(account: Account) -> User:
    """Return an administrator of the account."""
    user = factories.UserFactory(email="ines@brackwater.example", first_name="Ines", last_name="Halloran")
    factories.MembershipFactory(user=user, account=account, role=Membership.Role.ADMINISTRATOR)
    return user


@pytest.fixture
def charlie(account: Account) -> User:
    """Return someone who can sign in and has nothing here."""
    return factories.UserFactory(email="charlie@brackwater.example")


@pytest.fixture
def as_alice(client: Client, alice: User) -> Client:
    """Return a client signed in as Alice."""
    client.force_login(alice)
    return client


@pytest.fixture
def as_ines(client: Client, ines: User) -> Client:
    """Return a client on which Ines has just signed in."""
    return sign_in_lately(client, ines)


@pytest.fixture(scope="module")
def marked_companies(django_db_setup: None, django_db_blocker: Any) -> Iterator[Canary]:
    """Return the two marked companies, built once for a module; what a test changes in them is undone with the test.

    Not for modules with tests that commit.
    """
    with django_db_blocker.unblock(), transaction.atomic():
        yield build(MOMENT)
        transaction.set_rollback(True)


@pytest.fixture
def queue(redis_url: str) -> Iterator["Queue"]:
    """Return the worker's queue, empty at the start and at the end."""
    waiting = Queue(redis_url)
    waiting.clear()
    yield waiting
    waiting.clear()
    waiting.client.close()


class Queue:
    """Tasks that pages handed to the workers, read from Redis as a worker would."""

    def __init__(self, url: str) -> None:
        self.client = redis.from_url(url)

    def clear(self) -> None:
        """Forget what waits."""
        self.client.delete("celery")

    def tasks(self) -> list[tuple[str, dict[str, Any]]]:
        """Return the tasks that wait, oldest first, each with its arguments."""
        found = []
        for message in reversed(self.client.lrange("celery", 0, -1)):
            parsed = json.loads(message)
            _args, arguments, _embed = json.loads(base64.b64decode(parsed["body"]))
            found.append((parsed["headers"]["task"], arguments))
        return found


@pytest.fixture
def published(account: Account, now: datetime) -> SyncRun:
    """Return a run published some minutes ago, shown by the account's pages."""
    return factories.publish(factories.SyncRunFactory(account=account, started_at=now - timedelta(minutes=12)))


@pytest.fixture
def company(account: Account, published: SyncRun, now: datetime) -> Account:
    """Return the account with a small company in training: 160 people, five campaigns, 90 days of past due."""
    build_company(account, now)
    return account


@pytest.fixture
def django_assert_max_num_queries(
    pytestconfig: pytest.Config,
) -> Callable[..., AbstractContextManager[CaptureQueriesContext]]:
    """Return a context that fails when more questions are asked than allowed.

    Savepoints, and what takes the reader's scope back after a page, are not counted: a page has them only inside the
    transaction of a test.
    """

    @contextmanager
    def at_most(number: int, info: str = "") -> Iterator[CaptureQueriesContext]:
        with CaptureQueriesContext(connection) as captured:
            yield captured
        asked = [query["sql"] for query in captured.captured_queries if not _BOOKKEEPING.match(query["sql"])]
        if len(asked) > number:
            listing = "\n\n".join(asked) if pytestconfig.get_verbosity() > 0 else "run with -v to read them"
            pytest.fail(f"{len(asked)} queries where {number} are allowed: {info} {listing}")

    return at_most


_BOOKKEEPING = re.compile(r"SAVEPOINT|RELEASE SAVEPOINT|ROLLBACK TO|SELECT set_config\('rollcall\.scope', '',")
