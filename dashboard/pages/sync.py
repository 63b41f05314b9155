"""Sync: is it running, how fresh is the data, what did the last runs do."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from dashboard.access import ScopedRequest
from dashboard.pages.context import shell_of
from dashboard.pages.findings import runs_finding
from dashboard.pages.sync_requests import QueueUnreachableError, ask_for_sync, sync_panel
from dashboard.queries.sync_status import recent_runs

# The element that follows a sync: the whole panel on the Sync page, a strip on every other.
FRAGMENTS = {
    "sync-progress": "dashboard/sync.html#sync-progress",
    "sync-status": "components/sync_status.html#sync-status",
}


@require_GET
@vary_on_headers("HX-Target")
def sync(request: ScopedRequest) -> HttpResponse:
    """Show the current run and the last ones; or only the current run's fragment."""
    if request.htmx.target == "sync-progress":
        return _fragment(request)
    runs = recent_runs(request.scope, as_of=request.as_of)
    return render(
        request,
        "dashboard/sync.html",
        {"panel": shell_of(request).sync, "runs": runs, "runs_finding": runs_finding(runs)},
    )


@require_GET
@vary_on_headers("HX-Target")
def sync_status(request: ScopedRequest) -> HttpResponse:
    """Answer with the strip that follows a sync on every page; asked for alone, go to the Sync page."""
    return _fragment(request) if request.htmx.target == "sync-status" else redirect("sync")


@require_POST
def sync_start(request: ScopedRequest) -> HttpResponse:
    """Queue a sync and answer with the fragment that follows it; without htmx go to the Sync page."""
    if not request.scope.may_sync:
        raise PermissionDenied(_("Your role does not start syncs."))
    error = ""
    try:
        is_queued = ask_for_sync(request)
    except QueueUnreachableError:
        is_queued, error = False, _("The sync could not be queued: Redis does not answer. Nothing was lost; try again.")
    if request.htmx.target in FRAGMENTS:
        return _fragment(request, error)
    if error:
        messages.error(request, error)
    elif is_queued:
        messages.info(request, _("A sync is on its way."))
    else:
        messages.info(request, _("A sync is already running."))
    return redirect("sync")


def _fragment(request: ScopedRequest, error: str = "") -> HttpResponse:
    """Render the element that asked, and with it whatever else on the page must follow."""
    target = request.htmx.target or "sync-status"
    context = {"panel": sync_panel(request), "is_swap": True, "follow": target, "error": error}
    return render(request, FRAGMENTS[target], context)
