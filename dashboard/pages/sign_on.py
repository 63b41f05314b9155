"""The ways to and from an organization's single sign-on where allauth's own do not do."""

import logging

import requests
from allauth.socialaccount.providers.openid_connect import views
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

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
def saml_sls(request: HttpRequest, organization_slug: str) -> HttpResponse:
    """Answer 404: signing out at the provider, too, is not offered, and a link from elsewhere signs nobody out.

    SAML's metadata names the address, so it exists.
    """
    raise Http404
