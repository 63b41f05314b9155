"""One's own name and email: a name changes at once, an email when it is confirmed by a code mailed to it.

The new email and a hash of the code wait in the session, so the code is of use in the browser that asked for it alone.
"""

import logging
import secrets
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.mail import send_mail
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from dashboard.identity.email_field import AddressField, AddressInput
from dashboard.identity.invitation_mail import CANNOT_SEND
from dashboard.identity.recently import recently_signed_in
from dashboard.pages.settings.guards import decider
from dashboard.queries import sign_in as queries
from dashboard.queries.belonging import required_single_sign_on
from dashboard.rate_limits import limited
from dashboard.requests.sent_forms import once
from dashboard.scoped_request import ScopedRequest
from dashboard.services.identity import EmailTakenError, Identity, Source, rename

logger = logging.getLogger(__name__)
_WAITS = "new_email"
CODE_HOLDS = timedelta(minutes=30)
MOST_WRONG = 5


class NameForm(forms.Form):
    """Somebody's name and email."""

    first_name = forms.CharField(
        label=gettext_lazy("First name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "given-name"})
    )
    last_name = forms.CharField(
        label=gettext_lazy("Last name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "family-name"})
    )
    email = AddressField(
        label=gettext_lazy("Email"), max_length=254, widget=AddressInput(attrs={"autocomplete": "email"})
    )

    def identity(self) -> Identity:
        """Return what was typed."""
        return Identity(**{name: self.cleaned_data[name] for name in ("email", "first_name", "last_name")})


class CodeForm(forms.Form):
    """The code that was mailed."""

    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@limited("new_email", when=lambda request: request.method == "POST")
@recently_signed_in()
@once()
def your_name(request: ScopedRequest) -> HttpResponse:
    """Change one's name, and ask for another email. Whose provider says both reads so instead."""
    user = decider(request)
    provider = queries.provider_of(user)
    before = Identity.of(user)
    form = NameForm(request.POST if request.method == "POST" else None, initial=vars(before))
    if provider is None and form.is_valid():
        wanted = form.identity()
        is_new = wanted.email.casefold() != before.email.casefold()
        required = required_single_sign_on(user)
        if is_new and required is not None:
            said = _("You sign in through %(name)s only: it would not know this email.") % {"name": required}
            form.add_error("email", said)
        elif is_new and not _send_code(request, wanted.email):
            form.add_error("email", _("The code could not be mailed to this address. Try again, or another one."))
        else:
            named = Identity(before.email, wanted.first_name, wanted.last_name)
            if rename(user, named, by=user, source=Source.MEMBER, request=request):
                messages.success(request, _("Your name is changed."))
            return redirect("confirm_email" if is_new else "profile")
    return render(request, "dashboard/profile/name.html", {"form": form, "provider": provider})


@require_http_methods(["GET", "HEAD", "POST"])
@recently_signed_in()
def confirm_email(request: ScopedRequest) -> HttpResponse:
    """Take the code that was mailed to the new email, which is then the one to sign in with."""
    user = decider(request)
    waits = _waiting(request)
    if waits is None:
        messages.info(request, _("No email waits to be confirmed, or its time is over. Ask for another code."))
        return redirect("your_name")
    form = CodeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        if not constant_time_compare(_hash(form.cleaned_data["code"]), waits["code"]):
            form.add_error("code", _("This is another code than the one in the mail."))
            waits["wrong"] += 1
            request.session[_WAITS] = waits
        else:
            del request.session[_WAITS]
            try:
                wanted = Identity(waits["email"], user.first_name, user.last_name)
                rename(user, wanted, by=user, source=Source.MEMBER, request=request)
            except EmailTakenError as error:
                messages.error(request, str(error))
                return redirect("your_name")
            messages.success(request, _("You sign in with %(email)s from now on.") % {"email": waits["email"]})
            return redirect("profile")
    return render(request, "dashboard/profile/confirm_email.html", {"form": form, "email": waits["email"]})


def _send_code(request: ScopedRequest, email: str) -> bool:
    """Mail a code to the new email and keep both; return whether the mail went out."""
    code = f"{secrets.randbelow(10**8):08}"
    text = render_to_string("mail/new_email.txt", {"code": f"{code[:4]} {code[4:]}", "user": request.user})
    try:
        send_mail(_("Your code for Rollcall"), text, None, [email])
    except CANNOT_SEND as error:
        logger.warning("A code could not be sent: %s", type(error).__name__)
        return False
    until = request.now + CODE_HOLDS
    request.session[_WAITS] = {"email": email, "code": _hash(code), "until": until.isoformat(), "wrong": 0}
    return True


def _waiting(request: ScopedRequest) -> dict[str, Any] | None:
    """Return what waits for its code; None for nothing, after its time, and after too many wrong codes."""
    found: dict[str, Any] | None = request.session.get(_WAITS)
    if found is None:
        return None
    # Further ahead than any code holds is a clock that was wrong.
    is_in_time = request.now < datetime.fromisoformat(found["until"]) <= request.now + CODE_HOLDS
    return found if is_in_time and found["wrong"] < MOST_WRONG else None


def _hash(code: str) -> str:
    return salted_hmac("rollcall new email", "".join(filter(str.isalnum, code))).hexdigest()
