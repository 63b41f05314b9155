"""Signing in to the simulator's company with one click."""

from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import perform_login
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpResponse
from django.views.decorators.http import require_POST

from dashboard.identity.demo import demo_sign_ins
from dashboard.scoped_request import ScopedRequest


@require_POST
@login_not_required
def demo_sign_in(request: ScopedRequest, role: str) -> HttpResponse:
    """Sign in as the demo's user with a role; 404 wherever demo sign-ins are not offered."""
    user = next((choice.user for choice in demo_sign_ins() if choice.key == role), None)
    if user is None:
        raise Http404
    record_authentication(request, user, "demo")
    response: HttpResponse = perform_login(request, user, email_verification="none")
    return response
