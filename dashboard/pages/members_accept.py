"""What an invitation's link leads to: signing in, or choosing a password, and the role."""

from typing import Any

from allauth.account.utils import perform_login
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from dashboard.access import ScopedRequest
from dashboard.decisions import RefusedError
from dashboard.decisions.members import accept, find_invitation
from dashboard.models import Invitation, Role, User
from dashboard.queries.members import has_user
from dashboard.sign_in.required import enabled_single_sign_on


class NewUserForm(forms.Form):
    """Who somebody new is, and their password."""

    first_name = forms.CharField(
        label=gettext_lazy("First name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "given-name"})
    )
    last_name = forms.CharField(
        label=gettext_lazy("Last name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "family-name"})
    )
    password = forms.CharField(
        label=gettext_lazy("Password"),
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=gettext_lazy("Password again"),
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, email: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email
        self.fields["password"].help_text = " ".join(password_validators_help_texts())

    def clean(self) -> dict[str, Any]:
        """Hold the password to the rules, and both to each other."""
        cleaned = super().clean() or self.cleaned_data
        password, again = cleaned.get("password"), cleaned.get("again")
        if password and again and password != again:
            self.add_error("again", _("The two passwords differ."))
        if password:
            try:
                validate_password(password, self.unsaved())
            except ValidationError as error:
                self.add_error("password", error)
        return cleaned

    def unsaved(self) -> User:
        """Return the user this form would make, without a password."""
        named = {name: self.cleaned_data.get(name, "") for name in ("first_name", "last_name")}
        return User(email=User.objects.normalize_email(self.email), **named)


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
        if isinstance(request.user, User):
            return _accept_as(request, invitation, request.user)
        if has_user(invitation.email):
            return render(request, "account/invitation.html", {"invitation": invitation, "must_sign_in": True})
        return _accept_anew(request, invitation)
    except RefusedError:
        # Somebody was quicker: it was accepted or revoked meanwhile.
        return render(request, "account/invitation_over.html", status=404)


def _accept_as(request: ScopedRequest, invitation: Invitation, user: User) -> HttpResponse:
    is_theirs = user.email.casefold() == invitation.email.casefold()
    if request.method == "POST" and is_theirs:
        accept(invitation, user=user, at=request.now, request=request)
        _welcome(request, invitation)
        return redirect("overview")
    return render(request, "account/invitation.html", {"invitation": invitation, "is_theirs": is_theirs})


def _accept_anew(request: ScopedRequest, invitation: Invitation) -> HttpResponse:
    """Make the invited user, with a password unless the organization signs its members in."""
    single_sign_on = enabled_single_sign_on(invitation.account)
    if single_sign_on and single_sign_on.is_required and invitation.role != Role.ADMINISTRATOR:
        if request.method == "POST":
            _make(request, invitation, User(email=User.objects.normalize_email(invitation.email)), password=None)
            _welcome(request, invitation)
            # Not straight there: what a form is sent to may not lead to another site.
            return redirect("account_login")
        return render(request, "account/invitation.html", {"invitation": invitation, "single_sign_on": single_sign_on})
    form = NewUserForm(invitation.email, request.POST if request.method == "POST" else None)
    if form.is_valid():
        user = _make(request, invitation, form.unsaved(), password=form.cleaned_data["password"])
        _welcome(request, invitation)
        response: HttpResponse = perform_login(request, user, email_verification="none")
        return response
    return render(request, "account/invitation.html", {"invitation": invitation, "form": form})


@transaction.atomic
def _make(request: ScopedRequest, invitation: Invitation, user: User, *, password: str | None) -> User:
    user.set_password(password)
    user.save()
    accept(invitation, user=user, at=request.now, request=request)
    return user


def _welcome(request: ScopedRequest, invitation: Invitation) -> None:
    messages.success(
        request,
        _("Welcome to %(account)s. You are %(role)s.")
        % {"account": invitation.account, "role": invitation.get_role_display().lower()},
    )
