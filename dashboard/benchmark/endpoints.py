"""The addresses that are asked for: every page and every fragment, each time about somebody or something else."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, QuerySet
from django.urls import reverse

from dashboard.access import Scope
from dashboard.requests.searches import keep

Address = Callable[["Places"], str]

TWO_YEARS = 730


@dataclass(frozen=True)
class Endpoint:
    """A way into a page: `target` is the id of the element that htmx replaces, empty for the whole page."""

    name: str
    address: Address
    target: str = ""


class Places:
    """Rows of the account, drawn by chance; the same each time for the same seed and data."""

    def __init__(self, scope: Scope, *, now: datetime, reader: int = 0, seed: int = 7) -> None:
        if scope.account is None:
            raise ValueError("Nobody is asking.")
        self._rng = random.Random(seed)  # noqa: S311 - a benchmark needs no secrets
        self._reader = reader
        self._today = now.astimezone(scope.account.zone).date()
        people = scope.people()
        self.departments = _keys(scope.departments().filter(merged_into=None))
        self.campaigns = _keys(scope.campaigns())
        self.people = _keys(people.filter(archived_at=None), most=400)
        self.managers = _keys(people.annotate(lines=Count("reports__reports")).filter(lines__gt=0))
        self.runs = _keys(scope.runs())
        self.exemptions = _keys(scope.exemptions())
        self._names = list(people.order_by("pk").values_list("last_name", flat=True)[:400])

    def one(self, keys: Sequence[int]) -> int:
        """Return one of the keys; 0, which is nobody's, where there are none."""
        return self._rng.choice(keys) if keys else 0

    def day(self) -> str:
        """Return a day of the last two years, as addresses write it."""
        return (self._today - timedelta(days=self._rng.randrange(1, TWO_YEARS))).isoformat()

    def typed(self) -> str:
        """Return the first letters of somebody's name."""
        return self._rng.choice(self._names or ["a"])[: self._rng.choice((2, 3, 4))]

    def found(self) -> str:
        """Return the key of a search for somebody, kept for who is asking."""
        return keep(self._reader, self.typed())

    def page(self, most: int) -> int:
        """Return the number of a page of a list."""
        return self._rng.randrange(2, most)


def _keys(rows: QuerySet[Any], *, most: int = 5_000) -> list[int]:
    return list(rows.order_by("pk").values_list("pk", flat=True)[:most])


def _at(name: str, *keys: Callable[[Places], int], **query: Any) -> Address:
    """Return the address of a page; values of the query may be drawn."""

    def address(places: Places) -> str:
        written = {key: value(places) if callable(value) else value for key, value in query.items()}
        path = reverse(name, args=[key(places) for key in keys])
        return f"{path}?{urlencode(written)}" if written else path

    return address


def _department(places: Places) -> int:
    return places.one(places.departments)


def _campaign(places: Places) -> int:
    return places.one(places.campaigns)


def _person(places: Places) -> int:
    return places.one(places.people)


def _manager(places: Places) -> int:
    return places.one(places.managers)


def _run(places: Places) -> int:
    return places.one(places.runs)


def _exemption(places: Places) -> int:
    return places.one(places.exemptions)


LIST, PEOPLE = "past-due-list", "people-list"

PAGES = (
    Endpoint("overview", _at("overview")),
    Endpoint("overview, a past day", _at("overview", as_of=Places.day)),
    Endpoint("past due by department", _at("past_due")),
    Endpoint("past due by manager", _at("past_due", by="manager")),
    Endpoint("past due below a manager", _at("past_due", by="manager", manager=_manager)),
    Endpoint("past due by campaign", _at("past_due", by="campaign")),
    Endpoint("past due by campaign, a past day", _at("past_due", by="campaign", as_of=Places.day)),
    Endpoint("past due", _at("past_due", by="none")),
    Endpoint("past due, a later page", _at("past_due", by="none", page=lambda places: places.page(20))),
    Endpoint("past due of a department", _at("past_due", department=_department)),
    Endpoint("past due, two filters", _at("past_due", department=_department, campaign=_campaign)),
    Endpoint("past due, a past day", _at("past_due", as_of=Places.day)),
    Endpoint("campaigns", _at("campaigns")),
    Endpoint("campaigns, a past day", _at("campaigns", as_of=Places.day)),
    Endpoint("campaign", _at("campaign", _campaign)),
    Endpoint("campaign, a past day", _at("campaign", _campaign, as_of=Places.day)),
    Endpoint("campaign beside KnowBe4", _at("campaign_reconciliation", _campaign)),
    Endpoint("people", _at("people")),
    Endpoint("people, a past day", _at("people", as_of=Places.day)),
    Endpoint("people of a department", _at("people", department=_department)),
    Endpoint("people past due", _at("people", standing="past_due")),
    Endpoint("person", _at("person", _person)),
    Endpoint("person, a past day", _at("person", _person, as_of=Places.day)),
    Endpoint("trends", _at("trends")),
    Endpoint("trends by month", _at("trends", period="month")),
    Endpoint("trends of a department", _at("trends", department=_department)),
    Endpoint("trends, a past day", _at("trends", as_of=Places.day)),
    Endpoint(
        "review", _at("review_quarter", lambda places: int(places.day()[:4]), lambda places: places.one((1, 2, 3)))
    ),
    Endpoint("passport", _at("passport", lambda _: "people_past_due")),  # type: ignore[arg-type,return-value]
    Endpoint("settings", _at("settings")),
    Endpoint("settings of campaigns", _at("settings_campaigns")),
    Endpoint("settings of a campaign", _at("settings_campaign", _campaign)),
    Endpoint("settings of departments", _at("settings_departments")),
    Endpoint("settings of a department", _at("settings_department", _department)),
    Endpoint("exemptions", _at("exemptions")),
    Endpoint("sync", _at("sync")),
    Endpoint("sync run", _at("sync_run", _run)),
    Endpoint("changes", _at("sync_changes")),
    Endpoint("vanished", _at("vanished")),
    Endpoint("accounts", _at("accounts")),
)

FRAGMENTS = (
    Endpoint("list of past due by department", _at("past_due"), LIST),
    Endpoint("list of past due of a department", _at("past_due", department=_department), LIST),
    *(
        Endpoint(f"list of past due, by {sort.lstrip('-')}", _at("past_due", by="none", sort=sort), LIST)
        for sort in ("-days", "-items", "person", "department", "manager", "-activity")
    ),
    Endpoint("people as one types", _at("people", found=Places.found), PEOPLE),
    *(
        Endpoint(f"list of people, by {sort.lstrip('-')}", _at("people", sort=sort), PEOPLE)
        for sort in ("person", "department", "manager", "-assigned", "-completed", "-past_due", "-activity", "-risk")
    ),
    Endpoint("list of campaigns", _at("campaigns"), "campaign-list"),
    Endpoint("people of a campaign", _at("campaign", _campaign), "campaign-people"),
    Endpoint("trends, changed", _at("trends", measure="completion"), "trends"),
    Endpoint("a number's passport", _at("passport", lambda _: "completion_rate"), "passport"),  # type: ignore[arg-type,return-value]
    Endpoint("state of the sync", _at("sync_status"), "sync-status"),
)
