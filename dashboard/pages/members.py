"""Members: who has which role in the account, who is invited, and which scopes are lent."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboard.formats import number
from dashboard.identity.invitation_mail import CANNOT_SEND, send_invitation
from dashboard.identity.recently import recently_signed_in
from dashboard.merged_departments import counted_as
from dashboard.models import Delegation, Invitation, Membership, Role
from dashboard.pages.members_form import Doubts, InviteForm, RoleForm, unread_doubts
from dashboard.pages.settings.guards import decider
from dashboard.queries import members as queries
from dashboard.queries.offers import managers_of_nobody
from dashboard.requests.sent_forms import once
from dashboard.scoped_request import ScopedRequest
from dashboard.services import RefusedError
from dashboard.services.invitations import revoke
from dashboard.services.loans import end_loan
from dashboard.services.members import change, end, invite, renew
from dashboard.wording.members import what_became, what_becomes

logger = logging.getLogger(__name__)
Arguments = ParamSpec("Arguments")
View = Callable[Concatenate[ScopedRequest, Arguments], HttpResponse]
PAST_SHOWN = 50


def for_this_accounts_administrators(view: View[Arguments]) -> View[Arguments]:
    """Answer 404 to whoever does not administer the account they look at."""

    @wraps(view)
    def guarded(request: ScopedRequest, *args: Arguments.args, **kwargs: Arguments.kwargs) -> HttpResponse:
        if not request.scope.is_administrator:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


def is_confirmed(request: ScopedRequest) -> bool:
    """Return whether what cannot be taken back was confirmed; says so where it was not."""
    if "confirmed" in request.POST:
        return True
    messages.error(request, _("Nothing was done: tick the box to confirm it."))
    return False


def for_readers_of_members(view: View[Arguments]) -> View[Arguments]:
    """Answer 404 to whoever may not read who has which role in the account."""

    @wraps(view)
    def guarded(request: ScopedRequest, *args: Arguments.args, **kwargs: Arguments.kwargs) -> HttpResponse:
        if not request.scope.may_read_members:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


@dataclass(frozen=True)
class Lists:
    """Lists of the page."""

    current: list[Membership]
    past: list[Membership]
    invitations: list[Invitation]
    loans: list[Delegation]


@require_safe
@for_readers_of_members
def members(request: ScopedRequest) -> HttpResponse:
    """List members, invitations and loans."""
    everyone = list(queries.memberships(request.scope))
    lists = Lists(
        [membership for membership in everyone if membership.holds(request.now)],
        [membership for membership in everyone if not membership.holds(request.now)][:PAST_SHOWN],
        list(queries.invitations(request.scope)),
        [loan for loan in queries.loans(request.scope) if loan.ends_at > request.now],
    )
    people = len({membership.user_id for membership in lists.current})
    open_ones = sum(invitation.expires_at > request.now for invitation in lists.invitations)
    context = {
        "lists": lists,
        "lead": ngettext("%(n)s member.", "%(n)s members.", people) % {"n": number(people)},
        "quiet": ngettext("%(n)s invitation is open.", "%(n)s invitations are open.", open_ones)
        % {"n": number(open_ones)}
        if open_ones
        else "",
        "single_sign_on": queries.single_sign_on(request.scope),
        "of_nobody": _of_nobody(request, lists),
    }
    return render(request, "dashboard/members/members.html", context)


def _of_nobody(request: ScopedRequest, lists: Lists) -> set[int]:
    """Return the roles of people managers to whom nobody reports."""
    managers = {one.pk: one.user.email.lower() for one in lists.current if one.role == Role.PEOPLE_MANAGER}
    silent = managers_of_nobody(request.account, managers.values())
    return {pk for pk, email in managers.items() if email in silent}


@require_http_methods(["GET", "HEAD", "POST"])
@for_this_accounts_administrators
@recently_signed_in()
@once()
def invite_member(request: ScopedRequest) -> HttpResponse:
    """Offer a role to an email, and send the link."""
    form = InviteForm(request, request.POST if request.method == "POST" else None)
    doubts = Doubts()
    if form.is_valid() and not (doubts := unread_doubts(request, form.offer, form.cleaned_data["email"])).sentences:
        email = form.cleaned_data["email"]
        try:
            invitation, token = invite(
                request.account, email, form.offer, by=decider(request), at=request.now, request=request
            )
        except RefusedError as error:
            form.add_error(None, str(error))
        else:
            _send(request, invitation, token)
            return redirect("members")
    return render(request, "dashboard/members/invite.html", {"form": form, "doubts": doubts})


@require_http_methods(["GET", "HEAD", "POST"])
@for_this_accounts_administrators
@recently_signed_in()
def member(request: ScopedRequest, pk: int) -> HttpResponse:
    """Change a member's role, departments or last day."""
    membership = get_object_or_404(queries.memberships(request.scope), pk=pk)
    last_moment = membership.ends_at and (membership.ends_at - timedelta(microseconds=1))
    initial = {
        "role": membership.role,
        # One that was merged is not among the choices: what it is part of now is.
        "departments": sorted(counted_as(request.account, [one.pk for one in membership.departments.all()])),
        "last_day": last_moment and last_moment.astimezone(request.account.zone).date().isoformat(),
    }
    form = RoleForm(request, request.POST if request.method == "POST" else None, initial=initial)
    doubts = Doubts()
    if form.is_valid() and not (doubts := unread_doubts(request, form.offer, membership.user.email)).sentences:
        try:
            is_changed = change(membership, form.offer, by=decider(request), at=request.now, request=request)
        except RefusedError as error:
            form.add_error(None, str(error))
        else:
            said = _("%(member)s is changed.") if is_changed else _("Nothing was changed for %(member)s.")
            messages.success(request, said % {"member": membership.user})
            return redirect("members")
    is_fixed = membership.source == Membership.Source.SINGLE_SIGN_ON or not membership.holds(request.now)
    context = {
        "form": form,
        "membership": membership,
        "is_fixed": is_fixed,
        "doubts": doubts,
        "becomes": [] if is_fixed else what_becomes(membership, ends=decider(request), at=request.now),
    }
    return render(request, "dashboard/members/member.html", context)


