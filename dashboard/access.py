"""Who sees what: the only home of scoping.

A `Scope` is decided once per request by `ScopeMiddleware`; every page, fragment and export starts from it. It grants
nothing by itself: without a membership each of its readings is empty.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, cast

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render, resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRefresh

from dashboard.metrics import local_midnight
from dashboard.models import Exemption, Membership, SettingChange, User
from sync.models import (
    Account,
    Campaign,
    Change,
    ContentItem,
    Department,
    Enrollment,
    Group,
    Person,
    PhishingTest,
    QuarantinedRow,
    SyncRun,
)

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

    from dashboard.pages.context import Shell

# Roles that see every person of the account. Narrower roles come as further readings of `Scope.people`.
SEE_EVERYONE = frozenset({Membership.Role.ADMINISTRATOR, Membership.Role.SECURITY_MANAGER})
DECIDE = frozenset({Membership.Role.ADMINISTRATOR, Membership.Role.SECURITY_MANAGER})
START_SYNCS = frozenset({Membership.Role.ADMINISTRATOR, Membership.Role.SECURITY_MANAGER})
# KnowBe4 is younger than this.
EARLIEST_YEAR = 2000
# Where the session keeps which of their accounts a reader chose; it is held against their memberships each time.
CHOSEN_ACCOUNT = "account"


@dataclass(frozen=True)
class Scope:
    """The account and the people one reader may see, decided once per request; every read starts here.

    `account` is None when the reader has no membership anywhere; then every reading is empty. `accounts` are all they
    may switch to, by name, and `administered` the keys of those they administer; neither widens what is read of
    `account`.
    """

    account: Account | None = None
    roles: frozenset[str] = frozenset()
    accounts: tuple[Account, ...] = field(default=(), compare=False)
    administered: frozenset[int] = field(default=frozenset(), compare=False)

    @classmethod
    def of(cls, user: User | AnonymousUser, *, chosen: object = None) -> "Scope":
        """Return what the user may see in one account, with all roles held there.

        Of several accounts it is the one whose key is `chosen`, if they are a member of it, else the first by name.
        """
        if not isinstance(user, User) or not user.is_active:
            return cls()
        memberships = list(
            Membership.objects.filter(user=user)
            .select_related("account", "account__published_run")
            .order_by("account__name", "account_id", "role")
        )
        if not memberships:
            return cls()
        accounts = {membership.account_id: membership.account for membership in memberships}
        account = accounts[chosen] if isinstance(chosen, int) and chosen in accounts else memberships[0].account
        return cls(
            account,
            frozenset(m.role for m in memberships if m.account_id == account.pk),
            tuple(accounts.values()),
            frozenset(m.account_id for m in memberships if m.role == Membership.Role.ADMINISTRATOR),
        )

    @property
    def sees_everyone(self) -> bool:
        """Whether every person of the account is in scope."""
        return self.account is not None and not SEE_EVERYONE.isdisjoint(self.roles)

    @property
    def may_sync(self) -> bool:
        """Whether the reader may start a sync."""
        return self.account is not None and not START_SYNCS.isdisjoint(self.roles)

    @property
    def may_decide(self) -> bool:
        """Whether the reader may change what the numbers count: campaign settings, departments, exemptions, target."""
        return self.account is not None and not DECIDE.isdisjoint(self.roles)

    @property
    def is_administrator(self) -> bool:
        """Whether the reader administers the account: decides held runs, asks for full passes."""
        return self.account is not None and Membership.Role.ADMINISTRATOR in self.roles

    @property
    def manages_accounts(self) -> bool:
        """Whether the reader administers any account, and so may add further ones."""
        return bool(self.administered)

    @property
    def label(self) -> str:
        """The scope in words, as the bar and every export say it."""
        return _("All departments") if self.sees_everyone else _("Nobody")

    @property
    def role_label(self) -> str:
        """The reader's roles in words; empty when there is none."""
        return ", ".join(str(role.label) for role in Membership.Role if role in self.roles)

    def people(self) -> QuerySet[Person]:
        """Return the people in scope, those who left too; none unless a role grants them."""
        return Person.objects.filter(account=self.account) if self.sees_everyone else Person.objects.none()

    def enrollments(self) -> QuerySet[Enrollment]:
        """Return the enrollments of people in scope; none unless a role grants them."""
        return Enrollment.objects.filter(account=self.account) if self.sees_everyone else Enrollment.objects.none()

    def campaigns(self) -> QuerySet[Campaign]:
        """Return the account's campaigns; none without a role. Their figures come from `enrollments`."""
        return Campaign.objects.filter(account=self.account) if self.roles else Campaign.objects.none()

    def content(self) -> QuerySet[ContentItem]:
        """Return the account's content; none without a role."""
        return ContentItem.objects.filter(account=self.account) if self.roles else ContentItem.objects.none()

    def departments(self) -> QuerySet[Department]:
        """Return the departments of people in scope, merged spellings too; none unless a role grants them."""
        return Department.objects.filter(account=self.account) if self.sees_everyone else Department.objects.none()

    def groups(self) -> QuerySet[Group]:
        """Return the account's groups, without their members; none without a role."""
        return Group.objects.filter(account=self.account) if self.roles else Group.objects.none()

    def phishing_tests(self) -> QuerySet[PhishingTest]:
        """Return the account's phishing tests, without their results; none without a role."""
        return PhishingTest.objects.filter(account=self.account) if self.roles else PhishingTest.objects.none()

    def runs(self) -> QuerySet[SyncRun]:
        """Return the account's syncs; none without a role."""
        return SyncRun.objects.filter(account=self.account) if self.roles else SyncRun.objects.none()

    def changes(self) -> QuerySet[Change]:
        """Return what syncs found changed; none unless every person is in scope, for it names them."""
        return Change.objects.filter(account=self.account) if self.sees_everyone else Change.objects.none()

    def quarantined(self) -> QuerySet[QuarantinedRow]:
        """Return the rows set aside as they came; none unless every person is in scope, for anybody may be in them."""
        return (
            QuarantinedRow.objects.filter(account=self.account) if self.sees_everyone else QuarantinedRow.objects.none()
        )

    def exemptions(self) -> QuerySet[Exemption]:
        """Return the exemptions, requested and past ones too; none unless every person is in scope."""
        return Exemption.objects.filter(account=self.account) if self.sees_everyone else Exemption.objects.none()

    def setting_changes(self) -> QuerySet[SettingChange]:
        """Return who changed which setting and why; none unless every person is in scope, for reasons name people."""
        return (
            SettingChange.objects.filter(account=self.account) if self.sees_everyone else SettingChange.objects.none()
        )

    def managed_accounts(self) -> QuerySet[Account]:
        """Return the accounts the reader administers, whichever they are looking at."""
        return Account.objects.filter(pk__in=self.administered)

    def managed_runs(self) -> QuerySet[SyncRun]:
        """Return the syncs of the accounts the reader administers."""
        return SyncRun.objects.filter(account__in=self.administered)


