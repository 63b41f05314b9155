"""Account of a page: its address names it, and so does what is sent from it.

A session looks at one account, its tabs may show several. Whoever has several accounts gets pages below
`/account-NUMBER/`: links, fragments and downloads of a page have the same beginning, for every address that is made
while the page is, has it (Django's script prefix). Forms name the account in their key
(`dashboard.requests.sent_forms`), and each account has a CSRF secret of its own
(`dashboard.scoped_request.choose_account`). What names another account than the session looks at is refused.
"""

from typing import Any, cast

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import set_script_prefix
from django.utils.translation import gettext as _
from django.views import csrf
from django_htmx.http import HttpResponseClientRefresh

from dashboard.identity.unsent import keep, page_of
from dashboard.requests.account_paths import named_path, split_path
from dashboard.requests.sent_forms import account_of, reader_of
from dashboard.scoped_request import CHOSEN_ACCOUNT, ScopedRequest
from sync.models import Account

# What is meant for the session, whatever it looks at.
OF_NO_ACCOUNT = frozenset({"switch_account", "account_logout"})


def read_name(request: ScopedRequest) -> None:
    """Take the account out of the path; a session that looks at none yet looks at that."""
    request.named, request.path_info = split_path(request.path_info)
    if request.named is not None and request.user.is_authenticated and CHOSEN_ACCOUNT not in request.session:
        request.session[CHOSEN_ACCOUNT] = request.named


def answer_by_name(request: ScopedRequest, *, has_key: bool = True) -> HttpResponseBase | None:
    """Refuse what names another account; lead to the address that names it; else None, and addresses name it.

    `has_key` says whether the form's key can be read already: not before a view has chosen what takes its files.
    """
    account = request.scope.account
    if account is None:
        return None
    if refused := refuse_another(request, has_key=has_key):
        return refused
    if request.named is None and len(request.scope.accounts) > 1 and request.method in {"GET", "HEAD"}:
        if request.htmx:
            # A page of before there were several: it shows no more than one, and does not say which.
            return HttpResponseClientRefresh()
        return redirect(named_path(account.pk, request.get_full_path()))
    if request.named is not None or len(request.scope.accounts) > 1:
        set_script_prefix(named_path(account.pk, "/"))
    return None


def refuse_another(request: ScopedRequest, *, has_key: bool = True) -> HttpResponse | None:
    """Refuse, in a sentence, what names another account than the session looks at; None for anything else."""
    account = request.scope.account
    named = {request.named, account_of(request) if has_key else None} - {None}
    if account is None or named <= {account.pk}:
        return None
    shown = next((one for one in request.scope.accounts if one.pk in named and one.pk != account.pk), None)
    is_act = request.method not in {"GET", "HEAD"}
    said = _said(shown, account, is_act=is_act)
    if request.htmx:
        return HttpResponse(said, status=409, content_type="text/plain; charset=utf-8")
    page = page_of(request) if is_act else request.get_full_path()
    if is_act and shown is not None and has_key:
        # Read once that account is looked at again.
        kept = _("Nothing was done, as you looked at %(now)s. Press the button again if you mean %(shown)s.")
        keep(request, page, said=kept % {"shown": shown, "now": account})
    return render(request, "other_account.html", {"said": said, "shown": shown, "page": page}, status=409)


def _said(shown: Account | None, account: Account, *, is_act: bool) -> str:
    words: dict[str, Any] = {"shown": shown or _("another account"), "now": account}
    if is_act:
        return _("That page shows %(shown)s, but you look at %(now)s now: nothing was done.") % words
    return _("This page shows %(shown)s, but you look at %(now)s now.") % words


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """Answer a form of an earlier page: of another account, or of before its reader signed in anew; 403 for any other.

    The form's own key says whose it was: nobody else can make one, so what is meant for the session is done.
    """
    scoped = cast(ScopedRequest, request)
    if not request.user.is_authenticated or reader_of(request) != request.user.pk:
        return csrf.csrf_failure(request, reason)
    match = request.resolver_match
    if match is not None and match.url_name in OF_NO_ACCOUNT:
        return cast(HttpResponseBase, match.func(request, *match.args, **match.kwargs))
    if refused := refuse_another(scoped):
        return refused
    page = page_of(request)
    keep(request, page)
    return HttpResponseRedirect(page)
