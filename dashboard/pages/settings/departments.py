"""Departments: their spellings, and merging them with a look at the numbers first."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from dashboard.figures.counts import figures_by
from dashboard.figures.selection import By, Filters
from dashboard.formats import number
from dashboard.look_alikes import told_apart
from dashboard.merged_departments import rename_in_words
from dashboard.metrics import Totals
from dashboard.models import SettingChange
from dashboard.pages.settings.fields import ReasonField
from dashboard.pages.settings.filters import filter_bar
from dashboard.pages.settings.guards import decider, for_readers_of_settings
from dashboard.pages.settings.words import log_lines
from dashboard.queries.departments import DepartmentLine, department_lines, suggestions
from dashboard.queries.renames import renames
from dashboard.queries.setting_changes import setting_changes
from dashboard.requests.fields import id_in, search_in
from dashboard.scoped_request import ScopedRequest
from dashboard.services import RefusedError
from dashboard.services.departments import merge, unmerge
from dashboard.services.renames import continue_department, keep_apart

SUGGESTED = 6
LOGGED = 20


class MergeForm(forms.Form):
    """Form for the reason to merge departments, or to separate them."""

    reason = ReasonField()


@dataclass(frozen=True)
class Preview:
    """Figures of two departments, and those of both as one."""

    department: DepartmentLine
    into: DepartmentLine
    own: Totals
    others: Totals

    @property
    def together(self) -> Totals:
        """The figures of both: they share nobody."""
        return self.own + self.others


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Target")
@for_readers_of_settings
def settings_departments(request: ScopedRequest) -> HttpResponse:
    """List the departments with their people and spellings, which look like one, and which KnowBe4 renamed.

    With POST decide a rename: `act` is "continue" or "apart". 400 for any other word.
    """
    if request.method == "POST":
        return _decide_rename(request)
    search = search_in(request)
    lines = department_lines(request.scope, as_of=request.now)
    wanted = search.casefold()
    context = {
        "lines": [line for line in lines if wanted in _words(line)] if wanted else lines,
        "search": search,
        "bar": filter_bar(request, [], target="settings-departments", everything="", searched=bool(search)),
        "has_any": bool(lines),
        "suggestions": suggestions(lines)[:SUGGESTED],
        "renames": [(rename, rename_in_words(rename)) for rename in renames(request.scope)],
        "lead": _list_lead(lines),
    }
    template = "dashboard/settings/departments.html"
    if request.htmx.target == "settings-departments":
        template = "dashboard/settings/department_table.html#settings-departments"
    return render(request, template, context)


_RENAMES = {"continue": continue_department, "apart": keep_apart}


def _decide_rename(request: ScopedRequest) -> HttpResponse:
    act = request.POST.get("act", "")
    if act not in _RENAMES:
        raise BadRequest("act is continue or apart")
    text = request.POST.get("rename", "")
    found = next((one for one in renames(request.scope) if str(one.pk) == text), None)
    if found is None:
        messages.info(request, _("This was decided already."))
        return redirect("settings_departments")
    words = {"old": found.department, "new": found.into}
    said = {
        "continue": _("%(new)s continues %(old)s: history, heads, loans, schedules, filters and bookmarks follow."),
        "apart": _("%(new)s and %(old)s are two departments."),
    }
    try:
        _RENAMES[act](found, by=decider(request), at=request.now)
    except RefusedError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, said[act] % words)
    return redirect("settings_departments")


@require_http_methods(["GET", "HEAD", "POST"])
@for_readers_of_settings
def settings_department(request: ScopedRequest, pk: int) -> HttpResponse:
    """Show one department, what merging it into another would change, and carry that out."""
    lines = department_lines(request.scope, as_of=request.now)
    # Those merged into another are below it.
    every = {line.department.pk: line for top in lines for line in (top, *top.merged)}
    if pk not in every:
        raise Http404
    line = every[pk]
    into_id = id_in(request, "into")
    into = every.get(into_id) if into_id is not None else None
    if into_id is not None and (into is None or into is line or not into.department.key):
        raise Http404
    form = MergeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            said = _decide(request, line, into, form.cleaned_data["reason"])
        except RefusedError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, said)
            return redirect("settings_department", pk=pk)
    end = every.get(line.department.merged_into_id or 0)
    others = [each for each in lines if each is not line and each is not end and each.department.key]
    people = {other.department.pk: other.people for other in others}
    changes = setting_changes(request.scope, subject=SettingChange.Subject.DEPARTMENT, subject_id=pk)[:LOGGED]
    return render(
        request,
        "dashboard/settings/department.html",
        {
            "line": line,
            "end": end,
            "into": into,
            "form": form,
            "choices": [
                (key, f"{name} ({number(people[key])})")
                for key, name in told_apart((other.department.pk, str(other.department)) for other in others)
            ],
            "preview": _preview(request, line, into),
            "lines": log_lines(request.scope, changes),
        },
    )


def _decide(request: ScopedRequest, line: DepartmentLine, into: DepartmentLine | None, reason: str) -> str:
    """Merge the department, or separate it where nothing to merge it into is named; return what to say."""
    department, by = line.department, decider(request)
    if into is None:
        if not unmerge(department, by=by, at=request.now, reason=reason):
            return _("It was by itself already; nothing was changed.")
        return _("%(department)s is counted by itself again.") % {"department": department}
    if not merge(department, into.department, by=by, at=request.now, reason=reason):
        return _("It was so already; nothing was changed.")
    return _("%(department)s is counted as part of %(into)s.") % {"department": department, "into": into.department}


def _preview(request: ScopedRequest, line: DepartmentLine, into: DepartmentLine | None) -> Preview | None:
    """Return the figures of both departments as they are counted now."""
    if into is None or into.department.merged_into_id is not None or line.department.merged_into_id is not None:
        return None
    wanted = Filters(departments=frozenset({line.department.pk, into.department.pk}))
    found = figures_by(request.scope, By.DEPARTMENT, as_of=request.now, filters=wanted)
    totals = {group.key: group.totals for group in found}
    return Preview(line, into, totals.get(line.department.pk, Totals()), totals.get(into.department.pk, Totals()))


def _words(line: DepartmentLine) -> str:
    """Return everything a search looks in: its spellings and those merged into it."""
    names = [line.department.name, *(name for each in (line, *line.merged) for name, _people in each.spellings)]
    return "\n".join([*names, *(each.department.name for each in line.merged)]).casefold()


def _list_lead(lines: list[DepartmentLine]) -> tuple[str, str]:
    named = [line for line in lines if line.department.key and line.people]
    spellings = sum(len(each.spellings) for line in named for each in (line, *line.merged))
    count: dict[str, Any] = {"n": number(len(named)), "spellings": number(spellings)}
    if not named:
        return _("There are no departments yet."), _("They come with the people of the first sync.")
    if spellings == len(named):
        fact = ngettext("%(n)s department, spelled one way.", "%(n)s departments, each spelled one way.", len(named))
    else:
        fact = ngettext(
            "%(n)s department from %(spellings)s spellings.",
            "%(n)s departments from %(spellings)s spellings.",
            len(named),
        )
    pairs = len(suggestions(lines))
    context = (
        ngettext("One looks like another.", "%(n)s look like another.", pairs) % {"n": number(pairs)}
        if pairs
        else _("None looks like another.")
    )
    return fact % count, context