def is_name_free(account: Account, name: str) -> bool:
    """Return whether no other account, whoever administers it, is called so: names are unique in an installation."""
    return not Account.objects.filter(name=name).exclude(pk=account.pk).exists()


def grant_administrator(user: User, account: Account) -> None:
    """Make the user an administrator of an account; for whoever adds one."""
    Membership.objects.get_or_create(user=user, account=account, role=Membership.Role.ADMINISTRATOR)


def choose_account(request: "ScopedRequest", account: Account) -> None:
    """Show the reader this account from the next request on. Raises ValueError when they are no member of it."""
    if account not in request.scope.accounts:
        raise ValueError("Only an account of one's own can be chosen.")
    request.session[CHOSEN_ACCOUNT] = account.pk


class ScopedRequest(HttpRequest):
    """A request as views receive it: scope, account and the moment everything is computed for.

    `now` is the clock, read once. `as_of` is what figures are computed for: `now`, or the end of the past day that the
    address asks for; `past_day` is that day, None today.
    """

    scope: Scope
    account: Account
    now: datetime
    as_of: datetime
    past_day: date | None
    htmx: "HtmxDetails"
    shell: "Shell"


class ScopeMiddleware:
    """Decides `request.scope`, `request.account` and `request.as_of`, and reads the clock once.

    The account's time zone is active while the view runs. Whoever is signed in without any membership gets the page
    that says whom to ask, on every address but those of their own sign-in.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        scoped = cast(ScopedRequest, request)
        scoped.now = scoped.as_of = timezone.now()
        scoped.past_day = None
        scoped.scope = Scope.of(request.user, chosen=request.session.get(CHOSEN_ACCOUNT))
        if scoped.scope.account is None:
            response = self.get_response(request)
        else:
            scoped.account = scoped.scope.account
            with timezone.override(scoped.account.zone):
                response = self.get_response(request)
        return _refresh_when_signed_out(scoped, response)

    def process_view(
        self,
        request: HttpRequest,
        view: Callable[..., HttpResponse],
        args: tuple[object, ...],
        kwargs: dict[str, object],
    ) -> HttpResponse | None:
        """Answer with the no-access page unless the reader has an account or the address needs none.

        BadRequest for an `as_of` that is no day, or one to come.
        """
        scoped = cast(ScopedRequest, request)
        scope = scoped.scope
        if scope.account is not None and "as_of" in request.GET:
            _look_back(scoped, scope.account)
        match = request.resolver_match
        needs_no_account = not getattr(view, "login_required", True) or (
            match is not None and (match.url_name or "").startswith("account_")
        )
        if scope.account is not None or needs_no_account or not request.user.is_authenticated:
            return None
        return render(request, "dashboard/no_access.html", status=403)


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
