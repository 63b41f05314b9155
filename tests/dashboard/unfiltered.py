"""The product without the filtering of `access.py`: what is left between a reader and everybody is the database."""

from collections.abc import Callable
from dataclasses import dataclass, field
from inspect import isfunction, signature
from typing import Any

import pytest
from django.db.models import QuerySet

from dashboard import row_security
from dashboard.access import Scope
from dashboard.models import Role, User
from sync.models import Account


@dataclass(frozen=True, kw_only=True)
class Unfiltered(Scope):
    """A scope that believes its reader sees everybody; each of its readings is every row of every account.

    `real` is what the reader may see. Only the database is told.
    """

    real: Scope = field(default_factory=Scope, compare=False)

    @property
    def shows_people(self) -> bool:
        """Whether rows of people are read: always."""
        return True


def _every_row(reading: Callable[[Any], QuerySet[Any]]) -> Callable[[Any], QuerySet[Any]]:
    return lambda scope: reading(scope).model._default_manager.all()


READINGS = {
    name: _every_row(reading)
    for name, reading in vars(Scope).items()
    if isfunction(reading) and list(signature(reading).parameters) == ["self"]
    and signature(reading).return_annotation is QuerySet
}  # fmt: skip
for _name, _reading in READINGS.items():
    setattr(Unfiltered, _name, _reading)


def take_the_filters_away(monkeypatch: pytest.MonkeyPatch, account: Account) -> None:
    """Let whoever signs in, shows a token or gets a mail be one who sees all of an account, and acts in every role.

    Whatever it is: theirs, another, or one in which they have nothing. The database is told what they really may see,
    which is decided once for each.
    """
    decide, show = Scope.of, row_security._show
    known: dict[int, Scope] = {}

    def believe(_class: type[Scope], user: Any, **asked: Any) -> Scope:
        if not isinstance(user, User):
            return decide(user, **asked)
        if user.pk not in known:
            real = decide(user, **asked)
            known[user.pk] = Unfiltered(
                account=account,
                roles=frozenset(Role.values),
                accounts=(account,),
                administered=real.administered,
                user=user,
                real=real,
            )
        return known[user.pk]

    monkeypatch.setattr(Scope, "of", classmethod(believe))
    monkeypatch.setattr(
        row_security, "_show", lambda scope: show(scope.real if isinstance(scope, Unfiltered) else scope)
    )
