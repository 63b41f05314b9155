"""KnowBe4's own completion percentage of a campaign beside Rollcall's, and the rows that explain the difference."""

from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from dashboard.formats import percent
from dashboard.queries import reconciliation as queries
from dashboard.queries.left_out import Reason
from dashboard.queries.reconciliation import Reconciliation, Since
from dashboard.requests.paging import page_of
from dashboard.scoped_request import ScopedRequest

ROWS = 50


@require_safe
@vary_on_headers("HX-Target")
def campaign_reconciliation(request: ScopedRequest, pk: int) -> HttpResponse:
    """Show what makes up the difference, and the rows of one `reason`; 404 for a campaign KnowBe4 no longer lists."""
    found = queries.reconciliations(request.scope, as_of=request.as_of, campaigns=[pk])
    if not found:
        raise Http404
    reason = _reason(request.GET.get("reason", ""))
    context = {"found": found[0], "campaign": found[0].campaign, "reason": reason, "lead": _lead(found[0])}
    if reason is not None:
        rows = (
            queries.rows(request.scope, pk, reason, as_of=request.as_of)
            .select_related("person", "content")
            .order_by("-enrolled_at", "pk")
        )
        context["page"] = page_of(request.GET, rows, ROWS)
        if request.htmx.target == "reconciliation-rows":
            return render(request, "dashboard/campaign_reconciliation.html#reconciliation-rows", context)
    return render(request, "dashboard/campaign_reconciliation.html", context)


def _reason(text: str) -> Reason | Since | None:
    if not text:
        return None
    for kind in (Reason, Since):
        if text in kind.values:
            return kind(text)
    raise BadRequest("reason is none of those that tell figures apart")


def _lead(found: Reconciliation) -> tuple[str, str]:
    """Return both figures in a sentence, and whether the rows below account for the difference."""
    ours = percent(found.ours)
    if found.theirs is None:
        return (
            _("Rollcall says %(ours)s; KnowBe4 gives no figure.") % {"ours": ours},
            _("It was not read yet, or the campaign is too big for KnowBe4 to compute it."),
        )
    fact = _("KnowBe4 says %(theirs)s, Rollcall %(ours)s.") % {"theirs": f"{found.theirs}%", "ours": ours}
    if not found.is_explained:
        return fact, _("The rows below do not account for all of the difference.")
    if not found.differences:
        return fact, _("Both count the same enrollments; KnowBe4 leaves out the decimals.")
    return fact, _("The rows below account for the difference.")
