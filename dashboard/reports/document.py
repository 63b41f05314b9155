"""Document of every report: whose figures, as of when, from which sync, and the hash of its data."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import slugify
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from dashboard.access import Scope
from dashboard.figures.selection import Basis
from dashboard.formats import day
from dashboard.queries.branding import branding
from dashboard.reports.blocks import cut
from dashboard.reports.rendering import Rendered, data_hash, render, short_hash
from sync.models import Account


@dataclass(frozen=True)
class Question:
    """Reader who asks, and moment: `as_of` is `now`, or the end of the past `day`. `basis`: whose department counts."""

    scope: Scope
    as_of: datetime
    now: datetime
    day: date | None = None
    basis: Basis = Basis.NOW

    @property
    def account(self) -> Account:
        """The account. ValueError for a scope without one: it has no reports."""
        if self.scope.account is None:
            raise ValueError("A scope without an account has no reports.")
        return self.scope.account

    @property
    def zone(self) -> ZoneInfo:
        """The account's zone, in which days are counted."""
        return self.account.zone

    @property
    def moment(self) -> str:
        """The moment of the figures in words: a past day at its end, now to the minute."""
        if self.day is not None:
            return _("end of %(day)s") % {"day": date_format(self.day, "j M Y")}
        return minute(self.as_of)

    @property
    def date(self) -> date:
        """The local day that the figures are of."""
        return (self.as_of - timedelta(microseconds=1)).astimezone(self.zone).date()


@dataclass(frozen=True)
class Document:
    """One report: which template sets which data. `heading` stands above its first sentence, `title` in lists of files.

    `facts` are up to three pairs of words beside the logo; `scope` says whose figures it holds.
    """

    question: Question
    template: str
    title: str
    heading: str
    scope: str
    facts: tuple[tuple[str, str], ...]
    content: dict[str, Any]

    @property
    def data(self) -> dict[str, Any]:
        """Everything the PDF shows but its hash: what the hash is of."""
        question, account = self.question, self.question.account
        look = branding(question.scope)
        return {
            **self.content,
            "frame": {
                "title": self.title,
                "heading": self.heading,
                "account": str(account),
                "description": _("%(scope)s, as of %(moment)s") % {"scope": self.scope, "moment": question.moment},
                "language": (get_language() or "en").split("-")[0],
                "color": look.color,
                "logo": look.logo,
                "logo_alt": _("Logo of %(account)s") % {"account": account},
                "facts": [{"title": title, "value": value} for title, value in self.facts],
                "pages": _("Page %(page)s of %(pages)s") % {"page": "{page}", "pages": "{pages}"},
                "footer": [[f"Rollcall, {account}", *self._scope()], list(self._source())],
                "keywords": [],
            },
        }

    def _scope(self) -> Iterable[str]:
        yield cut(self.scope, 70)
        yield _("As of %(moment)s") % {"moment": self.question.moment}

    def _source(self) -> Iterable[str]:
        account = self.question.account
        if account.published_run is not None and account.data_as_of is not None:
            yield _("Sync %(run)s of %(moment)s") % {
                "run": account.published_run.number,
                "moment": minute(account.data_as_of),
            }

    @property
    def file_name(self) -> str:
        """Name of the file: "board-report-2026-11-17.pdf"."""
        return f"{slugify(self.title)[:80] or 'report'}-{self.question.date.isoformat()}.pdf"

    def rendered(self) -> Rendered:
        """Return the PDF with the hash in its footer and its keywords. RenderingError when it cannot be made."""
        data = self.data
        full = data_hash(data)
        frame = data["frame"]
        frame["footer"][-1].append(_("SHA-256 of the data %(hash)s") % {"hash": short_hash(full)})
        frame["keywords"] = [f"sha256:{full}"]
        return Rendered(render(self.template, data, at=self.question.as_of), full, self.file_name)


def minute(moment: datetime) -> str:
    """Write a moment to the minute with its zone: "17 Nov 2026, 10:42 CET"."""
    there = timezone.localtime(moment)
    return f"{day(moment)}, {there:%H:%M} {there.tzname()}"
