"""Who reads the pages in these tests, and the company they read about."""

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.test import Client
from django.utils import timezone

from dashboard.models import Membership, User
from sync.models import Account, SyncRun
from tests import factories
from tests.dashboard.company import build_company


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
    """Return a client signed in as Ines."""
    client.force_login(ines)
    return client


@pytest.fixture
def queue(redis_url: str) -> Iterator["Queue"]:
    """Return the worker's queue, empty at the start and at the end."""
    waiting = Queue(redis_url)
    waiting.clear()
    yield waiting
    waiting.clear()
    waiting.client.close()


class Queue:
    """What pages handed to the workers, read from Redis as a worker would."""

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
def published(account: Account) -> SyncRun:
    """Return a run published some minutes ago, shown by the account's pages."""
    return factories.publish(
        factories.SyncRunFactory(account=account, started_at=timezone.now() - timedelta(minutes=12))
    )


@pytest.fixture
def company(account: Account, published: SyncRun) -> Account:
    """Return the account with a small company in training: 160 people, five campaigns, 90 days of past due."""
    build_company(account, timezone.now())
    return account
