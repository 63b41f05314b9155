"""Checking how KnowBe4's API answers an account: a worker asks, the page shows what it reported."""

from datetime import datetime, timedelta

from django.contrib import messages
from django.core.cache import cache
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from dashboard.pages.accounts import for_administrators
from dashboard.pages.sync_requests import SLOW_AFTER
from dashboard.queries.sync_status import key_problem
from dashboard.rate_limits import limited
from dashboard.scoped_request import ScopedRequest
from dashboard.task_queue import send
from sync.models import Account, ApiCheck

# How long the page waits for the answer: the requests queue behind those of a sync, which takes minutes.
CHECK_FOR = timedelta(minutes=15)
CHECKS = "api_checks"


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Target")
@limited("api_check", when=lambda request: request.method == "POST")
@for_administrators
def check_api(request: ScopedRequest, account_id: int) -> HttpResponse:
    """Show what the last check of an account's API reported, or only its result; POST asks for another one.

    While one is under way, whoever asked for it, a POST waits for that one.
    """
    account = _managed(request, account_id)
    problem = key_problem(account)
    can_check = bool(account.encrypted_key) and not problem
    if request.method == "POST":
        if can_check:
            _start(request, account)
        else:
            messages.error(request, _("%(account)s has no key to read KnowBe4 with.") % {"account": account})
        return redirect("check_api", account_id=account.pk)
    found = _last(account)
    since = _asked_at(request, account)
    is_checking = since is not None and (found is None or not since <= found.finished_at <= request.now)
    context = {
        "account": account,
        "check": found,
        "can_check": can_check,
        "key_problem": problem,
        "is_checking": is_checking,
        "is_slow": is_checking and since is not None and request.now - since > SLOW_AFTER,
    }
    template = "dashboard/check_api.html"
    if request.htmx.target == "api-check":
        template += "#api-check"
    return render(request, template, context)


@require_safe
@for_administrators
def check_api_file(request: ScopedRequest, account_id: int) -> HttpResponse:
    """Download the last report as a file that can be sent; 404 while there is none."""
    found = _last(_managed(request, account_id))
    if found is None or not found.report:
        raise Http404
    response = HttpResponse(found.file, content_type="application/json; charset=utf-8")
    name = f"knowbe4-check-{found.finished_at:%Y-%m-%d}.json"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _managed(request: ScopedRequest, account_id: int) -> Account:
    return get_object_or_404(request.scope.managed_accounts().select_related("api_check"), pk=account_id)


def _last(account: Account) -> ApiCheck | None:
    # An account that was never checked has no such attribute.
    return getattr(account, "api_check", None)


def _start(request: ScopedRequest, account: Account) -> None:
    """Queue a check, unless one is under way, and remember since when its result is awaited."""
    key, found = f"{CHECKS}:{account.pk}", _last(account)
    since = request.now.isoformat()
    if not cache.add(key, since, timeout=CHECK_FOR.total_seconds()):
        under_way = cache.get(key, since)
        if found is None or found.finished_at < datetime.fromisoformat(under_way):
            _await(request, account, under_way)
            return
        cache.set(key, since, timeout=CHECK_FOR.total_seconds())
    send("sync.tasks.check_api", account_id=account.pk)
    _await(request, account, since)


def _await(request: ScopedRequest, account: Account, since: str) -> None:
    request.session[CHECKS] = {**request.session.get(CHECKS, {}), str(account.pk): since}


def _asked_at(request: ScopedRequest, account: Account) -> datetime | None:
    """Return when the reader last asked for a check of the account; None if never, or too long ago to wait for it."""
    text = request.session.get(CHECKS, {}).get(str(account.pk))
    at = datetime.fromisoformat(text) if text else None
    return at if at is not None and abs(request.now - at) < CHECK_FOR else None
