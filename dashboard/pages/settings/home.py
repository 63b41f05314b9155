"""The front page of settings: what is decided, what waits, the target, and the latest decisions; and the whole log."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from dashboard.formats import number
from dashboard.models import AccountSetting, CampaignSetting, SettingChange
from dashboard.outbox.handing_over import is_set_up
from dashboard.pages.settings.fields import ReasonField
from dashboard.pages.settings.filters import filter_bar
from dashboard.pages.settings.guards import decider, for_readers_of_settings
from dashboard.pages.settings.words import log_lines
from dashboard.queries.exemptions import State, counts, exemptions
from dashboard.queries.renames import renames
from dashboard.queries.setting_changes import setting_changes
from dashboard.requests.fields import word_in
from dashboard.requests.paging import page_of
from dashboard.scoped_request import ScopedRequest
from dashboard.services import RefusedError
from dashboard.services.targets import set_target

LATEST = 6
ROWS = 50
Requirement = CampaignSetting.Requirement


class TargetForm(forms.Form):
    """The rate aimed at, and why."""

    rate = forms.DecimalField(
        label=gettext_lazy("Target rate in percent"),
        min_value=Decimal(0),
        max_value=Decimal(100),
        decimal_places=1,
        help_text=gettext_lazy("Rates below it are colored. It counts nothing and nobody."),
    )
    reason = ReasonField()


@require_http_methods(["GET", "HEAD", "POST"])
@for_readers_of_settings
def settings(request: ScopedRequest) -> HttpResponse:
    """Show what is decided and what waits for a decision; take another target rate."""
    setting: AccountSetting = getattr(request.account, "setting", None) or AccountSetting(account=request.account)
    form = TargetForm(request.POST if request.method == "POST" else None, initial={"rate": setting.target_rate})
    if form.is_valid():
        rate = form.cleaned_data["rate"]
        try:
            is_changed = set_target(
                request.account, rate, by=decider(request), at=request.now, reason=form.cleaned_data["reason"]
            )
        except RefusedError as error:
            form.add_error(None, str(error))
        else:
            if is_changed:
                messages.success(request, _("The target is now %(rate)s%%.") % {"rate": rate})
            else:
                messages.info(request, _("That is the target already; nothing was changed."))
            return redirect("settings")
    return render(request, "dashboard/settings/home.html", {"form": form, "setting": setting, **_blocks(request)})


def _blocks(request: ScopedRequest) -> dict[str, Any]:
    """Count what is decided, by kind, and read the latest decisions."""
    scope = request.scope
    campaigns = scope.campaigns().aggregate(
        all=Count("pk"),
        optional=Count("pk", filter=Q(setting__requirement=Requirement.OPTIONAL)),
        excluded=Count("pk", filter=Q(setting__requirement=Requirement.EXCLUDED)),
        chosen=Count("pk", filter=~Q(setting__trigger="") & Q(setting__isnull=False)),
        archived=Count("pk", filter=Q(archived_at__isnull=False)),
    )
    departments = scope.departments().aggregate(
        all=Count("pk", filter=Q(merged_into__isnull=True) & ~Q(key="")),
        merged=Count("pk", filter=Q(merged_into__isnull=False)),
    )
    standing = counts(exemptions(scope, at=request.now), at=request.now)
    latest, renamed = list(setting_changes(scope)[: LATEST + 1]), len(renames(scope))
    return {
        "campaigns": campaigns,
        "departments": departments | {"renamed": renamed},
        "exemptions": {state.value: standing.get(state, 0) for state in State} | {"expiring": standing["expiring"]},
        "has_exemptions": len(standing) > 1,
        "lines": log_lines(scope, latest[:LATEST]),
        "has_more": len(latest) > LATEST,
        "has_mail_server": is_set_up(),
        "lead": _lead(campaigns, standing.get(State.REQUESTED, 0), renamed, standing["expiring"]),
    }


def _lead(campaigns: dict[str, int], waiting: int, renamed: int, expiring: int) -> tuple[str, str, str]:
    """Say what waits for a decision, the address where it does (empty for nothing), and beside it what counts."""
    out = campaigns["optional"] + campaigns["excluded"]
    if not campaigns["all"]:
        context = _("There are no campaigns yet.")
    elif not out:
        context = _("Every campaign counts for compliance.")
    else:
        context = _("%(n)s of %(all)s campaigns are left out of compliance.") % {
            "n": number(out),
            "all": number(campaigns["all"]),
        }
    if waiting:
        fact = ngettext("%(n)s exemption waits for a decision.", "%(n)s exemptions wait for a decision.", waiting) % {
            "n": number(waiting)
        }
        return fact, f"{reverse('exemptions')}?state={State.REQUESTED}", context
    if renamed:
        fact = ngettext(
            "%(n)s department seems renamed and waits for a decision.",
            "%(n)s departments seem renamed and wait for a decision.",
            renamed,
        ) % {"n": number(renamed)}
        return fact, reverse("settings_departments"), context
    if expiring:
        fact = ngettext("%(n)s exemption ends within 30 days.", "%(n)s exemptions end within 30 days.", expiring) % {
            "n": number(expiring)
        }
        return fact, "", context
    return _("Nothing waits for a decision."), "", context


@require_safe
@vary_on_headers("HX-Target")
@for_readers_of_settings
def settings_log(request: ScopedRequest) -> HttpResponse:
    """List every decision: who changed what, from what to what, when and why."""
    subject = word_in(request, "subject", SettingChange.Subject.values)
    page = page_of(request.GET, setting_changes(request.scope, subject=subject), ROWS)
    context = {
        "page": page,
        "lines": log_lines(request.scope, page.object_list),
        "bar": filter_bar(
            request,
            [("subject", _("About"), SettingChange.Subject.choices)],
            target="settings-log",
            everything=_("Everything"),
        ),
    }
    template = "dashboard/settings/log.html"
    if request.htmx.target == "settings-log":
        template = "dashboard/settings/log_table.html#settings-log"
    return render(request, template, context)
