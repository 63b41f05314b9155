"""Sync: is it running, how fresh is the data, what did the last runs do, what may still be asked of KnowBe4."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from dashboard.pages.context import shell_of
from dashboard.pages.sync_requests import SyncPanel, ask_for_sync, sync_panel
from dashboard.queries import sync_changes, vanished
from dashboard.queries.allowance import allowance
from dashboard.queries.sync_status import recent_runs
from dashboard.scoped_request import ScopedRequest
from dashboard.wording.changes import told
from dashboard.wording.findings import runs_finding
from dashboard.wording.sync import allowance_finding, changes_finding, clock_finding

# The element that follows a sync: the whole panel on the Sync page, a strip on every other.
FRAGMENTS = {
    "sync-progress": "dashboard/sync.html#sync-progress",
    "sync-status": "components/sync_status.html#sync-status",
}


@require_safe
@vary_on_headers("HX-Target")
def sync(request: ScopedRequest) -> HttpResponse:
    """Show the current run and the last ones; or only the current run's fragment."""
    if request.htmx.target == "sync-progress":
        return _fragment(request)
    panel = shell_of(request).sync
    runs = recent_runs(request.scope, as_of=request.now)
    shown = request.account.published_run
    groups = sync_changes.groups(request.scope, shown) if shown else []
    tiles, more = told(groups)
    return render(
        request,
        "dashboard/sync.html",
        {
            "panel": panel,
            "clock_finding": _clock_finding(panel),
            "allowance": _allowance(request, panel),
            "runs": runs,
            "runs_finding": runs_finding(runs),
            "set_aside": sum(progress.run.set_aside for progress in runs),  # type: ignore[attr-defined]  # annotated
            "shown": shown,
            "tiles": tiles,
            "more": more,
            "changes_finding": changes_finding(shown, tiles, as_of=request.now),
            "vanished": vanished.total(request.scope),
        },
    )


@require_safe
@vary_on_headers("HX-Target")
def sync_status(request: ScopedRequest) -> HttpResponse:
    """Answer with the strip that follows a sync on every page; asked for alone, go to the Sync page."""
    return _fragment(request) if request.htmx.target == "sync-status" else redirect("sync")


@require_POST
def sync_start(request: ScopedRequest) -> HttpResponse:
    """Queue a sync and answer with the fragment that follows it; without htmx go to the Sync page.

    `full` in the form reads everything, which spends much of a day's requests and is for administrators.
    """
    full = bool(request.POST.get("full"))
    if not request.scope.may_sync or (full and not request.scope.is_administrator):
        raise PermissionDenied(_("Your role does not start syncs."))
    status, is_queued, error = sync_panel(request).status, False, ""
    if status.has_key:
        is_queued = ask_for_sync(request, full=full)
    else:
        error = status.key_problem or _("There is no key to read KnowBe4 with: enter one, or import a CSV.")
    if request.htmx.target in FRAGMENTS:
        return _fragment(request, error)
    if error:
        messages.error(request, error)
    elif is_queued:
        messages.info(request, _("A sync is on its way."))
    else:
        messages.info(request, _("A sync is already running."))
    return redirect("sync")


def _clock_finding(panel: SyncPanel) -> str:
    return clock_finding(panel.status.latest) if panel.status.latest else ""


def _allowance(request: ScopedRequest, panel: SyncPanel) -> dict[str, object]:
    """Return what the allowance panel shows."""
    latest = panel.status.latest
    found = allowance(request.scope, latest.run if latest else None, as_of=request.now)
    return {"figures": found, "finding": allowance_finding(found)}


def _fragment(request: ScopedRequest, error: str = "") -> HttpResponse:
    """Render the element that asked, and with it whatever else on the page must follow."""
    target = request.htmx.target or "sync-status"
    panel = sync_panel(request)
    context: dict[str, object] = {"panel": panel, "is_swap": True, "follow": target, "error": error}
    if target == "sync-progress":
        context["clock_finding"] = _clock_finding(panel)
        context["allowance"] = _allowance(request, panel)
    return render(request, FRAGMENTS[target], context)
