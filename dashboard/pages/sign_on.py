"""The ways to and from an organization's single sign-on where allauth's own do not do."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

import requests
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect import views
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from dashboard.identity.signed_tokens import SignedTokensAdapter

logger = logging.getLogger(__name__)


@login_not_required
def openid_connect_login(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Lead to the provider; back to the sign-in page when it cannot be reached, or what it says of itself is no use."""
    try:
        response: HttpResponse = views.login(request, provider_id)
    except (requests.RequestException, ValueError, KeyError) as error:
        logger.warning("A provider of single sign-on does not answer as it should: %s", type(error).__name__)
        messages.error(
            request,
            _("Your organization's sign-in does not answer just now. Try again, or ask an administrator."),
        )
        return redirect(settings.LOGIN_URL)
    return response


@login_not_required
@wraps(views.callback)
def openid_connect_callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Take what the provider says of the reader, if it signed it. To the rest of the site it is allauth's own view."""
    try:
        view = OAuth2CallbackView.adapter_view(SignedTokensAdapter(request, provider_id))
        response: HttpResponse = view(request)
    except SocialApp.DoesNotExist:
        raise Http404 from None
    return response


def with_host(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Answer 400 to a request that does not say which host it is for: SAML's messages name it."""

    @wraps(view)
    def hosted(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if "HTTP_HOST" not in request.META:
            raise BadRequest("a request says which host it is for")
        return view(request, *args, **kwargs)

    return hosted


@login_not_required
def saml_sls(request: HttpRequest, organization_slug: str) -> HttpResponse:
    """Answer 404: signing out at the provider, too, is not offered, and a link from elsewhere signs nobody out.

    SAML's metadata names the address, so it exists.
    """
    raise Http404
