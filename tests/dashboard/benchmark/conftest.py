"""A small filled account to ask."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from dashboard.access import Scope
from dashboard.models import Membership
from dashboard.rollups import rebuild
from sync.filling import Size, fill
from sync.models import Account
from tests.clock import MOMENT


def filled() -> Account:
    """Return an account filled with a small company, as of the moment at which tests stand."""
    account = fill(Size(people=80, enrollments=1_500, seed=5), at=MOMENT).account
    account.refresh_from_db()
    rebuild(account, at=MOMENT)
    return account


@pytest.fixture(scope="module")
def filled_once(django_db_setup: None, django_db_blocker: Any) -> Iterator[Account]:
    """Return the filled account, made once for a module; not for modules with tests that commit."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield filled()
        transaction.set_rollback(True)


@pytest.fixture
def account(filled_once: Account, db: None) -> Account:
    """Return the filled account as the database has it."""
    return Account.objects.get(pk=filled_once.pk)


@pytest.fixture
def scope(account: Account) -> Scope:
    """Return the scope of someone who sees everybody."""
    return Scope(account=account, roles=frozenset({Membership.Role.SECURITY_MANAGER}))
