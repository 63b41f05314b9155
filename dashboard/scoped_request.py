"""Request as views receive it, and what of it the session keeps: which account is shown, and as which member."""

from datetime import date, datetime
from typing import TYPE_CHECKING

from django.http import HttpRequest
from django.middleware.csrf import get_token, rotate_token
from django.utils.translation import gettext as _

from dashboard.access import Scope
from dashboard.models import User
from sync.models import Account

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

# Where the session keeps which of their accounts a reader chose; it is held against their memberships each time.
CHOSEN_ACCOUNT = "account"
# Where it keeps the CSRF secrets of the accounts, by key.
_CSRF_SECRETS = "csrf_of_accounts"
# Where it keeps as which member an administrator sees the product.
VIEWED_AS = "viewed_as"


class ScopedRequest(HttpRequest):
    """A request as views receive it: scope, account and the moment everything is computed for.

    `now` is the clock, read once. `as_of` is what figures are computed for: `now`, or the end of the past day that the
    address asks for; `past_day` is that day, None today. `named` is the key of the account that the path names.
    """

    scope: Scope
    account: Account
    now: datetime
    as_of: datetime
    past_day: date | None
    named: int | None
    htmx: "HtmxDetails"


def view_as(request: "ScopedRequest", user: User | None) -> None:
    """Show an administrator the product as a member of the account sees it, or as their own again (None).

    Raises ValueError unless the reader administers the account and the other is a member of it.
    """
    if user is None:
        request.session.pop(VIEWED_AS, None)
        return
    scope = request.scope
    if not scope.is_administrator or scope.viewer is not None or scope.account is None:
        raise ValueError(_("Only an administrator sees the product as somebody else."))
    if user == request.user:
        raise ValueError(_("You see the product as yourself already."))
    if Scope.of(user, chosen=scope.account.pk, at=request.now).account != scope.account:
        raise ValueError(_("Only members of the account can be viewed as."))
    request.session[VIEWED_AS] = user.pk


def choose_account(request: "ScopedRequest", account: Account) -> None:
    """Show the reader this account from the next request on. Raises ValueError when they are no member of it.

    Each account has a CSRF secret of its own, kept in the session meanwhile: a form of another account's page is not
    taken for one of this, whatever it says, and is good again once the session is back.
    """
    if account not in request.scope.accounts:
        raise ValueError("Only an account of one's own can be chosen.")
    before, shown = request.scope.account, str(account.pk)
    if before is not None and before != account:
        get_token(request)
        kept = request.session.get(_CSRF_SECRETS, {}) | {str(before.pk): request.META["CSRF_COOKIE"]}
        rotate_token(request)
        request.META["CSRF_COOKIE"] = kept.setdefault(shown, request.META["CSRF_COOKIE"])
        request.session[_CSRF_SECRETS] = kept
    request.session[CHOSEN_ACCOUNT] = account.pk
