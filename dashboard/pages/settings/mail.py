"""Mail: which server sends it, and a test mail to oneself. The first administrator comes here first."""

from django.conf import settings as installation
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from dashboard.mail.trying import send_test_mail, server_in_words
from dashboard.outbox.handing_over import is_set_up
from dashboard.pages.members import for_this_accounts_administrators
from dashboard.pages.settings.guards import decider
from dashboard.rate_limits import seconds_to_wait, too_many
from dashboard.requests.sent_forms import once
from dashboard.scoped_request import ScopedRequest


@require_http_methods(["GET", "HEAD", "POST"])
@for_this_accounts_administrators
@once()
def check_mail(request: ScopedRequest) -> HttpResponse:
    """Show how mail is sent; with POST send a test mail to the reader and say what came of it."""
    reader = decider(request)
    if request.method == "POST":
        if wait := seconds_to_wait("test_mail", reader.pk, at=request.now.timestamp()):
            return too_many(request, wait)
        problem = send_test_mail(reader.email)
        if problem:
            messages.error(request, _("The test mail was not sent. %(why)s") % {"why": problem})
        elif is_set_up():
            said = _("The mail server took the test mail to %(email)s. If it does not arrive, look among the spam.")
            messages.success(request, said % {"email": reader.email})
        else:
            messages.info(request, _("The test mail was printed where Rollcall runs: no mail server is set up."))
        return redirect("check_mail")
    account = request.account
    context = {
        "server": server_in_words(),
        "sender": installation.DEFAULT_FROM_EMAIL,
        "address": installation.PUBLIC_URL,
        "email": reader.email,
        "needs_data": account.published_run_id is None and not account.encrypted_key,
    }
    return render(request, "dashboard/settings/mail.html", context)
