"""Parameters of the API: those that lists share, the moment, and the filters in the language of `report`."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import Field

from dashboard.access import Scope
from dashboard.api import paging
from dashboard.figures.selection import Filters
from dashboard.local_days import EARLIEST_YEAR, local_midnight
from dashboard.metrics import CampaignState, State
from dashboard.models import Trigger
from dashboard.requests.named_filters import NoSuchFilterError, Wanted, resolve
from dashboard.web.problems import Problem
from sync.models import Account
from sync.models.training import ContentType

MOST_ROWS = 1_000
_MOST_VALUES = 200
LARGEST_ID = 2**63 - 1

Id = Annotated[int, Field(ge=0, le=LARGEST_ID)]
Ids = Annotated[list[Id], Field(max_length=_MOST_VALUES)]
Name = Annotated[str, Field(max_length=300)]
Names = Annotated[list[Name], Field(max_length=_MOST_VALUES)]
# What `moment` reads; empty is as if it were not given.
DAY_OR_MOMENT: dict[str, Any] = {"anyOf": [{"format": "date"}, {"format": "date-time"}, {"const": ""}]}


class Shown(Schema):
    """Parameters of every answer: its values, and their format."""

    fields: Annotated[str, Field(max_length=2_000)] = Field(
        "", description="The fields wanted, separated by commas; all without it.", examples=[""]
    )
    format: Literal["json", "csv", ""] = Field("", description="json or csv; without it what Accept prefers.")


class Listed(Shown):
    """One page of a list."""

    limit: int = Field(100, ge=1, le=MOST_ROWS, description="How many rows at most.")
    cursor: Annotated[str, Field(max_length=500)] = Field(
        "",
        description="The next_cursor of the page before, with the parameters of the first page.",
        examples=[""],
        json_schema_extra={"pattern": paging.PATTERN},
    )


class AsOf(Schema):
    """Moment of the answer."""

    as_of: Annotated[str, Field(max_length=40)] = Field(
        "",
        description="A day of the past, which means its end in the account's time zone, or a moment like "
        "2026-09-30T12:00+02:00. Without it: now, and the same moment on every page of a list.",
        examples=["2026-09-30"],
        json_schema_extra=DAY_OR_MOMENT,
    )


class AboutPeople(Schema):
    """About whom; every filter narrows, several values of one widen it."""

    department: Names = Field([], description='Names of departments; "No department" for none.', examples=[["Claims"]])
    group: Names = Field([], description="Names of groups of KnowBe4.")
    manager: Name = Field(
        "", description='The email of a manager, or the name of one without: their whole line; "none" for no manager.'
    )
    direct: bool = Field(False, description="Of a manager, the direct reports alone.")


class About(AboutPeople):
    """About whom and what."""

    campaign: Ids = Field([], description="KnowBe4's ids of campaigns.")
    campaign_state: list[CampaignState] = Field([], description="What the campaign is at the moment.")
    trigger: list[Trigger] = Field([], description="Why people were enrolled.")
    content_type: Names = Field([], description=", ".join(ContentType.values) + ".", examples=[["Policy"]])
    state: list[State] = Field([], description="Where the enrollment stands at the moment.")


def filters(scope: Scope, asked: AboutPeople) -> tuple[Filters, dict[str, object]]:
    """Return the filters, and those given in words. Problem 400 for what the scope does not hold."""
    named = {*AboutPeople.model_fields, *About.model_fields} & set(type(asked).model_fields)
    wanted: dict[str, Any] = {name: getattr(asked, name) for name in named}
    wanted["manager"] = asked.manager or None
    try:
        return resolve(scope, Wanted(**wanted))
    except NoSuchFilterError as error:
        raise Problem(400, str(error)) from None


def moment(text: str, account: Account, *, now: datetime, parameter: str = "as_of") -> tuple[datetime, date | None]:
    """Return the moment asked for and, if a day was, that day; today's is now. Problem 400 for any other text."""
    text = text.strip()
    if not text:
        return now, None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    try:
        if day is not None:
            today = now.astimezone(account.zone).date()
            if day == today:
                return now, None
            found = local_midnight(day + timedelta(days=1), account.zone)
        else:
            # A plus sign that was not written as %2B arrives as a blank.
            found = datetime.fromisoformat(text[:10] + text[10:11].replace(" ", "T") + text[11:].replace(" ", "+"))
            found = found if found.tzinfo else found.replace(tzinfo=account.zone)
            found.astimezone(account.zone)
    except (ValueError, OverflowError):
        raise Problem(
            400, f"{parameter} is a day like 2026-09-30 or a moment like 2026-09-30T12:00+02:00.", parameter=parameter
        ) from None
    if found > now or (day or found).year < EARLIEST_YEAR:
        raise Problem(400, f"{parameter} is not in the past.", parameter=parameter)
    return found, day
