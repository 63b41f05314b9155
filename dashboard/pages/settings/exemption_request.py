"""Asking for an exemption: first for whom, then from what, why and when."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from dashboard.formats import number
from dashboard.look_alikes import told_apart
from dashboard.models import Exemption
from dashboard.models.settings import ALL_USERS
from dashboard.pages.settings.fields import DayField
from dashboard.pages.settings.guards import decider, for_deciders
from dashboard.queries.people import Page, Wanted, people
from dashboard.requests.fields import id_in
from dashboard.requests.searches import searched
from dashboard.requests.sent_forms import once
from dashboard.scoped_request import ScopedRequest
from dashboard.services import RefusedError
from dashboard.services.exemptions import Excuse
from dashboard.services.exemptions import request as ask
from sync.models import Campaign, Group, Person

MOST_FOUND = 12


class RequestForm(forms.Form):
    """From what somebody is to be excused, why and when. All campaigns are meant where none is chosen."""

    campaign: Any = forms.ModelChoiceField(
        label=gettext_lazy("From"),
        queryset=None,
        required=False,
        empty_label=gettext_lazy("All campaigns"),
        help_text=gettext_lazy("All campaigns: those to come, too."),
    )
    reason = forms.ChoiceField(
        label=gettext_lazy("Reason"), choices=[("", gettext_lazy("Choose")), *Exemption.Reason.choices]
    )
    first_day = DayField(label=gettext_lazy("First day"), help_text=gettext_lazy("A past day excuses back to then."))
    last_day = DayField(
        label=gettext_lazy("Last day"), required=False, help_text=gettext_lazy("Empty: until somebody ends it.")
    )
    evidence = forms.CharField(
        label=gettext_lazy("Evidence"),
        max_length=500,
        required=False,
        help_text=gettext_lazy("Where the proof is kept: a ticket, a certificate."),
    )
    note = forms.CharField(
        label=gettext_lazy("Note"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, request: ScopedRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        campaigns = request.scope.campaigns().filter(removed_at__isnull=True).order_by("name", "pk")
        self.fields["campaign"].queryset = campaigns  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Put what belongs to one field beside it."""
        cleaned = super().clean() or self.cleaned_data
        first, last = cleaned.get("first_day"), cleaned.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", _("The last day is before the first."))
        if cleaned.get("reason") == Exemption.Reason.OTHER and not cleaned.get("note", "").strip():
            self.add_error("note", _("For another reason, a note must say which."))
        return cleaned


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Target")
@for_deciders
@once()
def request_exemption(request: ScopedRequest) -> HttpResponse:
    """Search for whom to ask, and with `?person=` or `?group=` take the request."""
    person_id, group_id = id_in(request, "person"), id_in(request, "group")
    if person_id is not None and group_id is not None:
        raise BadRequest("one person or one group")
    if person_id is not None:
        everybody = request.scope.people().select_related("department")
        return _request(request, person=get_object_or_404(everybody, pk=person_id))
    if group_id is not None:
        return _request(request, group=get_object_or_404(_groups(request), pk=group_id))
    search = searched(request)
    wanted = Wanted.typed(search.text)
    found = people(request.scope, as_of=request.now, wanted=wanted, limit=MOST_FOUND) if wanted.words else Page()
    context = {"search": search, "people": found.rows, "has_more": found.total > len(found.rows)}
    if request.htmx.target == "matches":
        return render(request, "dashboard/settings/exemption_matches.html#matches", context)
    groups = _named(_groups(request).order_by("name", "pk"))
    return render(request, "dashboard/settings/exemption_who.html", {**context, "groups": groups})


def _named(groups: Iterable[Group]) -> list[tuple[int, str]]:
    """Return what groups are called in a list to choose from: those that look alike with their id, with their size."""
    sizes = {group.pk: group.member_count for group in groups}
    named = told_apart((group.pk, str(group)) for group in groups)
    return [(key, name if sizes[key] is None else f"{name} ({number(sizes[key])})") for key, name in named]


def _groups(request: ScopedRequest) -> Any:
    """Return the groups that can be excused: not those that are gone, nor everybody."""
    return request.scope.groups().filter(removed_at__isnull=True).exclude(knowbe4_id=ALL_USERS)


def _request(request: ScopedRequest, *, person: Person | None = None, group: Group | None = None) -> HttpResponse:
    today = request.now.astimezone(request.account.zone).date()
    campaign = id_in(request, "campaign")
    form = RequestForm(
        request,
        request.POST if request.method == "POST" else None,
        initial={"first_day": today.isoformat(), "campaign": campaign},
    )
    if form.is_valid():
        chosen = form.cleaned_data
        from_what: Campaign | None = chosen["campaign"]
        excuse = Excuse(
            reason=Exemption.Reason(chosen["reason"]),
            first_day=chosen["first_day"],
            last_day=chosen["last_day"],
            person=person,
            group=group,
            campaign=from_what,
            note=chosen["note"],
            evidence=chosen["evidence"],
        )
        try:
            made = ask(request.account, excuse, by=decider(request), at=request.now)
        except RefusedError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("The exemption is requested. Somebody else must approve it."))
            return redirect("exemption", pk=made.pk)
    return render(
        request, "dashboard/settings/exemption_request.html", {"form": form, "person": person, "group": group}
    )
