"""Signing out at the identity provider as well is not offered; its address is only named in SAML's metadata."""

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse


@login_not_required
def saml_sls(request: HttpRequest, organization_slug: str) -> HttpResponse:
    """Answer 404: a link from elsewhere signs nobody out."""
    raise Http404
