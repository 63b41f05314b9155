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
    """One entry of the navigation: a named address, a word and an icon of the sprite."""

    name: str
    label: Any
    icon: str


# Pages are added here and nowhere else; the rail and the tabs at the foot of small screens both read it.
NAVIGATION: tuple[tuple[Entry, ...], ...] = (
    (Entry("overview", _("Overview"), "overview"),),
    (Entry("sync", _("Sync"), "sync"),),
)
TABS = 4


class Shell:
    """The frame of one page. What costs a query is read when a template asks for it."""

    def __init__(self, request: ScopedRequest) -> None:
        self.request = request

    @property
    def groups(self) -> tuple[tuple[Entry, ...], ...]:
        """The navigation in its groups."""
        return NAVIGATION

    @property
    def tabs(self) -> list[Entry]:
        """The entries that fit at the foot of a small screen, beside "More"."""
        return [entry for group in NAVIGATION for entry in group][:TABS]

    @property
    def more(self) -> list[Entry]:
        """The entries that do not fit there."""
        return [entry for group in NAVIGATION for entry in group][TABS:]

    @property
    def current(self) -> str:
        """The name of the page being shown, for `aria-current`."""
        match = self.request.resolver_match
        return (match.url_name or "") if match else ""

    @property
    def follow(self) -> str:
        """The id of the element that follows a sync on this page."""
        return "sync-progress" if self.current == "sync" else "sync-status"

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
