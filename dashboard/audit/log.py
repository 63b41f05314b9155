"""The audit log: the one way to write to it, and to read it.

`record` is called inside the transaction of the act, so that both happen or neither. Details hold ids, counts, days
and words of our own: never the name, address or number of a person whose training is shown.
"""

import json
import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import datetime
from typing import TYPE_CHECKING

from django.contrib.auth.models import AnonymousUser
from django.db import connection, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils import timezone

from dashboard.client_address import client_network
from dashboard.models import User
from dashboard.models.audit import Action, AuditEvent, Subject, Through
from dashboard.proofs import prove
from sync.models import Account

_request: ContextVar[HttpRequest | None] = ContextVar("the request being answered", default=None)

if TYPE_CHECKING:
    from dashboard.access import Scope

__all__ = ["ActingMiddleware", "Action", "AuditEvent", "Subject", "Through", "asked", "events", "record"]

Detail = str | int | bool | None | list["Detail"] | dict[str, "Detail"]
ADDRESS = "(address)"
# Words, ids, days and their lists: what our own links put into an address. Anything else somebody typed.
WORD = re.compile(r"[A-Za-z0-9_.,:-]{0,60}")
TYPED = "(typed)"
# The key of a search says nothing to anybody but who searched, and not for long.
NOT_ASKED = frozenset({"found"})
# By a function that runs as the log's owner: the pages' role may not write to it, nor most who act read it.
WRITE = "SELECT rollcall_write_event(%s, %s)"
# Looking changes nothing else, so its commit need not wait for the disk: a power cut can take the looks of the last
# second with it, and whatever else commits is as durable as ever.
LOOKS = frozenset({Action.VIEWED_PERSON})
HURRIED = f"{WRITE} FROM (SELECT set_config('synchronous_commit', 'off', true)) AS hurry"


# What JSON may spell and Postgres keeps in no text: NUL, and halves of pairs of UTF-16.
_UNKEPT = re.compile("[\0\ud800-\udfff]")


def record(
    action: Action,
    *,
    account: Account | None,
    user: User | AnonymousUser | None,
    subject: Subject | str = "",
    subject_id: int | None = None,
    details: Mapping[str, object] | None = None,
    request: HttpRequest | None = None,
    through: Through | None = None,
    at: datetime | None = None,
) -> None:
    """Add an event to the account's log, in the transaction of the act.

    `user` is who really acts: for an administrator who views as a member, the administrator. `through` is taken from
    the request, the one being answered if none is given; without any it is a command, or a schedule when nobody acts.
    `at` is now unless given. TypeError for details other than texts, integers, booleans, None, lists and mappings of
    these: the hash is over their JSON, and fractions have no spelling of their own. Days are given as ISO texts. A text
    that holds an @ is not kept.

    The transaction must read what others committed meanwhile (READ COMMITTED, the default): with a fixed snapshot it
    fails at its end whenever another event of the account came first.
    """
    actor = user if isinstance(user, User) else None
    request = request or _request.get()
    if through is None:
        through = _through(request, actor)
    event = json.dumps(
        {
            "account": account.pk if account else None,
            "at": (at or timezone.now()).isoformat(),
            "actor": actor.pk if actor else None,
            "actor_email": actor.email if actor else "",
            "through": Through(through).value,
            "action": Action(action).value,
            "subject": Subject(subject).value if subject else "",
            "subject_id": subject_id,
            "details": _plain(details or {}),
            "network": client_network(request) if request is not None else "",
        }
    )
    statement = HURRIED if action in LOOKS and connection.in_atomic_block else WRITE
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute(statement, [event, prove("event", event)])


def asked(query: QueryDict) -> dict[str, list[str]]:
    """Return the parameters of an address for an event's details, without what somebody typed into a search box."""
    return {
        name: [value if WORD.fullmatch(value) else TYPED for value in values]
        for name, values in query.lists()
        if name not in NOT_ASKED
    }


class ActingMiddleware:
    """Lets `record` know the request being answered, wherever below the view an act happens."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = _request.set(request)
        try:
            return self.get_response(request)
        finally:
            _request.reset(token)


def events(scope: "Scope") -> QuerySet[AuditEvent]:
    """Return the account's events; none unless the reader may read the log."""
    if scope.account is None or not scope.may_read_audit:
        return AuditEvent.objects.none()
    return AuditEvent.objects.filter(account=scope.account)


def _through(request: HttpRequest | None, actor: User | None) -> Through:
    """Return the way by which a request acts; a view as somebody else says so itself."""
    if request is None:
        return Through.COMMAND if actor else Through.SCHEDULE
    if getattr(getattr(request, "scope", None), "viewer", None) is not None:
        return Through.VIEW_AS
    return Through.PAGE


def _plain(value: object) -> Detail:
    """Return the value if its JSON has one spelling only; texts without what looks like somebody's address."""
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        return {_text(str(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    raise TypeError(f"An audit event holds no {type(value).__name__}.")


def _text(value: str) -> str:
    """Return a text as Postgres keeps it in JSON: programs send anything, as names of parameters, too."""
    return ADDRESS if "@" in value else _UNKEPT.sub("", value)
