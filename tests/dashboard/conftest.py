"""Who reads the pages in these tests, and the company they read about."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from dashboard.models import User
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
def charlie(account: Account) -> User:
    """Return someone who can sign in and has nothing here."""
    return factories.UserFactory(email="charlie@brackwater.example")


@pytest.fixture
def as_alice(client: Client, alice: User) -> Client:
    """Return a client signed in as Alice."""
    client.force_login(alice)
    return client


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
