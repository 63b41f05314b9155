"""Callers of the API: members' tokens, and a client that shows them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from dashboard.models import User
from dashboard.services import tokens
from sync.models import Account
from tests.clock import MOMENT


class Program:
    """A client that shows a token and keeps no cookies."""

    def __init__(self, secret: str) -> None:
        self.client = Client(raise_request_exception=False)
        self.headers = {"Authorization": f"Bearer {secret}"}

    def get(self, path: str, headers: dict[str, str] | None = None, **query: Any) -> Any:
        """Ask an address below /api/v1."""
        return self.client.get(f"/api/v1{path}", query, headers=self.headers | (headers or {}))

    def rows(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """Return the rows of every page of a list."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            response = self.get(path, **query, **({"cursor": cursor} if cursor else {}))
            assert response.status_code == 200, response.content
            page = response.json()
            found += page["data"]
            cursor = page["next_cursor"]
            if not cursor:
                return found


def token_for(user: User, account: Account, *, numbers_only: bool = False) -> str:
    """Return the secret of a new token."""
    now = MOMENT
    _token, secret = tokens.create(
        user, account, "Test", expires_at=now + timedelta(days=30), at=now, numbers_only=numbers_only
    )
    return secret


@pytest.fixture(autouse=True)
def _uncounted(redis_url: str) -> None:
    """Forget what was counted of earlier tests' calls."""
    cache.clear()


@pytest.fixture
def program(account: Account) -> Callable[..., Program]:
    """Return a maker of programs that call as a user."""

    def of(user: User, *, numbers_only: bool = False) -> Program:
        return Program(token_for(user, account, numbers_only=numbers_only))

    return of
