"""Exports: a list as a file, with the columns one wants; the files that workers make, and fetching them."""

import re
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db import transaction
from django.http import Http404, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from dashboard import audit
from dashboard.exports.jobs import exports_of, formats_for, remember_csv, request_export
from dashboard.exports.streaming import is_large, streamed
from dashboard.exports.table_request import Question, Table
from dashboard.exports.tables import TABLES
from dashboard.files.downloads import handed_out
from dashboard.files.errors import NotMadeError, explained
from dashboard.files.jobs import percent_done, rows_done
from dashboard.files.kept_scope import covers
from dashboard.models import Export, User
from dashboard.pages.schedules_form import LISTS
from dashboard.rate_limits import limited
from dashboard.requests.searches import PARAMETER, searched
from dashboard.requests.sent_forms import once
from dashboard.scoped_request import ScopedRequest
from dashboard.task_queue import send

FRAGMENT = "exports-list"
# Files of the last days; older ones are of no use to anybody.
MOST_LISTED = 50
# What an address says that the log may keep: ids, and words of ours. Whatever somebody typed is told as typed.
_TYPED = frozenset({PARAMETER, "name"})
_PLAIN = re.compile(r"[\w.-]{0,60}", re.ASCII)
# Parts of a page's address that a whole list has no use for.
_OF_PAGES = ("page", "by", "all", "column", "format")


@require_http_methods(["GET", "HEAD", "POST"])
@limited("export", when=lambda request: request.method == "POST")
@once()
def export(request: ScopedRequest, table: str) -> HttpResponseBase:
    """Offer a list's columns; or, when sent, answer with the file, or have a worker make it when it is large.

    404 for what is no list, and for one that is not the reader's. 400 for a page's address that cannot be one.
    """
    found = TABLES.get(table)
    if found is None or not found.allows(request.scope):
        raise Http404
    question = _question(request)
    if request.method == "POST":
        return _deliver(request, found, question)
    with transaction.atomic():
        answer = found.ask(question)
    return render(
        request,
        "dashboard/exports/choose.html",
        {
            "table": found,
            "answer": answer,
            "back": _back(found, question),
            "query": question.GET.urlencode(),
            "can_schedule": request.scope.may_decide and table in LISTS,
            "formats": [(kind.value, kind.label, is_large(answer.count, kind)) for kind in formats_for(request.user)],
        },
    )


def _question(request: ScopedRequest) -> Question:
    """Return what the page asks for whose address this carries on."""
    query = request.GET.copy()
    for name in _OF_PAGES:
        query.pop(name, None)
    return Question(request.scope, query, request.now, request.as_of, request.past_day, searched(request))


def _back(table: Table, question: Question) -> str:
    """Return the address of the page that the list is on, as it was."""
    address, query = reverse(table.page), question.GET.copy()
    query.pop("person", None)
    if table.key == "campaign_people":
        address = reverse("campaign", args=[next(iter(question.asked.filters.campaigns), 0)])
        query.pop("campaign", None)
    elif table.key == "changes":
        address = reverse("sync_changes")
    return f"{address}?{query.urlencode()}" if query else address


def _deliver(request: ScopedRequest, table: Table, question: Question) -> HttpResponseBase:
    keys, wanted, reader = request.POST.getlist("column"), request.POST.get("format", ""), request.user
    columns = table.chosen(keys)
    if wanted not in Export.Format.values or not isinstance(reader, User):
        raise BadRequest("format is none of these: " + ", ".join(Export.Format.values))
    kind = Export.Format(wanted)
    if request.scope.viewer is None:
        remember_csv(reader, kind)
    try:
        with explained(), transaction.atomic():
            answer = table.ask(question)
            if is_large(answer.count, kind):
                return _have_made(request, table, question, [column.key for column in columns], kind, answer.count)
            _record(request, table, question, kind, answer.count)
            return streamed(question, table, answer, columns, kind, reader)
    except NotMadeError as error:
        messages.error(request, str(error))
        return redirect(_back(table, question))


def _have_made(
    request: ScopedRequest, table: Table, question: Question, keys: list[str], kind: Export.Format, rows: int
) -> HttpResponse:
    """Have a worker make the file, and lead to where it can be followed."""
    if request.scope.viewer is not None:
        messages.error(request, _("While you view as somebody else, only small files are made. Stop viewing first."))
        return redirect(_back(table, question))
    if not isinstance(request.user, User):
        raise Http404
    made = request_export(question, table, keys, kind, user=request.user, rows=rows)
    send("dashboard.tasks.make_export", export_id=made.pk)
    return redirect("exports")


def _record(request: ScopedRequest, table: Table, question: Question, kind: Export.Format, rows: int) -> None:
    audit.record(
        audit.Action.EXPORTED,
        account=request.account,
        user=request.user,
        subject=audit.Subject.TABLE,
        details={
            "table": table.key,
            "format": kind.value,
            "rows": rows,
            "as_of": question.as_of.isoformat(),
            "filters": _told(question.GET),
        },
        request=request,
    )


def _told(query: QueryDict) -> dict[str, Any]:
    """Return a query as the log keeps it: what was typed is only told to have been, and people only counted."""
    found: dict[str, Any] = {}
    for name, values in query.lists():
        if not _PLAIN.fullmatch(name) or not any(values):
            continue
        is_plain = name not in _TYPED and all(_PLAIN.fullmatch(value) for value in values)
        found[name] = len(values) if name == "person" else [*values] if is_plain else True
    return found


@require_safe
@vary_on_headers("HX-Target")
def exports(request: ScopedRequest) -> HttpResponse:
    """List the reader's files, and follow those that are being made."""
    found = list(exports_of(request.scope, request.user)[:MOST_LISTED])
    context = {
        "lines": [
            {
                "export": one,
                "title": TABLES[one.table].title if one.table in TABLES else one.table,
                "done": rows_done(one),
                "percent": percent_done(one),
                "is_here": one.is_here(request.now),
                "is_theirs": covers(request.scope, one.scope),
            }
            for one in found
        ],
        "is_live": any(one.is_live for one in found),
        "making": sum(1 for one in found if one.is_live),
        "ready": sum(1 for one in found if one.state == Export.State.READY),
    }
    template = "dashboard/exports.html"
    if request.htmx.target == FRAGMENT:
        template = "dashboard/exports/list.html#exports-list"
    return render(request, template, context)


@require_safe
def export_file(request: ScopedRequest, pk: int) -> HttpResponseBase:
    """Answer with a file that a worker made; 404 for another reader's, once its day is over or their role shrank."""
    found = get_object_or_404(exports_of(request.scope, request.user), pk=pk)
    response = handed_out(request, found)
    query = QueryDict(found.parameters.get("query", ""))
    audit.record(
        audit.Action.DOWNLOADED,
        account=request.account,
        user=request.user,
        subject=audit.Subject.EXPORT,
        subject_id=found.pk,
        details={
            "table": found.table,
            "format": found.format,
            "rows": found.rows_done,
            "as_of": found.parameters.get("as_of"),
            "filters": _told(query),
            "sha256": found.sha256,
        },
        request=request,
    )
    return response
