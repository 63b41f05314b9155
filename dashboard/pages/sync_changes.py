"""The rows behind "14 completed": what a sync changed, line by line, and what KnowBe4 no longer returns."""

from datetime import date
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from dashboard.formats import NOTHING, day, number
from dashboard.queries import sync_changes as queries
from dashboard.queries import vanished as register
from dashboard.requests.paging import page_of
from dashboard.scoped_request import ScopedRequest
from dashboard.wording.changes import Line, kind_words, lines, subject_words
from sync.models import Change, SyncRun

ROWS = 50
SUBJECTS = {subject.name.lower(): subject for subject in Change.Subject}


@require_safe
@vary_on_headers("HX-Target")
def sync_changes(request: ScopedRequest) -> HttpResponse:
    """List the rows of one kind of change of a run; without a run of the published one, without a kind of all."""
    wanted = request.GET.get("run", "")
    run = request.account.published_run
    if wanted:
        if not (wanted.isascii() and wanted.isdecimal() and len(wanted) < 19):
            raise Http404
        run = get_object_or_404(request.scope.runs(), pk=int(wanted))
    if run is None:
        raise Http404
    kind = None
    if request.GET.get("subject") or request.GET.get("field"):
        kind = queries.kind_of(request.GET.get("subject", ""), request.GET.get("field", ""))
        if kind is None:
            raise Http404
    context = change_list(request, run, kind)
    if request.htmx.target == "change-list":
        return render(request, "dashboard/sync/change_list.html#change-list", context)
    count = context["changes"].paginator.count
    what = kind_words(kind, count) if kind else (_("change") if count == 1 else _("changes"))
    return render(
        request, "dashboard/sync_changes.html", {**context, "run": run, "lead": f"{number(count)} {what}", "kind": kind}
    )


def change_list(request: ScopedRequest, run: SyncRun, kind: queries.Kind | None) -> dict[str, Any]:
    """Return one page of what the run changed, in words, with what the page's links need."""
    rows: Any = queries.run_changes(request.scope, run, kind)
    if kind is not None and kind.field == queries.NEW:
        rows = queries.new_rows(request.scope, run, kind.subject)
    elif kind is not None and kind.field == queries.PAST_DUE:
        rows = queries.newly_past_due(request.scope, run)
    page = page_of(request.GET, rows, ROWS)
    found = list(page.object_list)
    if kind is not None and kind.field in queries.OF_ROWS:
        written = _lines_of_rows(request, found, kind)
    else:
        written = lines(found, queries.names_of_changes(request.scope, found))
    return {"changes": page, "lines": written, "run": run}


def _lines_of_rows(request: ScopedRequest, rows: list[Any], kind: queries.Kind) -> list[Line]:
    """Write rows that are new, or newly past due, as lines."""
    names = queries.names(request.scope, {kind.slug: [row.pk for row in rows]})
    written = []
    for row in rows:
        name = names.get((kind.slug, row.pk), queries.Name(""))
        title = name.title or f"{kind.subject.label} {row.pk}"
        if kind.field == queries.PAST_DUE:
            written.append(
                Line(title, name.detail, _("past due"), NOTHING, _("due %(day)s") % {"day": day(row.due_at)})
            )
        else:
            enrolled = _("enrolled %(day)s") % {"day": day(row.enrolled_at)} if hasattr(row, "enrolled_at") else ""
            written.append(Line(title, name.detail, _("new"), NOTHING, enrolled or _("first seen")))
    return written


@require_safe
@vary_on_headers("HX-Target")
def vanished(request: ScopedRequest) -> HttpResponse:
    """Show what KnowBe4 no longer returns: by day and kind, or the rows of one kind."""
    kind, on = request.GET.get("kind", ""), _day(request.GET.get("day", ""))
    if kind and kind not in register.KINDS:
        raise Http404
    context: dict[str, Any] = {"kind": kind, "day": on}
    if kind:
        page = page_of(request.GET, register.vanished_rows(request.scope, kind, on), ROWS)
        rows = list(page.object_list)
        names = register.names_of_vanished(request.scope, kind, [row.pk for row in rows])
        runs = register.runs_at(request.scope, [row.removed_at for row in rows])
        unnamed = queries.Name("")
        context |= {
            "page": page,
            "rows": [(names.get((kind, row.pk), unnamed), row, runs.get(row.removed_at)) for row in rows],
            "what": subject_words(SUBJECTS[kind], page.paginator.count),
        }
        if request.htmx.target == "vanished-rows":
            return render(request, "dashboard/sync/vanished_rows.html#vanished-rows", context)
    else:
        groups = register.vanished(request.scope)
        context |= {
            "groups": [(group, subject_words(SUBJECTS[group.kind], group.rows)) for group in groups],
            "total": sum(group.rows for group in groups),
        }
    return render(request, "dashboard/vanished.html", context)


def _day(text: str) -> date | None:
    """Return the day an address names, None for no day. Raises Http404 for what is none."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Http404 from None
