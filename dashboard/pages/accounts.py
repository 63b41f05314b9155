"""Accounts: which KnowBe4 tenants Rollcall reads, whether it reaches them, and which one a reader looks at."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlsplit

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from dashboard import audit
from dashboard.identity.recently import recently_signed_in
from dashboard.identity.sessions import tell_if_closed
from dashboard.models import User
from dashboard.pages.account_form import AccountForm, is_from_environment
from dashboard.pages.sync_requests import SLOW_AFTER, ask
from dashboard.queries.connections import Connection, connection, connections
from dashboard.queries.sync_status import Progress, key_problem, latest_runs
from dashboard.requests.account_paths import split_path
from dashboard.requests.sent_forms import once
from dashboard.scoped_request import ScopedRequest, choose_account
from dashboard.services.accounts import grant_administrator
from dashboard.services.retention import KEEPING, keep
from dashboard.task_queue import send
from sync.models import Account

Arguments = ParamSpec("Arguments")
View = Callable[Concatenate[ScopedRequest, Arguments], HttpResponseBase]

# How long the page waits for the answer to a test before it stops asking.
TEST_FOR = timedelta(minutes=2)
TESTS = "connection_tests"


def for_administrators(view: View[Arguments]) -> View[Arguments]:
    """Refuse whoever administers no account at all."""

    @wraps(view)
    def guarded(request: ScopedRequest, *args: Arguments.args, **kwargs: Arguments.kwargs) -> HttpResponseBase:
        if not request.scope.manages_accounts:
            raise PermissionDenied(_("Only an administrator manages accounts."))
        return view(request, *args, **kwargs)

    return guarded


@dataclass(frozen=True)
class AccountLine:
    """An account as the list shows it."""

    account: Account
    latest: Progress | None
    connection: Connection
    key_problem: str
    tested_since: datetime | None
    as_of: datetime
    is_from_environment: bool

    @property
    def is_testing(self) -> bool:
        """Whether the reader asked for a test of its key that has not been answered."""
        if self.tested_since is None:
            return False
        answered_at = self.account.connection_tested_at
        return answered_at is None or answered_at < self.tested_since

    @property
    def is_slow(self) -> bool:
        """Whether that answer is taking longer than a free worker would need."""
        return self.tested_since is not None and self.as_of - self.tested_since > SLOW_AFTER

    @property
    def place(self) -> str:
        """Source of the account's data: the region, or the host of another address."""
        return urlsplit(self.account.base_url).netloc.rpartition("@")[2] or str(self.account.get_region_display())


