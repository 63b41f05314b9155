"""An administrator sees the product as a member does: read-only, said on every page, and logged."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from dashboard import audit
from dashboard.audit import Action, Subject
from dashboard.identity.log import stopped_viewing
from dashboard.pages.members import for_this_accounts_administrators
from dashboard.queries.members import memberships
from dashboard.scoped_request import ScopedRequest, view_as
from dashboard.web.scoping import VIEWED_IN


@require_POST
@for_this_accounts_administrators
def view_as_member(request: ScopedRequest, pk: int) -> HttpResponse:
    """Begin to see what the holder of a role sees, with all their roles and loans."""
    membership = get_object_or_404(memberships(request.scope), pk=pk)
    try:
        view_as(request, membership.user)
    except ValueError as error:
        messages.error(request, str(error))
        return redirect("members")
    request.session[VIEWED_IN] = request.account.pk
    audit.record(
        Action.VIEWED_AS,
        account=request.account,
        user=request.user,
        subject=Subject.USER,
        subject_id=membership.user_id,
        request=request,
    )
    return redirect("overview")


@require_POST
def stop_viewing(request: ScopedRequest) -> HttpResponse:
    """See the product as oneself again; nothing happens to whoever does already."""
    scope, viewer = request.scope, request.scope.viewer
    view_as(request, None)
    if viewer is not None:
        stopped_viewing(scope.account, viewer=viewer, member=scope.user, request=request, because="stopped")
    return redirect("overview")
