"""Page behind an invitation's link: signing in, or choosing a password, and the role."""

from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import perform_login
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from dashboard.audit import Action, Subject, record
from dashboard.identity.sessions import tell_if_closed
from dashboard.models import Invitation, Role, SingleSignOn, User
from dashboard.pages.members_accept_form import NewUserForm, PasswordForm
from dashboard.queries.belonging import replaces_password
from dashboard.queries.members import find_user, has_user, is_real_member
from dashboard.scoped_request import ScopedRequest
from dashboard.services import RefusedError
from dashboard.services.first_role import is_unproven
from dashboard.services.members import accept, find_invitation, holding
from dashboard.services.operator_links import come_back_in, has_administrator, may_choose_password


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password", "again")
@never_cache
@login_not_required
def accept_invitation(request: ScopedRequest, token: str) -> HttpResponse:
    """Show what is offered; with POST take it, as the user signed in or as a new one. 404 for a link without use."""
    invitation = find_invitation(token, at=request.now)
    if invitation is None:
        return render(request, "account/invitation_over.html", status=404)
    try:
        return _answer(request, invitation)
    except RefusedError:
        # Somebody was quicker: it was accepted or revoked meanwhile; or the user is switched off.
        return render(request, "account/invitation_over.html", status=404)


def _answer(request: ScopedRequest, invitation: Invitation) -> HttpResponse:
    reader = request.user if isinstance(request.user, User) else None
    user = find_user(invitation.email)
    if user is not None and not user.is_active:
        raise RefusedError(_("The sign-in of %(email)s is switched off.") % {"email": user.email})
    if user is not None and reader in {None, user} and _lets_back_in(invitation, user):
        return _come_back(request, invitation, user)
    single_sign_on = replaces_password(invitation.account, invitation.role)
    if user is not None and reader in {None, user} and single_sign_on and is_unproven(user, invitation.account):
        return _accept_by_link(request, invitation, user, single_sign_on)
    if reader is not None:
        return _accept_as(request, invitation, reader)
    if user is not None:
        return _page(request, invitation, must_sign_in=True)
    return _accept_anew(request, invitation)


def _page(request: ScopedRequest, invitation: Invitation, **shown: object) -> HttpResponse:
    is_first = _is_first(request, invitation)
    return render(request, "account/invitation.html", {"invitation": invitation, "is_first": is_first, **shown})


def _is_first(request: ScopedRequest, invitation: Invitation) -> bool:
    """Return whether the link makes the first administrator who can sign in."""
    is_offered = invitation.is_from_operator and invitation.role == Role.ADMINISTRATOR
    return is_offered and not has_administrator(invitation.account, at=request.now)


def _lets_back_in(invitation: Invitation, user: User) -> bool:
    return may_choose_password(invitation, user) and not replaces_password(invitation.account, invitation.role)


def _come_back(request: ScopedRequest, invitation: Invitation, user: User) -> HttpResponse:
    """Let a user choose another password by the link alone, and sign them in."""
    form = PasswordForm(user, request.POST if request.method == "POST" else None)
    if form.is_valid():
        come_back_in(invitation, user, password=form.cleaned_data["password"], at=request.now, request=request)
        _welcome(request, invitation)
        return _sign_in(request, user)
    return _page(request, invitation, form=form, is_back=True)


def _sign_in(request: ScopedRequest, user: User, *, then: str = "overview") -> HttpResponse:
    """Sign in who has just chosen a password; a second factor is asked for as ever."""
    record_authentication(request, user, "password", email=user.email)
    response: HttpResponse = perform_login(request, user, email_verification="none", redirect_url=reverse(then))
    return response


def _accept_as(request: ScopedRequest, invitation: Invitation, user: User) -> HttpResponse:
    is_theirs = user.email.casefold() == invitation.email.casefold() or (
        # The demo's users have a password that anybody at this machine knows.
        not invitation.email and is_real_member(user)
    )
    if request.method == "POST" and is_theirs:
        accept(invitation, user=user, at=request.now, request=request)
        _welcome(request, invitation)
        tell_if_closed(request, user, invitation.account)
        return redirect("overview")
    return _page(request, invitation, is_theirs=is_theirs)


def _accept_by_link(
    request: ScopedRequest, invitation: Invitation, user: User, single_sign_on: SingleSignOn
) -> HttpResponse:
    """Give the role to a user who can sign in by nothing that is theirs yet; the organization then signs them in."""
    if request.method != "POST":
        return _page(request, invitation, single_sign_on=single_sign_on)
    accept(invitation, user=user, at=request.now, request=request)
    logout(request)
    _welcome(request, invitation)
    return redirect("account_login")


def _accept_anew(request: ScopedRequest, invitation: Invitation) -> HttpResponse:
    """Make the invited user, with a password unless the organization signs its members in."""
    if single_sign_on := replaces_password(invitation.account, invitation.role):
        if request.method == "POST":
            _make(request, invitation, User(email=User.objects.normalize_email(invitation.email)), password=None)
            _welcome(request, invitation)
            # Not straight there: what a form is sent to may not lead to another site.
            return redirect("account_login")
        return _page(request, invitation, single_sign_on=single_sign_on)
    is_first = _is_first(request, invitation)
    form = NewUserForm(invitation, request.POST if request.method == "POST" else None, asks_time_zone=is_first)
    if form.is_valid():
        cleaned = form.cleaned_data
        user = _make(request, invitation, form.unsaved(), password=cleaned["password"], zone=cleaned.get("time_zone"))
        _welcome(request, invitation)
        return _sign_in(request, user, then="check_mail" if is_first else "overview")
    return _page(request, invitation, form=form)


def _make(
    request: ScopedRequest, invitation: Invitation, user: User, *, password: str | None, zone: str | None = None
) -> User:
    """Make the user and give them the role; RefusedError when somebody was quicker."""
    user.set_password(password)
    with holding(invitation, at=request.now):
        if has_user(user.email):
            raise RefusedError(_("Somebody signs in with this email already."))
        try:
            with transaction.atomic():
                user.save()
        except IntegrityError:
            # Of two accounts' invitations that are accepted at once, one makes the user.
            raise RefusedError(_("Somebody signs in with this email already.")) from None
        accept(invitation, user=user, at=request.now, request=request, is_new=True)
        account = invitation.account
        if zone and zone != account.time_zone:
            account.time_zone = zone
            account.save(update_fields=["time_zone"])
            record(
                Action.ACCOUNT_CHANGED,
                account=account,
                user=user,
                subject=Subject.ACCOUNT,
                subject_id=account.pk,
                details={"fields": ["time_zone"]},
                request=request,
            )
    return user


def _welcome(request: ScopedRequest, invitation: Invitation) -> None:
    messages.success(
        request,
        _("Welcome to %(account)s. You are %(role)s.")
        % {"account": invitation.account, "role": invitation.get_role_display().lower()},
    )
