"""Deciders on exemptions in these tests."""

import pytest

from dashboard.models import User
from tests import factories


@pytest.fixture
def deciders(db: None) -> tuple[User, User]:
    """Return who requests exemptions and who approves them."""
    return factories.UserFactory(), factories.UserFactory()