@require_safe
@vary_on_headers("HX-Target")
@for_administrators
def accounts(request: ScopedRequest) -> HttpResponse:
    """List the accounts the reader administers; or only the list, which follows a test of a key."""
    context = _list(request)
    if request.htmx.target == "account-list":
        return render(request, "dashboard/accounts.html#account-list", context)
    return render(request, "dashboard/accounts.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
@recently_signed_in()
@once()
def add_account(request: ScopedRequest) -> HttpResponse:
    """Add an account, administered by whoever adds it, and have its key tested."""
    return _edit(request, Account(time_zone=request.account.time_zone, region=request.account.region))


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
@recently_signed_in()
def edit_account(request: ScopedRequest, account_id: int) -> HttpResponse:
    """Change an account; the key is replaced only if one is typed."""
    return _edit(request, _managed(request, account_id))


@require_POST
@for_administrators
def test_account(request: ScopedRequest, account_id: int) -> HttpResponse:
    """Have an account's key tested by a worker; the list shows the answer."""
    _test(request, _managed(request, account_id))
    return redirect("accounts")


@require_POST
@for_administrators
def sync_account(request: ScopedRequest, account_id: int) -> HttpResponse:
    """Queue a sync of one of the reader's accounts, whichever they are looking at."""
    account = _managed(request, account_id)
    latest = latest_runs(request.scope, as_of=request.now).get(account.pk)
    if key_problem(account) or not account.encrypted_key:
        messages.error(request, _("%(account)s has no key to read KnowBe4 with.") % {"account": account})
    elif latest and latest.is_running:
        messages.info(request, _("A sync of %(account)s is already running.") % {"account": account})
    else:
        ask(request, account)
        messages.info(request, _("A sync of %(account)s is on its way.") % {"account": account})
    return redirect("accounts")


@require_POST
@for_administrators
def enable_account(request: ScopedRequest, account_id: int) -> HttpResponse:
    """Switch an account's scheduled syncs on or off; its data stays."""
    account = _managed(request, account_id)
    account.is_sync_enabled = request.POST.get("enabled") == "1"
    with transaction.atomic():
        account.save(update_fields=["is_sync_enabled"])
        _audit(request, audit.Action.ACCOUNT_CHANGED, account, syncs=account.is_sync_enabled)
    if account.is_sync_enabled:
        messages.success(request, _("%(account)s is synced on schedule again.") % {"account": account})
    else:
        messages.info(request, _("%(account)s is not synced any more; its data stays.") % {"account": account})
    return redirect("accounts")


@require_POST
def switch_account(request: ScopedRequest, account_id: int) -> HttpResponse:
    """Show the reader another of their accounts, from its Overview or the page of it that they were refused.

    404 for one that is not theirs.
    """
    account = next((one for one in request.scope.accounts if one.pk == account_id), None)
    if account is None:
        raise Http404
    choose_account(request, account)
    page = request.POST.get("next", "")
    is_of_it = split_path(urlsplit(page).path)[0] == account.pk and url_has_allowed_host_and_scheme(page, None)
    return redirect(page if is_of_it else "overview")


def _managed(request: ScopedRequest, account_id: int) -> Account:
    return get_object_or_404(request.scope.managed_accounts(), pk=account_id)


def _edit(request: ScopedRequest, account: Account) -> HttpResponse:
    form = AccountForm(account, request.POST if request.method == "POST" else None)
    if form.is_valid():
        with transaction.atomic():
            must_test = form.save()
            if form.is_new and isinstance(request.user, User):
                grant_administrator(request.user, account)
                # The new one may come first by name; whoever adds it goes on looking at the one they were looking at.
                choose_account(request, request.account)
                tell_if_closed(request, request.user, account)
            keep(account, {name: form.cleaned_data[name] for name in KEEPING}, by=request.user)
            changed = audit.Action.ACCOUNT_ADDED if form.is_new else audit.Action.ACCOUNT_CHANGED
            _audit(request, changed, account, fields=sorted(form.changed_data))
            if form.cleaned_data.get("key"):
                _audit(request, audit.Action.ACCOUNT_KEY_CHANGED, account)
        if must_test:
            _test(request, account)
        else:
            messages.success(request, _("%(account)s is saved.") % {"account": account})
        return redirect("accounts")
    known = None if form.is_new else connection(account, request.scope.managed_runs(), as_of=request.now)
    context = {"form": form, "account": account, "connection": known}
    return render(request, "dashboard/account_form.html", context)


def _audit(request: ScopedRequest, action: audit.Action, account: Account, **details: object) -> None:
    audit.record(
        action,
        account=account,
        user=request.user,
        subject=audit.Subject.ACCOUNT,
        subject_id=account.pk,
        details=details,
    )


def _test(request: ScopedRequest, account: Account) -> None:
    """Queue a test of the account's key and remember since when an answer is awaited."""
    send("sync.tasks.test_connection", account_id=account.pk)
    request.session[TESTS] = {**request.session.get(TESTS, {}), str(account.pk): request.now.isoformat()}


def _list(request: ScopedRequest) -> dict[str, object]:
    tests = {
        int(key): moment
        for key, text in request.session.get(TESTS, {}).items()
        if request.now - (moment := datetime.fromisoformat(text)) < TEST_FOR
    }
    latest = latest_runs(request.scope, as_of=request.now)
    managed = request.scope.managed_accounts().order_by("name", "pk")
    known = connections(managed, request.scope.managed_runs(), as_of=request.now)
    lines = [
        AccountLine(
            account=account,
            latest=latest.get(account.pk),
            connection=known[account.pk],
            key_problem=key_problem(account),
            tested_since=tests.get(account.pk),
            as_of=request.now,
            is_from_environment=is_from_environment(account),
        )
        for account in managed
    ]
    return {
        "accounts": lines,
        "is_live": any(line.is_testing or (line.latest and line.latest.is_running) for line in lines),
        "lead": _lead(lines),
    }


def _lead(lines: list[AccountLine]) -> tuple[str, str]:
    """Say how many accounts are read, and what is wrong with any."""
    troubled = [
        str(line.account)
        for line in lines
        if line.key_problem or line.connection.is_accepted is False or (line.latest and line.latest.has_problem)
    ]
    count = len(lines)
    fact = (
        _("Rollcall reads one KnowBe4 account.")
        if count == 1
        else _("Rollcall reads %(n)s KnowBe4 accounts.") % {"n": count}
    )
    if not troubled:
        return fact, ""
    if len(troubled) == 1:
        return fact, _("%(account)s needs a look.") % {"account": troubled[0]}
    return fact, _("%(n)s of them need a look.") % {"n": len(troubled)}
