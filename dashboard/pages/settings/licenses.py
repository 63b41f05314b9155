"""License ends of bought content: KnowBe4's API does not tell them, so administrators enter them."""

from datetime import timedelta

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from dashboard.formats import number
from dashboard.pages.settings.fields import DayField
from dashboard.pages.settings.guards import decider
from dashboard.queries.licenses import License, licenses
from dashboard.scoped_request import ScopedRequest
from dashboard.services import RefusedError
from dashboard.services.licenses import set_license_end

SOON = timedelta(days=90)


class LicensesForm(forms.Form):
    """A last day for each purchase; empty where none is known."""

    def __init__(self, rows: list[License], data: object = None) -> None:
        super().__init__(data)  # type: ignore[arg-type]  # a QueryDict
        self.rows = rows
        for row in rows:
            self.fields[name_of(row)] = DayField(
                label=_("Last day of %(content)s") % {"content": row.content}, required=False, initial=row.ends_on
            )


def name_of(row: License) -> str:
    """Return the name of the field with a purchase's last day."""
    return f"ends-{row.content.pk}"


@require_http_methods(["GET", "HEAD", "POST"])
def settings_licenses(request: ScopedRequest) -> HttpResponse:
    """Show and take the last day of each license; for administrators, 404 for others."""
    if not request.scope.is_administrator:
        raise Http404
    rows = licenses(request.scope)
    form = LicensesForm(rows, request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            changed = _save(request, form)
        except RefusedError as error:
            form.add_error(None, str(error))
        else:
            told = ngettext("%(n)s license was changed.", "%(n)s licenses were changed.", changed)
            messages.success(request, told % {"n": number(changed)} if changed else _("Nothing was changed."))
            return redirect("settings_licenses")
    today = request.now.astimezone(request.account.zone).date()
    soon = sum(1 for row in rows if row.ends_on is not None and row.ends_on <= today + SOON)
    context = {
        "form": form,
        "rows": [(row, form[name_of(row)]) for row in rows],
        "entered": sum(1 for row in rows if row.ends_on is not None),
        "soon": soon,
    }
    return render(request, "dashboard/settings/licenses.html", context)


def _save(request: ScopedRequest, form: LicensesForm) -> int:
    """Keep what differs, and return how many that were; what the form did not bring stays."""
    return sum(
        set_license_end(row.content, form.cleaned_data[name_of(row)], by=decider(request), at=request.now)
        for row in form.rows
        if name_of(row) in form.data
    )
