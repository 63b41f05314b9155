"""Settings of campaigns: which count for compliance, what makes each enroll people, and which are archived."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import CharField, F, QuerySet, Value
from django.db.models.functions import Coalesce
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from dashboard.figures.counts import figures
from dashboard.figures.selection import Filters
from dashboard.formats import number
from dashboard.metrics import CampaignState, Totals, campaign_state
from dashboard.models import CampaignSetting, InferredTrigger, SettingChange, Trigger, User
from dashboard.pages.settings.fields import ReasonField
from dashboard.pages.settings.filters import filter_bar
from dashboard.pages.settings.guards import decider, for_readers_of_settings
from dashboard.pages.settings.words import evidence, log_lines
from dashboard.queries.setting_changes import latest_by_subject, setting_changes
from dashboard.requests.fields import search_in, word_in
from dashboard.requests.paging import page_of
from dashboard.scoped_request import ScopedRequest
from dashboard.services import RefusedError
from dashboard.services.campaigns import archive, choose_trigger, restore, set_requirement
from dashboard.triggers import effective_trigger
from sync.models import Campaign

ROWS = 50
Requirement = CampaignSetting.Requirement
AS_INFERRED = ""


@dataclass(frozen=True)
class CampaignLine:
    """A campaign as settings list it."""

    campaign: Campaign
    state: CampaignState
    requirement: CampaignSetting.Requirement
    trigger: Trigger
    is_chosen: bool
    evidence: str
    latest: SettingChange | None = None

    @property
    def mark(self) -> str:
        """The mark of its state."""
        return f"st-{self.state.value}"

    @property
    def requirement_mark(self) -> str:
        """The mark of whether it counts."""
        return {"required": "done", "optional": "todo"}.get(self.requirement.value, "none")


class RequirementForm(forms.Form):
    """Whether a campaign counts, and why that changes."""

    requirement = forms.ChoiceField(
        label=gettext_lazy("Compliance"), choices=Requirement.choices, widget=forms.RadioSelect
    )
    reason = ReasonField()


class TriggerForm(forms.Form):
    """Form for the trigger of a campaign, if the inferred trigger is wrong, and why."""

    trigger = forms.ChoiceField(
        label=gettext_lazy("Trigger"),
        choices=[(AS_INFERRED, gettext_lazy("As inferred")), *Trigger.choices],
        required=False,
    )
    reason = ReasonField()


class ArchiveForm(forms.Form):
    """Form for the reason to archive a campaign, or to take it back."""

    reason = ReasonField()


@require_safe
@vary_on_headers("HX-Target")
@for_readers_of_settings
def settings_campaigns(request: ScopedRequest) -> HttpResponse:
    """List the campaigns with what is decided about each; or only the list, for another search."""
    wanted = {
        "name": search_in(request),
        "requirement": word_in(request, "requirement", Requirement.values),
        "trigger": word_in(request, "trigger", Trigger.values),
        "state": word_in(request, "state", CampaignState.values),
    }
    found = _campaigns(request)
    everything = list(found.order_by().values_list("requirement", "cause"))
    if wanted["name"]:
        found = found.filter(name__icontains=wanted["name"])
    for name, column in (("requirement", "requirement"), ("trigger", "cause"), ("state", "standing")):
        if wanted[name]:
            found = found.filter(**{column: wanted[name]})
    page = page_of(request.GET, found.order_by(F("start_at").desc(nulls_last=True), "-pk"), ROWS)
    context = {
        "page": page,
        "lines": _lines(request, page.object_list),
        "wanted": wanted,
        "bar": filter_bar(
            request,
            [
                ("requirement", _("Compliance"), Requirement.choices),
                ("trigger", _("Trigger"), Trigger.choices),
                ("state", _("State"), CampaignState.choices),
            ],
            target="settings-campaigns",
            everything=_("All"),
            searched=bool(wanted["name"]),
        ),
        "search": wanted["name"],
        "has_any": bool(everything),
        "lead": _list_lead(everything),
    }
    template = "dashboard/settings/campaigns.html"
    if request.htmx.target == "settings-campaigns":
        template = "dashboard/settings/campaign_table.html#settings-campaigns"
    return render(request, template, context)


@require_http_methods(["GET", "HEAD", "POST"])
@for_readers_of_settings
def settings_campaign(request: ScopedRequest, pk: int) -> HttpResponse:
    """Show what is decided about one campaign, and take another decision."""
    campaign = get_object_or_404(_campaigns(request), pk=pk)
    act = request.POST.get("act", "") if request.method == "POST" else ""
    line = _line(campaign)
    sent = {name: request.POST if act == name else None for name in ("requirement", "trigger", "archive")}
    forms_ = {
        "requirement": RequirementForm(
            sent["requirement"], prefix="requirement", initial={"requirement": line.requirement.value}
        ),
        "trigger": TriggerForm(
            sent["trigger"],
            prefix="trigger",
            initial={"trigger": line.trigger.value if line.is_chosen else AS_INFERRED},
        ),
        "archive": ArchiveForm(sent["archive"], prefix="archive"),
    }
    if request.method == "POST":
        form = forms_.get(act)
        if form is None or (act == "archive" and not request.scope.is_administrator):
            raise Http404
        if form.is_valid():
            try:
                said = _decide(campaign, act, form.cleaned_data, by=decider(request), at=request.now)
            except RefusedError as error:
                form.add_error(None, str(error))
            else:
                (messages.success if said else messages.info)(
                    request, said or _("It was so already; nothing was changed.")
                )
                return redirect("settings_campaign", pk=campaign.pk)
    changes = setting_changes(request.scope, subject=SettingChange.Subject.CAMPAIGN, subject_id=campaign.pk)[:ROWS]
    return render(
        request,
        "dashboard/settings/campaign.html",
        {"line": line, "forms": forms_, "lines": log_lines(request.scope, changes), **_effect(request, line)},
    )


def _decide(campaign: Campaign, act: str, chosen: dict[str, Any], *, by: User, at: datetime) -> str:
    """Carry a decision out and return what to say; empty when it changed nothing."""
    reason = chosen["reason"]
    if act == "requirement":
        requirement = Requirement(chosen["requirement"])
        if set_requirement(campaign, requirement, by=by, at=at, reason=reason):
            return {
                Requirement.REQUIRED: _("The campaign counts for compliance; every figure is recounted."),
                Requirement.OPTIONAL: _("The campaign is optional; every figure is recounted without it."),
                Requirement.EXCLUDED: _("The campaign is excluded; every figure is recounted without it."),
            }[requirement]
    elif act == "trigger":
        trigger = Trigger(chosen["trigger"]) if chosen["trigger"] else None
        if choose_trigger(campaign, trigger, by=by, at=at, reason=reason):
            if trigger is None:
                return _("The trigger is the inferred one again.")
            return _("The trigger is now “%(trigger)s”.") % {"trigger": trigger.label}
    elif campaign.archived_at is None:
        if archive(campaign, by=by, at=at, reason=reason):
            return _("The campaign is archived.")
    elif restore(campaign, by=by, at=at, reason=reason):
        return _("The campaign is back from the archive.")
    return ""


def _campaigns(request: ScopedRequest) -> QuerySet[Any]:
    """Return the campaigns with their state, whether they count, and their trigger, chosen or inferred."""
    required = Value(Requirement.REQUIRED.value)
    return (
        request.scope.campaigns()
        .select_related("setting", "inferred_trigger")
        .annotate(
            standing=campaign_state(request.now),
            requirement=Coalesce("setting__requirement", required, output_field=CharField()),
            cause=effective_trigger(),
        )
    )


def _line(campaign: Any, latest: SettingChange | None = None) -> CampaignLine:
    """Return a campaign of `_campaigns` as a line."""
    inferred: InferredTrigger | None = getattr(campaign, "inferred_trigger", None)
    setting: CampaignSetting | None = getattr(campaign, "setting", None)
    return CampaignLine(
        campaign=campaign,
        state=CampaignState(campaign.standing),
        requirement=Requirement(campaign.requirement),
        trigger=Trigger(campaign.cause),
        is_chosen=bool(setting and setting.trigger),
        evidence=evidence(inferred),
        latest=latest,
    )


def _lines(request: ScopedRequest, campaigns: Any) -> list[CampaignLine]:
    found = list(campaigns)
    latest = latest_by_subject(request.scope, SettingChange.Subject.CAMPAIGN, [campaign.pk for campaign in found])
    return [_line(campaign, latest.get(campaign.pk)) for campaign in found]


def _list_lead(everything: list[tuple[str, str]]) -> tuple[str, str]:
    """Say how many campaigns count, and of how many the trigger is not known."""
    if not everything:
        return _("There are no campaigns yet."), _("They come with the first sync.")
    out = sum(requirement != Requirement.REQUIRED for requirement, _cause in everything)
    unknown = sum(cause == Trigger.UNKNOWN for _requirement, cause in everything)
    count = {"n": number(len(everything) - out), "all": number(len(everything))}
    if out:
        fact = _("%(n)s of %(all)s campaigns count for compliance.") % count
    else:
        fact = (
            ngettext(
                "The one campaign counts for compliance.",
                "All %(all)s campaigns count for compliance.",
                len(everything),
            )
            % count
        )
    if not unknown:
        return fact, _("What triggers each is known.")
    context = ngettext("The trigger of %(n)s is not known.", "The triggers of %(n)s are not known.", unknown)
    return fact, context % {"n": number(unknown)}


def _effect(request: ScopedRequest, line: CampaignLine) -> dict[str, Any]:
    """Return what the campaign contributes to the account's figures, and what they would be without it.

    Nothing for one that does not count: what it would contribute is not kept.
    """
    if line.requirement != Requirement.REQUIRED or not request.account.published_run_id:
        return {"own": None}
    only = Filters(campaigns=frozenset({line.campaign.pk}))
    own = figures(request.scope, as_of=request.now, filters=only, with_people=False)
    everything = figures(request.scope, as_of=request.now, with_people=False)
    without: Totals = everything - own
    return {"own": own, "everything": everything, "without": without}
