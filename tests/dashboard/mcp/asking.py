"""Calls of tools with a token, and the marks of people in the answers."""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from dashboard.access import Scope
from dashboard.identity.tokens import authenticate
from dashboard.mcp.answering import answer
from dashboard.mcp.reading import Reader
from dashboard.models import User
from dashboard.services import tokens
from sync.models import Account
from tests.clock import MOMENT
from tests.dashboard.mcp.conftest import calls
from tests.dashboard.walking import MARK


def scope_of(user: User, account: Account, *, numbers_only: bool = False) -> Scope:
    """Return the scope that a token of the reader has."""
    now = MOMENT
    _token, secret = tokens.create(
        user, account, "Test", expires_at=now + timedelta(days=3), at=now, numbers_only=numbers_only
    )
    caller = authenticate(secret, at=now)
    assert caller is not None
    return caller.scope


def ask(scope: Scope, name: str, arguments: Mapping[str, Any] | None = None) -> Any:
    """Return what a tool tells."""
    return answer(Reader(scope, MOMENT), name, arguments or {}, note=lambda call, details: None)


def told(scope: Scope) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Ask every tool about things of every account there is."""
    for account in Account.objects.order_by("pk"):
        for name, arguments in calls(account):
            yield name, arguments, ask(scope, name, arguments)


def marks(arguments: Mapping[str, Any], answered: Any) -> set[str]:
    """Return the marks in an answer; an error repeats what was asked."""
    known = set() if isinstance(answered, dict) else set(MARK.findall(json.dumps(arguments)))
    return set(MARK.findall(json.dumps(answered))) - known
