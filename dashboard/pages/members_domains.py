"""Email domains of single sign-on: proving whose they are."""

import logging
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.mail import send_mail
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from dashboard.access import Scope
from dashboard.identity.domain_records import CannotAskError, texts_at
from dashboard.identity.invitation_mail import CANNOT_SEND, public_address
from dashboard.identity.recently import recently_signed_in
from dashboard.models import EmailDomain
from dashboard.pages.members import for_this_accounts_administrators
from dashboard.pages.settings.guards import decider
from dashboard.queries import members as queries
from dashboard.rate_limits import limited
from dashboard.requests.sent_forms import once
from dashboard.scoped_request import ScopedRequest
from dashboard.services import RefusedError
from dashboard.services.domains import (
    domain_of_link,
    link_token,
    prove,
    record_name,
    record_text,
    refuse_anothers,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ShownDomain:
    """A domain of the page: what would prove it, and whether it belongs to another account."""

    domain: EmailDomain
    record_name: str
    record_text: str
    is_anothers: bool


def shown_domains(scope: Scope) -> list[ShownDomain]:
    """Return the account's domains, for whoever administers it."""
    return [
        ShownDomain(domain, record_name(domain), record_text(domain), _is_anothers(domain))
        for domain in queries.email_domains(scope)
    ]


@require_POST
@limited("domain_proof")
@for_this_accounts_administrators
@recently_signed_in("single_sign_on")
def check_domain(request: ScopedRequest, pk: int) -> HttpResponse:
    """Look for the DNS record; with it the domain belongs to the account."""
    domain = get_object_or_404(queries.email_domains(request.scope), pk=pk)
    try:
        if record_text(domain) in texts_at(record_name(domain)):
            prove(domain, EmailDomain.Proof.DNS, by=decider(request), at=request.now, request=request)
            messages.success(request, _("%(domain)s belongs to this account.") % {"domain": domain})
        else:
            messages.error(
                request,
                _("%(name)s has no TXT record with this text yet. New records can take an hour to be seen.")
                % {"name": record_name(domain)},
            )
    except (CannotAskError, RefusedError) as error:
        messages.error(request, str(error))
    return redirect("single_sign_on")


@require_POST
@limited("domain_proof")
@for_this_accounts_administrators
@recently_signed_in("single_sign_on")
@once()
def mail_domain(request: ScopedRequest, pk: int) -> HttpResponse:
    """Mail a link that proves the domain to whoever looks after its mail."""
    domain = get_object_or_404(queries.email_domains(request.scope), pk=pk)
    address = f"postmaster@{domain.name}"
    try:
        refuse_anothers(domain)
        text = render_to_string(
            "dashboard/members/domain_mail.txt",
            {
                "domain": domain,
                "by": decider(request),
                "address": public_address("prove_domain", token=link_token(domain)),
            },
        )
        send_mail(_("Does %(domain)s belong to %(account)s?") % _names(domain), text, None, [address])
    except RefusedError as error:
        messages.error(request, str(error))
    except CANNOT_SEND as error:
        logger.warning("A mail to a postmaster could not be sent: %s", type(error).__name__)
        messages.error(request, _("The mail to %(address)s could not be sent: check EMAIL_URL.") % {"address": address})
    else:
        messages.success(request, _("A link is on its way to %(address)s.") % {"address": address})
    return redirect("single_sign_on")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_not_required
def prove_domain(request: ScopedRequest, token: str) -> HttpResponse:
    """Ask who reads mail to postmaster whether the domain is the account's; with POST it is. 404 for an old link."""
    domain = domain_of_link(token)
    if domain is None:
        return render(request, "account/domain.html", {"is_over": True}, status=404)
    context = {"domain": domain, "refusal": ""}
    if request.method == "POST":
        try:
            prove(domain, EmailDomain.Proof.MAIL, by=None, at=request.now, request=request)
        except RefusedError as error:
            context["refusal"] = str(error)
    domain.refresh_from_db(fields=["proven_at"])
    return render(request, "account/domain.html", context)


def _is_anothers(domain: EmailDomain) -> bool:
    try:
        refuse_anothers(domain)
    except RefusedError:
        return True
    return False


def _names(domain: EmailDomain) -> dict[str, object]:
    return {"domain": domain.name, "account": domain.account}
