"""A question for a list, whoever asks it, and its answer: which rows, how many, in which order, with which filters."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any, cast
from zoneinfo import ZoneInfo

from django.core.exceptions import BadRequest
from django.http import QueryDict

from dashboard.access import Scope
from dashboard.exports.columns import Column
from dashboard.figures.select_query import SelectQuery
from dashboard.queries.search import NOTHING, Search
from dashboard.requests.filters import Asked, asked
from dashboard.requests.searches import PARAMETER
from dashboard.scoped_request import ScopedRequest
from sync.models import Account

# More columns than any list has.
_MOST_COLUMNS = 100


@dataclass(frozen=True)
class Question:
    """Request of a page's address, in a scope and at a moment. A worker asks it as well as a request does.

    `GET` is the page's query, `search` whom it looks for: its address holds only a key. `now` is the clock, `as_of` the
    moment of figures; `past_day` is the day that it ends.
    """

    scope: Scope
    GET: QueryDict
    now: datetime
    as_of: datetime
    past_day: date | None = None
    search: Search = NOTHING

    def __post_init__(self) -> None:
        # A key whose words nobody brought along must not mean everybody.
        if self.GET.get(PARAMETER) and not self.search:
            object.__setattr__(self, "search", Search(is_lost=True))

    @property
    def account(self) -> Account:
        """The account. ValueError for who has none."""
        if self.scope.account is None:
            raise ValueError("Nobody asks without an account.")
        return self.scope.account

    @property
    def zone(self) -> ZoneInfo:
        """The account's time zone."""
        return self.account.zone

    @property
    def request(self) -> ScopedRequest:
        """The question as pages read a request: they look at nothing but its query, scope and moments."""
        return cast(ScopedRequest, self)

    @cached_property
    def asked(self) -> Asked:
        """The filters and the basis. BadRequest for a value that cannot be one."""
        return asked(self.request)

    @property
    def numbers(self) -> dict[str, Any]:
        """The arguments of queries about numbers."""
        return {"as_of": self.as_of, **self.asked.question}


@dataclass(frozen=True)
class Answer:
    """The rows of a list: a query that the database writes out, or rows written one by one by `Column.of`.

    `order` and `filters` say in words how they were asked for.
    """

    count: int
    select_query: SelectQuery | None = None
    rows: Callable[[], Iterable[Any]] = field(default=lambda: ())
    order: str = ""
    filters: Sequence[tuple[str, str]] = ()
    subject: str = ""


@dataclass(frozen=True)
class Table:
    """A list that can be had as a file. `terms` are the names of the numbers it tells, as the registry defines them.

    `page` is the name of the page it belongs to; `allows` says who may have it, beside what the scope shows anyway.
    """

    key: str
    title: Any
    columns: Sequence[Column]
    ask: Callable[[Question], Answer]
    page: str
    terms: Sequence[str] = ()
    allows: Callable[[Scope], bool] = lambda scope: scope.account is not None
    notes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_of_log(self) -> bool:
        """Whether its rows are events of the audit log."""
        return self.key == "audit_log"

    def chosen(self, keys: Iterable[str]) -> list[Column]:
        """Return the columns with these keys, in the list's own order; without any those it has by default.

        BadRequest for one that it has not.
        """
        wanted = set(keys)
        if len(wanted) > _MOST_COLUMNS or wanted - {column.key for column in self.columns}:
            raise BadRequest("column is not one of the list's")
        return [column for column in self.columns if (column.key in wanted if wanted else column.is_default)]
