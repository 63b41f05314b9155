"""The audit log: who did what, for administrators and auditors."""

from typing import Any

from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from dashboard.models import AuditEvent
from dashboard.pages.settings.filters import SearchedBar
from dashboard.queries.audit import Search, actors, found, older, sought
from dashboard.requests.audit import FIELDS, search_of
from dashboard.requests.fields import id_in
from dashboard.requests.filter_choices import Choice, Control, FilterBar
from dashboard.scoped_request import ScopedRequest
from dashboard.wording.audit import about, audit_lines

ROWS = 50


@require_safe
@vary_on_headers("HX-Target")
def audit_log(request: ScopedRequest) -> HttpResponse:
    """Show the events looked for, newest first; 404 for whoever may not read the log.

    BadRequest for ids that are no numbers, unknown words, and a day that is none.
    """
    if not request.scope.may_read_audit:
        raise Http404
    search = search_of(request)
    events = found(request.scope, search)
    before = id_in(request, "before")
    if before is not None:
        last = events.filter(pk=before).first()
        if last is None:
            raise BadRequest("before is no event of this list")
        events = older(events, last.at, last.pk)
    rows = list(events[: ROWS + 1])
    context = {
        "lines": audit_lines(request.scope, rows[:ROWS]),
        "bar": _bar(request, search),
        "search": search,
        "newest": _address(request, {"before"}) if before is not None else "",
        "earlier": _address(request, set(), before=rows[ROWS - 1].pk) if len(rows) > ROWS else "",
    }
    template = "dashboard/audit.html"
    if request.htmx.target == "audit-list":
        template = "dashboard/audit/list.html#audit-list"
    return render(request, template, context)


def _bar(request: ScopedRequest, search: Search) -> FilterBar:
    everybody = [(user.pk, user.email) for user in actors(request.scope)]
    offers: list[tuple[str, Any, list[tuple[Any, Any]]]] = [
        ("actor", _("Who"), everybody),
        ("action", _("Did what"), list(AuditEvent.Action.choices)),
        ("subject", _("About"), list(AuditEvent.Subject.choices)),
    ]
    controls = []
    for name, label, values in offers:
        chosen = request.GET.get(name, "")
        choices = [Choice("", _("Everybody") if name == "actor" else _("Everything"), not chosen)]
        choices += [Choice(str(value), str(words), str(value) == chosen) for value, words in values]
        clear = {name, "subject_id"} if name == "subject" else {name}
        controls.append(Control(name, label, tuple(choices), bool(chosen), _address(request, {*clear, "before"})))
    if search.subject_id is not None:
        value = str(search.subject_id)
        title = about(search.subject, search.subject_id, sought(request.scope, search))
        clear_one = _address(request, {"subject_id", "before"})
        controls.append(Control("subject_id", _("Only"), (Choice(value, title, True),), True, clear_one))
    kind = SearchedBar if search.is_narrow else FilterBar
    return kind(tuple(controls), (), _address(request, {*FIELDS, "before"}), "audit-list")


def _address(request: ScopedRequest, without: set[str], **given: object) -> str:
    left = request.GET.copy()
    for name in without:
        left.pop(name, None)
    for name, value in given.items():
        left[name] = str(value)
    return f"?{left.urlencode()}"
