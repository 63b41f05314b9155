"""A small filled account to ask."""

from datetime import datetime

import pytest

from dashboard.access import Scope
from dashboard.models import Membership
from dashboard.rollups import rebuild
from sync.filling import Size, fill
from sync.models import Account


@pytest.fixture
def account(db: None, now: datetime) -> Account:
    """Return an account filled with a small company, as of `now`."""
    account = fill(Size(people=80, enrollments=1_500, seed=5), at=now).account
    account.refresh_from_db()
    rebuild(account, at=now)
    return account


@pytest.fixture
def scope(account: Account) -> Scope:
    """Return the scope of someone who sees everybody."""
    return Scope(account, frozenset({Membership.Role.SECURITY_MANAGER}))
