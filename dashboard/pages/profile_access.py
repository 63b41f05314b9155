"""Your access: the roles held, the scopes lent and borrowed."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from dashboard.formats import number
from dashboard.identity.email_field import AddressField, AddressInput
from dashboard.local_days import local_midnight
from dashboard.models import Delegation
from dashboard.pages.settings.fields import DayField
from dashboard.pages.settings.guards import decider
from dashboard.queries.members import own_loans, own_roles
from dashboard.requests.sent_forms import once
from dashboard.scoped_request import ScopedRequest
from dashboard.services import RefusedError
from dashboard.services.loans import LENDING, end_loan, lend


class LoanForm(forms.Form):
    """To whom the reader lends what they see, and for which days."""

    email = AddressField(
        label=gettext_lazy("Colleague's work email"),
        max_length=254,
        widget=AddressInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("Somebody who can sign in here."),
    )
    first_day = DayField(label=gettext_lazy("First day"))
    last_day = DayField(label=gettext_lazy("Last day"))
    note = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=500,
        required=False,
        help_text=gettext_lazy("Both of you see it: parental leave, vacation."),
    )

    def __init__(self, request: ScopedRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = request.account.zone

    def clean(self) -> dict[str, Any]:
        """Put what belongs to one field beside it."""
        cleaned = super().clean() or self.cleaned_data
        first, last = cleaned.get("first_day"), cleaned.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", _("The last day is before the first."))
        return cleaned

    @property
    def span(self) -> tuple[datetime, datetime]:
        """From when until when the loan holds, whole days of the account's zone."""
        last = self.cleaned_data["last_day"] + timedelta(days=1)
        return local_midnight(self.cleaned_data["first_day"], self.zone), local_midnight(last, self.zone)


@require_http_methods(["GET", "HEAD", "POST"])
@once()
def your_access(request: ScopedRequest) -> HttpResponse:
    """Show the reader's roles and loans; with POST lend what they see to a colleague."""
    roles = own_roles(request.scope, at=request.now)
    may_lend = any(role.role in LENDING for role in roles)
    if request.method == "POST" and not may_lend:
        raise Http404
    today = request.now.astimezone(request.account.zone).date()
    form = LoanForm(
        request, request.POST if request.method == "POST" else None, initial={"first_day": today.isoformat()}
    )
    if form.is_valid():
        starts_at, ends_at = form.span
        try:
            loan = lend(
                request.account,
                form.cleaned_data["email"],
                by=decider(request),
                starts_at=starts_at,
                ends_at=ends_at,
                at=request.now,
                note=form.cleaned_data["note"],
                request=request,
            )
        except RefusedError as error:
            form.add_error(None, str(error))
        else:
            messages.success(
                request, _("%(colleague)s sees what you see for that time.") % {"colleague": loan.borrower}
            )
            return redirect("your_access")
    loans = own_loans(request.scope)
    given, held = _running(loans.given, request.now), _running(loans.held, request.now)
    context = {
        "roles": roles,
        "may_lend": may_lend,
        "form": form,
        "given": given,
        "held": held,
        "over": [loan for loan in (*loans.given, *loans.held) if loan not in given and loan not in held],
        "lead": _lead(given, held, request.now),
    }
    return render(request, "dashboard/profile/access.html", context)


@require_POST
def end_own_loan(request: ScopedRequest, pk: int) -> HttpResponse:
    """End a loan the reader gave or holds; 404 for another's."""
    loans = own_loans(request.scope)
    loan = next((loan for loan in (*loans.given, *loans.held) if loan.pk == pk), None)
    if loan is None:
        raise Http404
    try:
        end_loan(loan, by=decider(request), at=request.now, request=request)
    except RefusedError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The loan is ended."))
    return redirect("your_access")


def _running(loans: list[Delegation], now: datetime) -> list[Delegation]:
    """Return the loans that run or are to come."""
    return [loan for loan in loans if loan.ended_at is None and loan.ends_at > now]


def _lead(given: list[Delegation], held: list[Delegation], now: datetime) -> str:
    if lenders := [str(loan.lender) for loan in held if loan.starts_at <= now]:
        return _("You also see what %(lenders)s sees, for a time.") % {"lenders": ", ".join(lenders)}
    if given:
        return ngettext(
            "%(n)s colleague has a loan of yours.", "%(n)s colleagues have a loan of yours.", len(given)
        ) % {"n": number(len(given))}
    return _("You see what your roles give.")
