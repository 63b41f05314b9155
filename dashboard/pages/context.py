"""Context of the frame around every page: navigation, scope, freshness."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any, cast

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from dashboard.local_days import quarter_name
from dashboard.pages.sync_requests import SyncPanel, sync_panel
from dashboard.queries.vacancies import nobody_in
from dashboard.requests.account_paths import address_of
from dashboard.requests.filters import CARRIED
from dashboard.requests.searches import searched
from dashboard.scoped_request import ScopedRequest

# Typed after `g` wherever nothing is being written: the way to a page without the mouse.
KEYS = {
    "overview": "o",
    "past_due": "p",
    "campaigns": "c",
    "people": "e",
    "trends": "t",
    "review": "r",
    "sync": "s",
}


@dataclass(frozen=True)
class Entry:
    """One entry of the navigation: a named address, a word and an icon of the sprite; some for administrators only.

    `pages` are the addresses below it: on them the entry is the current one too. `is_about_numbers`: its pages show
    figures, and can show those of a past day.
    """

    name: str
    label: Any
    icon: str
    is_for_administrators: bool = False
    pages: tuple[str, ...] = ()
    is_about_numbers: bool = False
    is_for_readers_of_the_log: bool = False
    is_for_who_sees_everyone: bool = False

    @property
    def key(self) -> str:
        """The letter that leads to the page after `g`; empty for pages without one."""
        return KEYS.get(self.name, "")

    @property
    def address(self) -> str:
        """The address of its page."""
        return address_of(self.name)


# Pages are added here and nowhere else; the rail and the tabs at the foot of small screens both read it.
NAVIGATION: tuple[tuple[Entry, ...], ...] = (
    (
        Entry("overview", _("Overview"), "overview", pages=("passport",), is_about_numbers=True),
        Entry("past_due", _("Past due"), "pastdue", pages=("past_due_addresses",), is_about_numbers=True),
        Entry(
            "campaigns",
            _("Campaigns"),
            "campaigns",
            pages=("campaign", "campaign_reconciliation"),
            is_about_numbers=True,
        ),
        Entry("people", _("People"), "people", pages=("person",), is_about_numbers=True),
        Entry("trends", _("Trends"), "trends", is_about_numbers=True),
    ),
    (
        Entry("review", _("Quarterly review"), "review", pages=("review_quarter",), is_about_numbers=True),
        Entry("reports", _("Reports"), "print", pages=("report",), is_about_numbers=True),
        Entry("exports", _("Exports"), "download", pages=("export", "export_file")),
        Entry(
            "schedules",
            _("Schedules"),
            "mail",
            pages=("schedule", "add_schedule", "edit_schedule", "preview_schedule"),
            is_for_who_sees_everyone=True,
        ),
        Entry("evidence", _("Evidence"), "check", pages=("evidence_file",), is_for_who_sees_everyone=True),
        Entry(
            "sync",
            _("Sync"),
            "sync",
            pages=("sync_run", "sync_changes", "vanished", "console_imports", "console_import"),
        ),
        Entry(
            "settings",
            _("Settings"),
            "settings",
            pages=(
                "settings_log",
                "settings_campaigns",
                "settings_campaign",
                "settings_departments",
                "settings_department",
                "settings_licenses",
                "check_mail",
                "exemptions",
                "exemption",
                "request_exemption",
                "import_exemptions",
                "members",
                "invite_member",
                "member",
                "single_sign_on",
                "add_group",
            ),
            is_for_who_sees_everyone=True,
        ),
        Entry("audit_log", _("Audit log"), "lock", is_for_readers_of_the_log=True),
        Entry(
            "accounts",
            _("Accounts"),
            "key",
            is_for_administrators=True,
            pages=("add_account", "edit_account", "check_api"),
        ),
    ),
)
TABS = 4


class Shell:
    """The frame of one page. What costs a query is read when a template asks for it."""

    def __init__(self, request: ScopedRequest) -> None:
        self.request = request

    @cached_property
    def groups(self) -> tuple[tuple[Entry, ...], ...]:
        """The navigation in its groups, as far as it is the reader's."""
        scope = self.request.scope
        manages, audits = scope.manages_accounts, scope.may_read_audit
        return tuple(
            tuple(
                entry
                for entry in group
                if (manages or not entry.is_for_administrators)
                and (audits or not entry.is_for_readers_of_the_log)
                and (scope.sees_everyone or not entry.is_for_who_sees_everyone)
            )
            for group in NAVIGATION
        )

    @cached_property
    def tabs(self) -> list[Entry]:
        """The entries that fit at the foot of a small screen, beside "More"."""
        return [entry for group in self.groups for entry in group][:TABS]

    @cached_property
    def more(self) -> list[Entry]:
        """The entries that do not fit there."""
        return [entry for group in self.groups for entry in group][TABS:]

    @cached_property
    def current(self) -> str:
        """The name of the entry whose page is being shown, for `aria-current`; the page's own when it has none."""
        match = self.request.resolver_match
        shown = (match.url_name or "") if match else ""
        above = (entry.name for group in NAVIGATION for entry in group if shown in entry.pages)
        return next(above, shown)

    @cached_property
    def entry(self) -> Entry | None:
        """The entry whose page is being shown; None for a page that no entry leads to."""
        return next((entry for group in NAVIGATION for entry in group if entry.name == self.current), None)

    @property
    def is_about_numbers(self) -> bool:
        """Whether this page shows figures, and so may show those of a past day."""
        return self.entry is not None and self.entry.is_about_numbers

    @cached_property
    def vacancy(self) -> str:
        """That nobody is left whom the reader could see, as sentences; empty while there is somebody."""
        return nobody_in(self.request.scope)

    @cached_property
    def today(self) -> date:
        """The account's day."""
        return self.request.now.astimezone(self.request.account.zone).date()

    @cached_property
    def day(self) -> date:
        """The day that figures are computed for."""
        return self.request.past_day or self.today

    @property
    def past_days(self) -> list[tuple[date, str]]:
        """The last days of the four quarters before this one, newest first, with their names."""
        found, first = [], self.today.replace(month=(self.today.month - 1) // 3 * 3 + 1, day=1)
        for _quarter in range(4):
            last = first - timedelta(days=1)
            first = last.replace(month=(last.month - 1) // 3 * 3 + 1, day=1)
            found.append((last, quarter_name(first)))
        return found

    @property
    def query(self) -> list[tuple[str, str]]:
        """The query of this page but for its day and page, for forms that keep it."""
        lists = self.request.GET.lists()
        return [(name, value) for name, values in lists if name not in {"as_of", "page"} for value in values]

    @property
    def carried(self) -> list[tuple[str, str]]:
        """Hidden fields of a form that leads to another page."""
        return [(name, value) for name in CARRIED if (value := self.request.GET.get(name))]

    @cached_property
    def can_search(self) -> bool:
        """Whether there are people to search for: the page that lists them is in the navigation."""
        return any(entry.name == "people" for group in self.groups for entry in group)

    @property
    def searched(self) -> str:
        """Words searched for."""
        return searched(self.request).text if self.current == "people" else ""

    @property
    def is_sync_page(self) -> bool:
        """Whether this is the Sync page itself, which follows a sync in a panel of its own."""
        match = self.request.resolver_match
        return match is not None and match.url_name == "sync"

    @property
    def follow(self) -> str:
        """The id of the element that follows a sync on this page."""
        return "sync-progress" if self.is_sync_page else "sync-status"

    @property
    def initials(self) -> str:
        """Two letters for the reader."""
        words = str(self.request.user).replace(".", " ").replace("@", " ").split()
        return "".join(word[0] for word in words[:2]).upper()

    @cached_property
    def sync(self) -> SyncPanel:
        """Freshness and the latest sync."""
        return sync_panel(self.request)


def shell_of(request: ScopedRequest) -> Shell:
    """Return the request's one frame, so that view and templates read the sync's state once."""
    frame: Shell = vars(request).setdefault("shell", Shell(request))
    return frame


def shell(request: HttpRequest) -> dict[str, Any]:
    """Give templates `shell`; nothing is read from the database unless they use it."""
    scope = getattr(request, "scope", None)
    if scope is None or scope.account is None:
        return {"shell": None}
    return {"shell": SimpleLazyObject(lambda: shell_of(cast(ScopedRequest, request)))}