@require_POST
@for_this_accounts_administrators
@recently_signed_in("members")
def end_member(request: ScopedRequest, pk: int) -> HttpResponse:
    """End a member's role now."""
    membership = get_object_or_404(queries.memberships(request.scope), pk=pk)
    if not is_confirmed(request):
        return redirect("member", pk)
    try:
        left = end(membership, by=decider(request), at=request.now, request=request)
    except RefusedError as error:
        messages.error(request, str(error))
    else:
        said = _("%(member)s is no longer %(role)s.")
        messages.success(request, said % {"member": membership.user, "role": membership.get_role_display().lower()})
        for sentence in what_became(left):
            messages.info(request, sentence)
    return redirect("members")


@require_POST
@for_this_accounts_administrators
@recently_signed_in("members")
@once()
def resend_invitation(request: ScopedRequest, pk: int) -> HttpResponse:
    """Send an invitation again, with a new link; the old one stops working."""
    invitation = get_object_or_404(queries.invitations(request.scope), pk=pk)
    try:
        token = renew(invitation, by=decider(request), at=request.now, request=request)
    except RefusedError as error:
        messages.error(request, str(error))
    else:
        _send(request, invitation, token)
    return redirect("members")


@require_POST
@for_this_accounts_administrators
@recently_signed_in("members")
def revoke_invitation(request: ScopedRequest, pk: int) -> HttpResponse:
    """End an invitation; its link stops working."""
    invitation = get_object_or_404(queries.invitations(request.scope), pk=pk)
    try:
        revoke(invitation, by=decider(request), at=request.now, request=request)
    except RefusedError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The invitation of %(email)s is revoked.") % {"email": invitation.email})
    return redirect("members")


@require_POST
@for_this_accounts_administrators
@recently_signed_in("members")
def end_member_loan(request: ScopedRequest, pk: int) -> HttpResponse:
    """End a loan between two members."""
    loan = get_object_or_404(queries.loans(request.scope), pk=pk)
    try:
        end_loan(loan, by=decider(request), at=request.now, request=request)
    except RefusedError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The loan is ended."))
    return redirect("members")


def _send(request: ScopedRequest, invitation: Invitation, token: str) -> None:
    """Send the link once the invitation is committed: a slow mail server must keep no row locked."""
    transaction.on_commit(lambda: _mail(request, invitation, token))


def _mail(request: ScopedRequest, invitation: Invitation, token: str) -> None:
    """Send it, and say whether that worked; the invitation stays either way."""
    email = invitation.email
    try:
        send_invitation(invitation, token)
    except CANNOT_SEND as error:
        logger.warning("An invitation could not be sent: %s", type(error).__name__)
        said = _("The mail to %(email)s could not be sent: check EMAIL_URL, then send the invitation again.")
        messages.error(request, said % {"email": email})
    else:
        messages.success(request, _("The invitation is on its way to %(email)s.") % {"email": email})
