"""Shapes that the tools' answers share."""

from datetime import date, datetime
from typing import Annotated

from msgspec import Meta, Struct

from dashboard.queries.fields import PEOPLE, Field


class Shape(Struct, kw_only=True):
    """A part of an answer; its annotations become the schema."""


class Arguments(Struct, kw_only=True, forbid_unknown_fields=True):
    """Arguments of a tool; a name that it does not know is refused rather than passed over."""


def meaning(field: Field) -> Meta:
    """Return what the catalogue says of a field."""
    return Meta(description=field.meaning)


Name = Annotated[str, Meta(max_length=300)]
# KnowBe4's ids, as our database holds them.
Id = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Page = Annotated[int, Meta(ge=1, le=1_000_000, description="Which page; the first if not given.")]
PerPage = Annotated[int, Meta(ge=1, le=500, description="How many on a page, 500 at most.")]


class Sync(Shape):
    """The sync that an answer stands on."""

    id: int
    number: Annotated[int, Meta(description="Its number in the account, as the pages show it.")]
    published_at: datetime | None
    data_as_of: Annotated[
        datetime | None, Meta(description="When it began to read KnowBe4: nothing in the answer is older.")
    ]


class About(Shape):
    """Origin of an answer: say it along with the answer."""

    as_of: Annotated[datetime, Meta(description="The moment that everything is computed for.")]
    account: str
    time_zone: Annotated[str, Meta(description="The zone in which days and quarters are counted.")]
    scope: Annotated[str, Meta(description="Whose people are counted and shown: what the caller may see.")]
    sync_run: Sync
    link: Annotated[str, Meta(description="The page of Rollcall that shows the same.")]


class Listing(Shape):
    """One page of a list."""

    page: int
    per_page: int
    total: Annotated[int, Meta(description="How many there are on all pages.")]
    has_more: Annotated[bool, Meta(description="Whether there is a further page.")]


class Number(Shape):
    """One number."""

    metric: Annotated[str, Meta(description="Its name, for explain_number.")]
    title: str
    unit: str
    value: Annotated[
        float | int | None, Meta(description="Unrounded; null when there is nothing to divide by, which is not 0.")
    ]
    shown: Annotated[
        str, Meta(description="As Rollcall writes it: rates are rounded down, only a full house is 100%. Quote this.")
    ]
    numerator: int | None
    denominator: int | None
    gross: Annotated[str, Meta(description="The same with what is exempt, as written.")]


class Member(Shape):
    """Someone KnowBe4 trains."""

    id: Annotated[int, meaning(PEOPLE["person_knowbe4_id"])]
    first_name: str
    last_name: str
    email: str
    department: Annotated[str, Meta(description="Empty: no department.")]
    manager: Annotated[str, Meta(description="Empty: no manager.")]
    manager_email: str


class Day(Shape):
    """A span of days; `end` is the day after its last."""

    start: date
    end: date
