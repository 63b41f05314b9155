"""Reader and moment of a tool's call, and the sentence where there is no answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse

from dashboard.access import Scope
from dashboard.figures.selection import Filters
from dashboard.local_days import EARLIEST_YEAR, local_midnight
from dashboard.mcp.shapes import About, Sync
from dashboard.requests.filters import parameters
from dashboard.requests.named_filters import NoSuchFilterError, Wanted, resolve
from sync.models import Account, SyncRun


class ToolError(Exception):
    """A call that has no answer: KnowBe4's code, what is wrong, and what to do about it."""

    def __init__(self, code: int, message: str, resolution: str) -> None:
        super().__init__(f"{code} {message}. {resolution}")
        self.code = code


def invalid(what: str) -> ToolError:
    """Return the error for arguments that cannot be understood, or name what is not there."""
    return ToolError(400, "Invalid request", what)


def rate_limited(seconds: int) -> ToolError:
    """Return the error for too many calls."""
    return ToolError(429, "Rate limit exceeded", f"Wait {seconds} seconds, then call again, and less often.")


def unauthorized() -> ToolError:
    """Return the error for a secret that lets nobody in."""
    return ToolError(
        401,
        "Invalid API token",
        "Send a token of Rollcall as bearer: it may have ended, been revoked, or its member lost access. "
        f"Members make tokens, and read how to use them, at {settings.PUBLIC_URL}{reverse('tokens')}.",
    )


def figures_only() -> ToolError:
    """Return the error for a token of figures that asks about people."""
    return ToolError(
        403,
        "Insufficient permissions",
        "This token reads figures only, and this tells of people: use a token that may read people.",
    )


@dataclass(frozen=True)
class Reader:
    """Reader of a call, and its moment: every tool starts here."""

    scope: Scope
    now: datetime

    @property
    def account(self) -> Account:
        """The account that is asked about."""
        if self.scope.account is None:
            raise unauthorized()
        return self.scope.account

    @property
    def run(self) -> SyncRun:
        """The sync that answers stand on."""
        if self.account.published_run is None:
            raise ToolError(503, "No data yet", "Nothing was synced from KnowBe4 yet: try again after the first sync.")
        return self.account.published_run

    def require_people(self) -> None:
        """Refuse to tell a token of figures about people."""
        if self.scope.is_numbers_only:
            raise figures_only()

    def about(self, path: str, query: Mapping[str, Any] | None = None, *, as_of: datetime | None = None) -> About:
        """Return what an answer stands on, with a link to the page at `path`."""
        asked = {key: value for key, value in (query or {}).items() if value not in (None, "", [])}
        run = self.run
        return About(
            as_of=as_of or self.now,
            account=self.account.name,
            time_zone=self.account.time_zone,
            scope=str(self.scope.label),
            sync_run=Sync(id=run.pk, number=run.number, published_at=run.published_at, data_as_of=run.started_at),
            link=f"{settings.PUBLIC_URL}{path}{'?' + urlencode(asked, doseq=True) if asked else ''}",
        )

    def moment(self, text: str | None) -> tuple[datetime, dict[str, str]]:
        """Return the moment that a day ends, now for none or today, and what a link says of it. ToolError 400."""
        if not text:
            return self.now, {}
        try:
            day = date.fromisoformat(text.strip())
        except ValueError:
            raise invalid(f"as_of is a day like 2026-09-30, not {text[:40]!r}.") from None
        today = self.now.astimezone(self.account.zone).date()
        if day > today or day.year < EARLIEST_YEAR:
            raise invalid("as_of is not a day of the past.")
        if day == today:
            return self.now, {}
        return local_midnight(day + timedelta(days=1), self.account.zone), {"as_of": day.isoformat()}

    def filters(
        self,
        *,
        department: str | None = None,
        manager: str | None = None,
        campaign_id: int | None = None,
        content_type: str | None = None,
    ) -> tuple[Filters, dict[str, Any]]:
        """Return filters as they were written made ids, and what a link says of them. ToolError 400, 403, 404."""
        if manager is not None:
            self.require_people()
        if campaign_id is not None and not self.scope.campaigns().filter(knowbe4_id=campaign_id).exists():
            raise campaign_not_found(campaign_id)
        wanted = Wanted(
            campaign=[] if campaign_id is None else [campaign_id],
            content_type=[content_type] if content_type else [],
            department=[department.replace("\0", " ")] if department else [],
            manager=manager.replace("\0", " ") if manager else None,
        )
        try:
            found, _words = resolve(self.scope, wanted)
        except NoSuchFilterError as error:
            raise invalid(f"{error} It may be out of your scope.") from None
        return found, parameters(found)


def campaign_not_found(campaign_id: int) -> ToolError:
    """Return the error for an id that no campaign of the account has."""
    return ToolError(
        404,
        "Campaign not found",
        f"Verify campaign_id exists: {campaign_id} is no campaign here. List them with "
        "knowbe4_training_list_campaigns.",
    )


def listing(page: int, per_page: int, total: int) -> dict[str, Any]:
    """Return the fields of a `Listing`."""
    return {"page": page, "per_page": per_page, "total": total, "has_more": page * per_page < total}


def sliced(rows: Any, page: int, per_page: int) -> Any:
    """Return the rows of one page; a queryset is asked for no others."""
    return rows[(page - 1) * per_page : page * per_page]
