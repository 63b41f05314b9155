"""Correcting a member's name and email, by an administrator."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from dashboard.identity.recently import recently_signed_in
from dashboard.pages.members import for_this_accounts_administrators
from dashboard.pages.profile_name import NameForm
from dashboard.pages.settings.guards import decider
from dashboard.queries import members as queries
from dashboard.queries.sign_in import provider_of
from dashboard.scoped_request import ScopedRequest
from dashboard.services import RefusedError
from dashboard.services.identity import Identity, correct


@require_http_methods(["GET", "HEAD", "POST"])
@for_this_accounts_administrators
@recently_signed_in()
def rename_member(request: ScopedRequest, pk: int) -> HttpResponse:
    """Correct the name and email of a member; both addresses are told of another email."""
    membership = get_object_or_404(queries.memberships(request.scope), pk=pk)
    user = membership.user
    form = NameForm(request.POST if request.method == "POST" else None, initial=vars(Identity.of(user)))
    if form.is_valid():
        try:
            changed = correct(user, form.identity(), account=request.account, by=decider(request), request=request)
        except RefusedError as error:
            form.add_error(None, str(error))
        else:
            said = _("%(member)s is changed.") if changed else _("Nothing was changed for %(member)s.")
            user.refresh_from_db()
            messages.success(request, said % {"member": user})
            return redirect("member", pk)
    context = {"form": form, "membership": membership, "provider": provider_of(user)}
    return render(request, "dashboard/members/name.html", context)
