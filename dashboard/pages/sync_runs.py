"""One sync: what it set out to read, what it read, what it changed, what it set aside, and who decided about it."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from dashboard.pages.sync_changes import change_list
from dashboard.pages.sync_requests import decide
from dashboard.queries import sync_changes
from dashboard.queries.allowance import RunPlan
from dashboard.queries.sync_status import Progress, progress_of
from dashboard.requests.paging import page_of
from dashboard.scoped_request import ScopedRequest
from dashboard.wording.changes import told
from dashboard.wording.sync import clock_finding, run_lead
from sync.models import QuarantinedRow, SyncRun

SET_ASIDE_SHOWN = 25
LISTS = {
    "console": gettext_lazy("The uploaded file"),
    "users": gettext_lazy("People"),
    "groups": gettext_lazy("Groups"),
    "store_purchases": gettext_lazy("Store purchases"),
    "policies": gettext_lazy("Policies"),
    "campaigns": gettext_lazy("Campaigns"),
    "campaign_percentages": gettext_lazy("KnowBe4's own rates"),
    "enrollments": gettext_lazy("Enrollments"),
    "phishing_campaigns": gettext_lazy("Phishing campaigns"),
    "phishing_tests": gettext_lazy("Phishing tests"),
    "recipients": gettext_lazy("Phishing results"),
}


@require_safe
@vary_on_headers("HX-Target")
def sync_run(request: ScopedRequest, run_id: int) -> HttpResponse:
    """Show one sync of the account, or only its list of changes or of rows set aside."""
    runs = (
        request.scope.runs()
        .select_related("requested_by", "resolved_by", "console_import")
        # The file itself may be large.
        .defer("console_import__content", "console_import__report")
        .annotate(set_aside=Count("quarantined"))
    )
    run: Any = get_object_or_404(runs, pk=run_id)
    if request.htmx.target == "change-list":
        return render(request, "dashboard/sync/change_list.html#change-list", change_list(request, run, None))
    rows = request.scope.quarantined().filter(run=run).order_by("pk")
    if request.htmx.target == "set-aside":
        return render(
            request, "dashboard/sync/set_aside.html#set-aside", {"run": run, **_set_aside(request, rows, run.set_aside)}
        )
    progress = progress_of(request.scope, run, as_of=request.now)
    groups = sync_changes.groups(request.scope, run)
    tiles, more = told(groups)
    lead, meaning = run_lead(progress)
    return render(
        request,
        "dashboard/sync_run.html",
        {
            "run": run,
            "progress": progress,
            "lead": lead,
            "meaning": meaning,
            "clock_finding": clock_finding(progress),
            "plan": RunPlan.of(run) if progress.tells_numbers else None,
            "tiles": tiles,
            "more": more,
            **change_list(request, run, None),
            **_set_aside(request, rows, run.set_aside),
        },
    )


@require_POST
def resolve_run(request: ScopedRequest, run_id: int) -> HttpResponse:
    """Publish a held run after all, or discard it, for the reason given, or stop one at work; a worker carries it out.

    Whoever may start a sync may stop one; about a held one administrators decide.
    """
    wanted = request.POST.get("decision", "")
    if wanted == "stop":
        return _stop(request, run_id)
    if not request.scope.is_administrator:
        raise PermissionDenied(_("Only an administrator decides about a held sync."))
    run = get_object_or_404(request.scope.runs(), pk=run_id)
    progress = Progress(run, request.now)
    reason = request.POST.get("reason", "").strip()
    error = ""
    if run.state != SyncRun.State.HELD:
        error = _("Nothing to decide any more: a later sync replaced this one, or somebody else was faster.")
    elif wanted not in {"publish", "discard"}:
        error = _("Choose whether to publish the sync or to discard it.")
    elif wanted == "publish" and not progress.can_be_published:
        error = _("This sync cannot be published: one of its lists was not read to its end.")
    elif not reason:
        error = _("Nothing was done: a reason is needed. It stays in the run history.")
    if error:
        messages.error(request, error)
        return redirect("sync_run", run_id=run.pk)
    decide(request, run.pk, publish=wanted == "publish", reason=reason[:2000])
    return redirect("sync")


def _stop(request: ScopedRequest, run_id: int) -> HttpResponse:
    """Write on the run that it shall stop; it looks there at each page it reads. Of two askers the first is named."""
    if not request.scope.may_sync:
        raise PermissionDenied(_("Your role does not stop syncs."))
    run = get_object_or_404(request.scope.runs(), pk=run_id)
    is_asked = Progress(run, request.now).can_be_stopped and (
        request.scope.runs()
        .filter(pk=run_id, state=SyncRun.State.RUNNING, resolved_at=None)
        .update(resolved_by=request.user.pk, resolved_at=request.now)
    )
    if not is_asked:
        messages.error(request, _("Nothing to stop any more: the sync has ended, is being published or stops already."))
    return redirect("sync")


def _set_aside(request: ScopedRequest, rows: QuerySet[QuarantinedRow], count: int) -> dict[str, object]:
    """Return one page of the rows set aside; `count` spares asking again how many there are."""
    known = count if request.scope.sees_everyone else None
    page = page_of(request.GET, rows, SET_ASIDE_SHOWN, "set_aside", count=known)
    return {
        "set_aside": page,
        "set_aside_rows": [
            (number, list_words(row.list_key), row) for number, row in enumerate(page, page.start_index())
        ],
    }


def list_words(key: str) -> str:
    """Return the list a key names, in words: "Enrollments, campaign 791599"."""
    name, _colon, rest = key.partition(":")
    title = str(LISTS.get(name, name.replace("_", " ").capitalize()))
    if not rest:
        return title
    if name == "enrollments":
        rest = _("campaign %(id)s") % {"id": rest}
    elif name == "recipients":
        rest = _("test %(id)s") % {"id": rest}
    return f"{title}, {rest}"
