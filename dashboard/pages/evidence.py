"""Evidence: packs for auditors, asked for, followed while they are made, and fetched; and the chain they form."""

import re
from datetime import date, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from dashboard import audit
from dashboard.evidence.jobs import MOST_SAMPLED, packs, request_pack
from dashboard.files.downloads import handed_out
from dashboard.files.jobs import percent_done
from dashboard.files.kept_scope import covers
from dashboard.models import EvidencePack, User
from dashboard.pages.settings.fields import DayField
from dashboard.rate_limits import limited
from dashboard.requests.sent_forms import once
from dashboard.scoped_request import ScopedRequest
from dashboard.task_queue import send

FRAGMENT = "evidence-list"
MOST_LISTED = 50
_SEED = re.compile(r"[A-Za-z0-9._-]{1,40}", re.ASCII)


class PackForm(forms.Form):
    """A period, whose records, and the sample."""

    first_day = DayField(label=gettext_lazy("From"))
    last_day = DayField(label=gettext_lazy("To"), help_text=gettext_lazy("The last day that is in it."))
    department = forms.ChoiceField(label=gettext_lazy("Department"), required=False)
    sample_size = forms.IntegerField(
        label=gettext_lazy("Sample"),
        min_value=0,
        max_value=MOST_SAMPLED,
        help_text=gettext_lazy("So many enrollments, drawn at random."),
    )
    sample_seed = forms.CharField(
        label=gettext_lazy("Seed"),
        max_length=40,
        help_text=gettext_lazy("Letters and digits that the auditor names: whoever knows them draws the same sample."),
    )

    def __init__(self, request: ScopedRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        departments = request.scope.departments().filter(merged_into=None).exclude(key="").order_by("name", "pk")
        self.departments = {str(one.pk): one for one in departments[:500]}
        fields: Any = self.fields
        fields["department"].choices = [
            ("", _("All departments")),
            *((key, one.name) for key, one in self.departments.items()),
        ]

    def clean_sample_seed(self) -> str:
        """Refuse what could be written in two ways."""
        seed: str = self.cleaned_data["sample_seed"]
        if not _SEED.fullmatch(seed):
            raise ValidationError(_("Letters, digits, dots and dashes only."))
        return seed

    def clean(self) -> dict[str, Any]:
        """Refuse a period that ends before it begins, or has not begun."""
        cleaned = super().clean() or self.cleaned_data
        first, last = cleaned.get("first_day"), cleaned.get("last_day")
        today = self.request.now.astimezone(self.request.account.zone).date()
        if first and first > today:
            self.add_error("first_day", _("The period has not begun."))
        if first and last and last < first:
            self.add_error("last_day", _("It ends before it begins."))
        return cleaned


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Target")
@limited("export", when=lambda request: request.method == "POST")
@once()
def evidence(request: ScopedRequest) -> HttpResponse:
    """List the account's packs and follow those being made; sent, have another one made. For who sees everyone."""
    reader = request.user
    if not request.scope.sees_everyone or not isinstance(reader, User):
        raise Http404
    today = request.now.astimezone(request.account.zone).date()
    last = date(today.year, (today.month - 1) // 3 * 3 + 1, 1) - timedelta(days=1)
    first = date(last.year, last.month - 2, 1)
    initial = {"first_day": first.isoformat(), "last_day": last.isoformat(), "sample_size": 25, "sample_seed": "1"}
    form = PackForm(request, request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        data = form.cleaned_data
        pack = request_pack(
            request.scope,
            data["first_day"],
            data["last_day"],
            user=reader,
            at=request.now,
            department=form.departments.get(data["department"]),
            sample_size=data["sample_size"],
            sample_seed=data["sample_seed"],
        )
        send("dashboard.tasks.make_evidence_pack", pack_id=pack.pk)
        return redirect("evidence")
    found = list(packs(request.scope)[:MOST_LISTED])
    context = {
        "form": form,
        "lines": [_line(request, one, reader) for one in found],
        "is_live": any(one.is_live for one in found),
        "making": sum(1 for one in found if one.is_live),
        "finished": sum(1 for one in found if one.number),
    }
    template = "dashboard/evidence.html"
    if request.htmx.target == FRAGMENT:
        template = "dashboard/evidence/list.html#evidence-list"
    return render(request, template, context, status=400 if form.errors else 200)


def _line(request: ScopedRequest, pack: EvidencePack, reader: User) -> dict[str, Any]:
    return {
        "pack": pack,
        "percent": percent_done(pack),
        "is_ready": pack.is_here(request.now),
        "is_own": pack.user_id == reader.pk and request.scope.viewer is None,
        "is_theirs": covers(request.scope, pack.scope),
    }


@require_safe
def evidence_file(request: ScopedRequest, pk: int) -> HttpResponseBase:
    """Answer with a pack; 404 for another reader's, once its time is over or their role shrank."""
    found = get_object_or_404(packs(request.scope), pk=pk, user=request.user.pk)
    response = handed_out(request, found)
    audit.record(
        audit.Action.DOWNLOADED,
        account=request.account,
        user=request.user,
        subject=audit.Subject.REPORT,
        subject_id=found.pk,
        details={"report": "evidence_pack", "number": found.number, "sha256": found.sha256},
        request=request,
    )
    return response
