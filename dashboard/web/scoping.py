"""Each request gets its scope, its moment, and a transaction in which the database shows nothing else."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render, resolve_url
from django.template.response import SimpleTemplateResponse
from django.urls import get_script_prefix, set_script_prefix
from django.utils import timezone
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRefresh

from config.sealing import SecretUnreadableError
from dashboard.access import Scope
from dashboard.active_roles import OWN, through
from dashboard.identity.log import stopped_viewing
from dashboard.identity.sessions import OWN_SIGN_IN, provider_of
from dashboard.identity.unsent import nothing_done, page_of
from dashboard.local_days import EARLIEST_YEAR, local_midnight
from dashboard.models import User
from dashboard.queries.belonging import accounts_of, required_single_sign_on
from dashboard.row_security import within
from dashboard.scoped_request import CHOSEN_ACCOUNT, VIEWED_AS, ScopedRequest
from dashboard.web.named_accounts import OF_NO_ACCOUNT, answer_by_name, read_name
from dashboard.web.unreadable_secrets import secret_unreadable
from sync.models import Account

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
# Where the session keeps in which account an administrator views as a member.
VIEWED_IN = "viewed_in"
# What an administrator who views as a member may still do.
ALWAYS_ALLOWED = frozenset({"stop_viewing", "account_logout", "keep_search"})


class ScopeMiddleware:
    """Decides `request.scope`, `request.account` and `request.as_of`, reads the clock once, and runs the view in scope.

    The account's time zone is active while the view runs, in a transaction that is the reader's alone
    (`dashboard.row_security`); pages of the sign-in tell of nobody and run without. Whoever is signed in without any
    membership gets the page that says whom to ask, on every address but those of their own sign-in.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        scoped = cast(ScopedRequest, request)
        scoped.now = scoped.as_of = timezone.now()
        scoped.past_day = None
        read_name(scoped)
        scoped.scope = _scope(scoped)
        prefix = get_script_prefix()
        try:
            if scoped.scope.account is None:
                response = self.get_response(request)
            else:
                scoped.account = scoped.scope.account
                with timezone.override(scoped.account.zone):
                    response = self.get_response(request)
        finally:
            set_script_prefix(prefix)
        return _refresh_when_signed_out(scoped, response)

    def process_view(
        self,
        request: HttpRequest,
        view: Callable[..., HttpResponse],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> HttpResponse | None:
        """Answer with the view's page, or with the no-access page where the reader has no account and needs one.

        BadRequest for an `as_of` that is no day, or one to come; PermissionDenied for an act while viewing as another.
        """
        if getattr(view, "is_by_token", False):
            # Whoever calls is known by a token; a session has no part in it.
            return None
        scoped = cast(ScopedRequest, request)
        scope = scoped.scope
        if scope.account is not None and "as_of" in request.GET:
            _look_back(scoped, scope.account)
        match = request.resolver_match
        name = (match.url_name or "") if match is not None else ""
        if scope.viewer is not None and request.method not in _READING and name not in ALWAYS_ALLOWED:
            raise PermissionDenied(_("While you view as somebody else nothing can be changed."))
        if name in OWN_SIGN_IN:
            _refuse_to_speak_for_all(scoped)
        if view.__module__.startswith("allauth."):
            return None
        needs_no_account = not getattr(view, "login_required", True) or name.startswith(("account_", "mfa_"))
        if scope.account is None and not needs_no_account and isinstance(request.user, User):
            if Scope.of(request.user, at=scoped.now).account is not None:
                return _sign_in_anew(scoped)
            return render(request, "dashboard/no_access.html", status=403)
        if scope.account is None:
            return None
        if not needs_no_account and name not in OF_NO_ACCOUNT:
            has_key = not getattr(view, "csrf_exempt", False)
            if answer := answer_by_name(scoped, has_key=has_key):
                return cast(HttpResponse, answer)
        try:
            with within(scope):
                response = view(request, *args, **kwargs)
                # Templates ask the database, too.
                return response.render() if isinstance(response, SimpleTemplateResponse) else response
        except SecretUnreadableError as error:
            return secret_unreadable(request, error)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer where a view outside of any scope needs a secret that cannot be read; None for any other error."""
        return secret_unreadable(request, exception) if isinstance(exception, SecretUnreadableError) else None


def _scope(request: ScopedRequest) -> Scope:
    """Return the reader's scope, or, while an administrator views as a member, that one's, without its rights."""
    user = request.user
    scope = Scope.of(user, chosen=request.session.get(CHOSEN_ACCOUNT), at=request.now, through=through(request))
    viewed = request.session.get(VIEWED_AS)
    if viewed is None or not isinstance(user, User):
        return scope
    member = User.objects.filter(pk=viewed, is_active=True).first()
    if not scope.is_administrator or scope.account is None or scope.account.pk != request.session.get(VIEWED_IN):
        # The view was one of an administrator, in that account: another one would know nothing of it.
        _stop_viewing(request, user, member, because="no administrator any more")
        return scope
    seen = Scope.of(member, chosen=scope.account.pk, at=request.now) if member else Scope()
    if seen.account != scope.account:
        _stop_viewing(request, user, member, because="no member any more")
        return scope
    return replace(seen, accounts=(scope.account,), administered=frozenset(), viewer=user)


def _stop_viewing(request: ScopedRequest, viewer: User, member: User | None, *, because: str) -> None:
    request.session.pop(VIEWED_AS, None)
    account = Account.objects.filter(pk=request.session.pop(VIEWED_IN, None)).first()
    stopped_viewing(account, viewer=viewer, member=member, request=request, because=because)


def _refuse_to_speak_for_all(request: ScopedRequest) -> None:
    """Raise PermissionDenied where a provider made the session, and the reader has something in other accounts, too."""
    if through(request) == OWN or not isinstance(request.user, User):
        return
    provider, user = provider_of(request), request.user
    # A loan that begins later counts, too, and so does what another account's provider vouches for.
    others = {*accounts_of(user), user.vouched_by_id} - {None, provider.account_id if provider else None}
    if provider is None or others:
        raise PermissionDenied(
            _("You came through the single sign-on of one account. Sign in with a password or passkey to do this.")
        )


def _sign_in_anew(request: ScopedRequest) -> HttpResponse:
    """End a session that opens no account of the reader's any more, such as since single sign-on is required."""
    required = required_single_sign_on(cast(User, request.user))
    page = request.get_full_path() if request.method in _READING else page_of(request)
    if request.method not in _READING:
        said = nothing_done()
    elif required is not None:
        said = _("Your organization signs in through %(name)s.") % {"name": required}
    else:
        said = _("How you were signed in opens no account of yours any more. Sign in anew.")
    logout(request)
    messages.info(request, said)
    return cast(HttpResponse, redirect_to_login(page))


def _look_back(request: ScopedRequest, account: Account) -> None:
    """Compute figures for the end of the day that the address asks for; today is now."""
    try:
        day = date.fromisoformat(request.GET["as_of"])
    except ValueError:
        raise BadRequest("as_of is not a day like 2026-09-30") from None
    today = request.now.astimezone(account.zone).date()
    if day > today or day.year < EARLIEST_YEAR:
        raise BadRequest("as_of is not a day of the past")
    if day < today:
        request.past_day, request.as_of = day, local_midnight(day + timedelta(days=1), account.zone)


def _refresh_when_signed_out(request: ScopedRequest, response: HttpResponse) -> HttpResponse:
    """Turn a redirect to the sign-in page, asked for by htmx, into a reload: a form must not land in a fragment."""
    if (
        request.htmx
        and response.status_code == 302
        and response["Location"].startswith(resolve_url(settings.LOGIN_URL))
    ):
        return HttpResponseClientRefresh()
    return response
