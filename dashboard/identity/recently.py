"""Sensitive acts ask who it is once more, unless that was proved a little while ago."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlencode

from allauth.account.internal.flows.reauthentication import get_reauthentication_flows
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from dashboard.identity.adapters import signed_in_lately
from dashboard.identity.unsent import keep
from dashboard.models import SingleSignOn
from dashboard.scoped_request import ScopedRequest

Arguments = ParamSpec("Arguments")
View = Callable[Concatenate[ScopedRequest, Arguments], HttpResponse]


def recently_signed_in(back: str = "") -> Callable[[View[Arguments]], View[Arguments]]:
    """Return a decorator for views that need a fresh proof of who the reader is.

    Whoever gave none within ACCOUNT_REAUTHENTICATION_TIMEOUT is sent to confirm, then to the same address, or, for a
    view that only takes POST, to the page named `back`. What was typed is kept meanwhile, but for secrets.
    """

    def decorate(view: View[Arguments]) -> View[Arguments]:
        @wraps(view)
        def guarded(request: ScopedRequest, *args: Arguments.args, **kwargs: Arguments.kwargs) -> HttpResponse:
            if signed_in_lately(request):
                return view(request, *args, **kwargs)
            target = resolve_url(back) if back else request.get_full_path()
            if request.method == "POST":
                keep(request, target)
                messages.info(request, _("It was a while since you signed in. Confirm that it is you, then try again."))
            address = f"{_where_to_confirm(request)}?{urlencode({'next': target})}"
            return HttpResponseClientRedirect(address) if request.htmx else redirect(address)

        return guarded

    return decorate


def _where_to_confirm(request: ScopedRequest) -> str:
    """Return where the reader can prove who they are: with a password or second factor, else where they came from."""
    if get_reauthentication_flows(request.user):
        return resolve_url("account_reauthenticate")
    single_sign_on = SingleSignOn.objects.filter(account=request.scope.account, is_enabled=True).first()
    return sign_in_address(single_sign_on) if single_sign_on else resolve_url("account_login")


def sign_in_address(single_sign_on: SingleSignOn) -> str:
    """Return the address at which signing in through the provider begins."""
    if single_sign_on.kind == SingleSignOn.Kind.OIDC:
        return resolve_url("openid_connect_login", provider_id=single_sign_on.key)
    return resolve_url("saml_login", organization_slug=single_sign_on.key)
