"""What the frame around every page needs: navigation, scope, freshness."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from dashboard.access import ScopedRequest
from dashboard.pages.sync_requests import SyncPanel, sync_panel


@dataclass(frozen=True)
class Entry:
    """One entry of the navigation: a named address, a word and an icon of the sprite; some for administrators only.

    `pages` are the addresses below it: on them the entry is the current one too.
    """

    name: str
    label: Any
    icon: str
    is_for_administrators: bool = False
    pages: tuple[str, ...] = ()


# Pages are added here and nowhere else; the rail and the tabs at the foot of small screens both read it.
NAVIGATION: tuple[tuple[Entry, ...], ...] = (
    (Entry("overview", _("Overview"), "overview"),),
    (
        Entry(
            "sync",
            _("Sync"),
            "sync",
            pages=("sync_run", "sync_changes", "vanished", "console_imports", "console_import"),
        ),
        Entry("accounts", _("Accounts"), "key", is_for_administrators=True, pages=("add_account", "edit_account")),
    ),
)
TABS = 4


class Shell:
    """The frame of one page. What costs a query is read when a template asks for it."""

    def __init__(self, request: ScopedRequest) -> None:
        self.request = request

    @property
    def groups(self) -> tuple[tuple[Entry, ...], ...]:
        """The navigation in its groups, as far as it is the reader's."""
        manages = self.request.scope.manages_accounts
        return tuple(
            tuple(entry for entry in group if manages or not entry.is_for_administrators) for group in NAVIGATION
        )

    @property
    def tabs(self) -> list[Entry]:
        """The entries that fit at the foot of a small screen, beside "More"."""
        return [entry for group in self.groups for entry in group][:TABS]

    @property
    def more(self) -> list[Entry]:
        """The entries that do not fit there."""
        return [entry for group in self.groups for entry in group][TABS:]

    @property
    def current(self) -> str:
        """The name of the entry whose page is being shown, for `aria-current`; the page's own when it has none."""
        match = self.request.resolver_match
        shown = (match.url_name or "") if match else ""
        above = (entry.name for group in NAVIGATION for entry in group if shown in entry.pages)
        return next(above, shown)

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
    frame = getattr(request, "shell", None)
    if frame is None:
        frame = Shell(request)
        request.shell = frame
    return frame


def shell(request: HttpRequest) -> dict[str, Any]:
    """Give templates `shell`; nothing is read from the database unless they use it."""
    scope = getattr(request, "scope", None)
    if scope is None or scope.account is None:
        return {"shell": None}
    return {"shell": SimpleLazyObject(lambda: shell_of(cast(ScopedRequest, request)))}
