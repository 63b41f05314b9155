"""Exemptions: the list by state, one exemption, and deciding about it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from dashboard.formats import number
from dashboard.models import Exemption, SettingChange, User
from dashboard.pages.settings.fields import ReasonField
from dashboard.pages.settings.filters import filter_bar
from dashboard.pages.settings.guards import decider, for_deciders, for_readers_of_settings
from dashboard.pages.settings.words import log_lines
from dashboard.queries import exemptions as queries
from dashboard.queries.setting_changes import setting_changes
from dashboard.queries.vacancies import campaign_emptied, group_emptied
from dashboard.requests.exemptions import ALL, EXPIRING, TABS, first_tab, of_tab
from dashboard.requests.fields import id_in, word_in
from dashboard.requests.paging import page_of
from dashboard.requests.searches import searched
from dashboard.scoped_request import ScopedRequest
from dashboard.services import RefusedError
from dashboard.services.exemptions import approve, end, reject

State = Exemption.State
ROWS = 50
_MARKS = {
    State.REQUESTED: "todo",
    State.APPROVED: "st-scheduled",
    State.ACTIVE: "done",
    State.EXPIRED: "st-closed",
    State.ENDED: "none",
    State.REJECTED: "st-cancelled",
}


class DecisionForm(forms.Form):
    """Form for the reason to approve, reject or end an exemption."""

    reason = ReasonField()


@dataclass(frozen=True)
class ExemptionLine:
    """An exemption as the list shows it; `may_decide` is whether this reader may approve or reject it.

    `nobody` says that it excuses nobody any more, as its group has nobody left; empty where it is over.
    """

    exemption: Exemption
    state: Exemption.State
    may_decide: bool = False
    nobody: str = ""

    @property
    def who(self) -> str:
        """Person or group that it excuses."""
        return str(self.exemption.person or self.exemption.group)

    @property
    def ends_ahead(self) -> bool:
        """Whether its end is still to come."""
        return self.state in {State.ACTIVE, State.APPROVED} and self.last_moment is not None

    @property
    def mark(self) -> str:
        """The mark of its state."""
        return _MARKS[self.state]

    @property
    def last_moment(self) -> datetime | None:
        """The last moment it excuses, so that its local day is the last day; None: open-ended."""
        stops_at = self.exemption.stops_at
        return None if stops_at is None else stops_at - timedelta(microseconds=1)


@require_safe
@vary_on_headers("HX-Target")
@for_readers_of_settings
def exemptions(request: ScopedRequest) -> HttpResponse:
    """List exemptions by state, with filters; or only the list, for another search."""
    search, reason = searched(request), word_in(request, "reason", Exemption.Reason.values)
    # Campaign pages link to theirs.
    campaign = id_in(request, "campaign")
    found = queries.exemptions(request.scope, at=request.now, search=search, reason=reason, campaign=campaign)
    standing = queries.counts(found, at=request.now)
    tallied = dict(standing) | {ALL: sum(count for name, count in standing.items() if name != EXPIRING)}
    tab = word_in(request, "state", [name for name, _label in TABS])
    tab = tab or first_tab(tallied)
    page = page_of(request.GET, of_tab(found, tab, request.now), ROWS)
    is_narrowed = bool(search or reason or campaign is not None)
    lines = [_line(request, one) for one in page.object_list]
    bar = filter_bar(
        request,
        [("reason", _("Reason"), Exemption.Reason.choices)],
        target="exemption-list",
        everything=_("All"),
        searched=bool(search.text) or campaign is not None,
    )
    context = {
        "page": page,
        "lines": lines,
        "bar": bar,
        "can_choose": tab == State.REQUESTED and any(line.may_decide for line in lines),
        "tabs": [(name, label, tallied.get(name, 0)) for name, label in TABS],
        "tab": tab,
        "tab_label": dict(TABS)[tab],
        "search": search,
        "kept": list(request.GET.lists()),
        "is_narrowed": is_narrowed,
        "has_any": bool(tallied[ALL]),
        "lead": _list_lead(standing, is_narrowed=is_narrowed),
    }
    template = "dashboard/settings/exemptions.html"
    if request.htmx.target == "exemption-list":
        template = "dashboard/settings/exemption_list.html#exemption-list"
    return render(request, template, context)


@require_http_methods(["GET", "HEAD", "POST"])
@for_readers_of_settings
def exemption(request: ScopedRequest, pk: int) -> HttpResponse:
    """Show one exemption: who asked, who decided, what it leaves out; and take a decision about it."""
    rows = request.scope.exemptions().select_related(
        "person__department", "group", "campaign", "requested_by", "approved_by", "rejected_by", "ended_by"
    )
    found = get_object_or_404(rows, pk=pk)
    act = request.POST.get("act", "") if request.method == "POST" else ""
    form = DecisionForm(request.POST if act in _ACTS else None)
    if request.method == "POST" and act not in _ACTS:
        raise Http404
    if form.is_valid():
        try:
            said = _ACTS[act](found, by=decider(request), at=request.now, reason=form.cleaned_data["reason"])
        except RefusedError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, said)
            return redirect("exemption", pk=pk)
    line = _line(request, found)
    can_end = line.state in {State.REQUESTED, State.APPROVED, State.ACTIVE}
    emptied = campaign_emptied(found.campaign, request.account) if can_end and found.campaign is not None else ""
    changes = setting_changes(request.scope, subject=SettingChange.Subject.EXEMPTION, subject_id=pk)[:ROWS]
    return render(
        request,
        "dashboard/settings/exemption.html",
        {
            "line": line,
            "form": form,
            "act": act,
            "excused": queries.excused(request.scope, found, at=request.now).count() if found.person_id else None,
            "is_own": found.requested_by_id == request.user.pk,
            "can_end": can_end,
            "nobody": [said for said in (line.nobody, emptied) if said],
            "lines": log_lines(request.scope, changes),
        },
    )


@require_POST
@for_deciders
def decide_exemptions(request: ScopedRequest) -> HttpResponse:
    """Approve or reject the chosen requests, each by itself: one that is refused stops no other."""
    act = request.POST.get("act", "")
    if act not in {"approve", "reject"}:
        raise Http404
    ids = request.POST.getlist("exemption")
    if len(ids) > ROWS or not all(text.isascii() and text.isdecimal() and len(text) < 19 for text in ids):
        raise BadRequest("exemption is a number")
    form = DecisionForm(request.POST)
    if not ids:
        messages.error(request, _("Nothing was decided: choose at least one request."))
    elif not form.is_valid():
        messages.error(request, _("Nothing was decided: a reason is needed."))
    else:
        decided = _decide_all(request, ids, act, form.cleaned_data["reason"])
        if decided:
            words = (
                ngettext("%(n)s exemption was approved.", "%(n)s exemptions were approved.", decided)
                if act == "approve"
                else ngettext("%(n)s request was rejected.", "%(n)s requests were rejected.", decided)
            )
            messages.success(request, words % {"n": number(decided)})
    return redirect("exemptions")


def _decide_all(request: ScopedRequest, ids: list[str], act: str, reason: str) -> int:
    """Decide about each request that is in scope; return how many, and say why others were not."""
    decided, refused = 0, dict[str, int]()
    rows = request.scope.exemptions().filter(pk__in=ids).select_related("person", "group", "account")
    for found in rows.order_by("pk"):
        try:
            _ACTS[act](found, by=decider(request), at=request.now, reason=reason)
            decided += 1
        except RefusedError as error:
            refused[str(error)] = refused.get(str(error), 0) + 1
    for sentence, count in refused.items():
        messages.error(
            request,
            ngettext("%(n)s was left as it is: %(why)s", "%(n)s were left as they are: %(why)s", count)
            % {"n": number(count), "why": sentence},
        )
    return decided


def _approve(found: Exemption, *, by: User, at: datetime, reason: str) -> str:
    approve(found, by=by, at=at, reason=reason)
    return _("The exemption is approved; every figure is recounted.")


def _reject(found: Exemption, *, by: User, at: datetime, reason: str) -> str:
    reject(found, by=by, at=at, reason=reason)
    return _("The request is rejected.")


def _end(found: Exemption, *, by: User, at: datetime, reason: str) -> str:
    was_requested = found.state(at) == State.REQUESTED
    end(found, by=by, at=at, reason=reason)
    if was_requested:
        return _("The request is withdrawn.")
    return _("The exemption has ended; what it excused until now stays excused.")


_ACTS = {"approve": _approve, "reject": _reject, "end": _end}


def _line(request: ScopedRequest, found: Exemption) -> ExemptionLine:
    state = found.state(request.now)
    # What the decision itself would refuse is not offered.
    is_own = found.requested_by_id == request.user.pk or (
        found.person is not None
        and isinstance(request.user, User)
        and found.person.email.casefold() == request.user.email.casefold()
    )
    is_open = state in {State.REQUESTED, State.APPROVED, State.ACTIVE}
    nobody = group_emptied(found.group, request.account) if is_open and found.group is not None else ""
    return ExemptionLine(found, state, state == State.REQUESTED and request.scope.may_decide and not is_own, nobody)


def _list_lead(standing: Any, *, is_narrowed: bool) -> tuple[str, str]:
    """Say what waits, else what is in force; and beside it what ends soon."""
    waiting, active = standing.get(State.REQUESTED, 0), standing.get(State.ACTIVE, 0)
    soon = standing.get(EXPIRING, 0)
    context = (
        ngettext("%(n)s ends within 30 days.", "%(n)s end within 30 days.", soon) % {"n": number(soon)} if soon else ""
    )
    if waiting:
        words = ngettext("%(n)s request waits for a decision.", "%(n)s requests wait for a decision.", waiting)
        return words % {"n": number(waiting)}, context
    if active:
        words = ngettext("%(n)s exemption is in force.", "%(n)s exemptions are in force.", active)
        return words % {"n": number(active)}, context or _("No request waits.")
    if is_narrowed:
        return _("No exemption found is in force."), ""
    return _("Nobody is exempt."), _("Everybody counts in everything that is required.")
