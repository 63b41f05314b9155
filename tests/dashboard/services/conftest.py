"""Deciders of these tests. Nobody signs in, so nobody needs a password, which takes its time to hash."""

import pytest

from dashboard.models import User
from sync.models import Account
from tests import factories


@pytest.fixture
def alice(account: Account) -> User:
    """Return a security manager."""
    return factories.UserFactory(email="alice@brackwater.example", password=None)


@pytest.fixture
def ines(account: Account) -> User:
    """Return an administrator."""
    return factories.UserFactory(email="ines@brackwater.example", password=None)
