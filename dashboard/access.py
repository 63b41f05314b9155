"""Scope of each reader: the only home of scoping.

A `Scope` is decided once per request by `dashboard.web.scoping`, and anew wherever something is made for a reader
later; every page, fragment, export, mail and command starts from it. It grants nothing by itself: without a membership
each of its readings is empty. Behind it stands `dashboard.row_security`, which it does not rely on.
"""

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TypeVar

from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import Exists, Func, Model, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from dashboard import merged_departments
from dashboard.active_roles import active_roles
from dashboard.models import Exemption, Membership, SettingChange, User
from dashboard.models.settings import ALL_USERS
from sync.models import (
    Account,
    Campaign,
    Change,
    ContentItem,
    Department,
    Enrollment,
    Group,
    GroupMembership,
    Person,
    PhishingResult,
    PhishingTest,
    QuarantinedRow,
    SyncRun,
)

_ROLES = Membership.Role
SEE_EVERYONE = frozenset({_ROLES.ADMINISTRATOR, _ROLES.SECURITY_MANAGER, _ROLES.AUDITOR})
DECIDE = frozenset({_ROLES.ADMINISTRATOR, _ROLES.SECURITY_MANAGER})
START_SYNCS = frozenset({_ROLES.ADMINISTRATOR, _ROLES.SECURITY_MANAGER})
READ_AUDIT = frozenset({_ROLES.ADMINISTRATOR, _ROLES.AUDITOR})
# What can be lent to a colleague: the scopes that are some people.
LEND = frozenset({_ROLES.DEPARTMENT_HEAD, _ROLES.PEOPLE_MANAGER})
_Row = TypeVar("_Row", Enrollment, PhishingResult, GroupMembership)


@dataclass(frozen=True, kw_only=True)
class Scope:
    """The account and the people one reader may see, decided once per request; every read starts here.

    `account` is None when the reader has no membership anywhere; then every reading is empty. Whoever does not see
    everyone sees the people of `department_keys` (of departments and of all spellings merged with them; 0: without a
    department) and the direct reports of `manager_keys`: a whole line's. `accounts` are all they may switch to, by
    name, and `administered` the keys of those they administer; neither widens what is read of `account`. `lenders` are
    the colleagues whose scope is in it for a time; `viewer` is the administrator who looks at it, and changes nothing.
    With `is_numbers_only` figures count the same people, but nobody's row is read: no person, enrollment or change.
    """

    account: Account | None = None
    roles: frozenset[str] = frozenset()
    accounts: tuple[Account, ...] = field(default=(), compare=False)
    administered: frozenset[int] = field(default=frozenset(), compare=False)
    department_keys: frozenset[int] = frozenset()
    manager_keys: frozenset[int] = frozenset()
    lenders: tuple[User, ...] = field(default=(), compare=False)
    user: User | None = field(default=None, compare=False)
    viewer: User | None = field(default=None, compare=False)
    is_numbers_only: bool = False

    @classmethod
    def of(
        cls,
        user: User | AnonymousUser,
        *,
        chosen: object = None,
        at: datetime | None = None,
        through: str | None = None,
    ) -> "Scope":
        """Return what the user may see in one account at `at` (now), with all roles and loans held there.

        Of several accounts it is the one whose key is `chosen`, if they have something there, else the first by name.
        With `through`, how a session was made, only accounts that accept it count (`dashboard.identity.sessions`).
        """
        if not isinstance(user, User) or not user.is_active:
            return cls()
        at = at or timezone.now()
        held = active_roles(user, at, lent=LEND, through=through)
        if not held:
            return cls()
        accounts = {membership.account_id: membership.account for membership in held}
        ordered = tuple(sorted(accounts.values(), key=lambda account: (account.name, account.pk)))
        account = accounts[chosen] if isinstance(chosen, int) and chosen in accounts else ordered[0]
        here = [membership for membership in held if membership.account_id == account.pk]
        roles = frozenset(membership.role for membership in here if membership.user_id == user.pk)
        lenders = {membership.user_id: membership.user for membership in here if membership.user_id != user.pk}
        scoped = [membership for membership in here if membership.role in LEND]
        is_narrow = SEE_EVERYONE.isdisjoint(roles)
        administered = (m for m in held if m.role == Membership.Role.ADMINISTRATOR and m.user_id == user.pk)
        return cls(
            account=account,
            roles=roles,
            accounts=ordered,
            administered=frozenset(membership.account_id for membership in administered),
            department_keys=_departments(scoped) if is_narrow else frozenset(),
            manager_keys=_managers(scoped) if is_narrow else frozenset(),
            lenders=tuple(lenders.values()),
            user=user,
        )

    @property
    def sees_everyone(self) -> bool:
        """Whether every person of the account is in scope."""
        return self.account is not None and not SEE_EVERYONE.isdisjoint(self.roles)

    @property
    def is_member(self) -> bool:
        """Whether the reader has a role in the account, or a loan."""
        return self.account is not None and bool(self.roles or self.lenders)

    @property
    def sees_anyone(self) -> bool:
        """Whether any person of the account can be in scope."""
        return self.account is not None and bool(self.sees_everyone or self.department_keys or self.manager_keys)

    @property
    def shows_people(self) -> bool:
        """Whether rows of people are read at all: somebody can be in scope, and it is not for figures only."""
        return self.sees_anyone and not self.is_numbers_only

    @property
    def may_read_audit(self) -> bool:
        """Whether the reader may read who did what."""
        return self.account is not None and not READ_AUDIT.isdisjoint(self.roles)

    @property
    def may_read_members(self) -> bool:
        """Whether the reader may read who has which role, to review it; changing it takes an administrator."""
        return self.may_read_audit

    @property
    def may_lend(self) -> bool:
        """Whether the reader has a scope of some people, which a colleague can take over for a time."""
        return self.account is not None and not LEND.isdisjoint(self.roles)

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

    @cached_property
    def label(self) -> str:
        """The scope in words, as the bar and every export say it."""
        if self.sees_everyone:
            return _("All departments")
        parts = []
        if self.department_keys and self.account is not None:
            names = [merged_departments.marked(home, self.account) for home in self._homes[:3]]
            more = len(self._homes) - len(names)
            parts.append(", ".join(names) + (f" +{more}" if more > 0 else ""))
        if self.manager_keys:
            parts.append(_("Reporting line"))
        return " · ".join(parts) or _("Nobody")

    @cached_property
    def _homes(self) -> list[merged_departments.Home]:
        """The departments that `department_keys` are counted as."""
        return merged_departments.homes(self.account, self.department_keys) if self.account is not None else []

    @cached_property
    def vacancy(self) -> str:
        """Say, as sentences, that nobody is left in any department of the scope, or reports to a people manager.

        Empty while there is somebody to see.
        """
        if self.account is None or self.sees_everyone or self.manager_keys:
            return ""
        if not self._homes:
            if self.user is None or _ROLES.PEOPLE_MANAGER not in self.roles:
                return ""
            return _("At KnowBe4 nobody reports to %(email)s.") % {"email": self.user.email}
        said = merged_departments.sentences(self._homes, self.account)
        return " ".join(said) if len(said) == len(self._homes) else ""

    @property
    def role_label(self) -> str:
        """The reader's roles in words; empty when there is none."""
        return ", ".join(str(role.label) for role in Membership.Role if role in self.roles)

    def placed(self, prefix: str = "") -> Q:
        """Return the condition that rows with a `department_id` and a `manager_id` are about people in scope.

        It does not ask for the account, and must not stand alone where nobody is in scope.
        """
        if self.sees_everyone:
            return Q()
        return Q(**{f"{prefix}department_id__in": self.department_keys}) | Q(
            **{f"{prefix}manager_id__in": self.manager_keys}
        )

    def people(self) -> QuerySet[Person]:
        """Return the people in scope, those who left too; none unless a role grants them."""
        if not self.shows_people:
            return Person.objects.none()
        return Person.objects.filter(self.placed(), account=self.account)

    def counted(self, rows: QuerySet[_Row]) -> QuerySet[_Row]:
        """Return the rows, of the account and with a person, that are about people in scope: for counts alone.

        Figures only show nobody's row, and count the same people.
        """
        rows = rows.filter(account=self.account)
        return rows.filter(self.placed("person__")) if self.sees_anyone else rows.none()

    def _of_people(self, rows: QuerySet[_Row]) -> QuerySet[_Row]:
        """Return the rows, of the account and with a person, that are about people in scope."""
        if not self.shows_people:
            return rows.none()
        rows = rows.filter(account=self.account)
        return rows if self.sees_everyone else rows.filter(person__in=self.people().values("pk"))

    def enrollments(self) -> QuerySet[Enrollment]:
        """Return the enrollments of people in scope; none unless a role grants them."""
        return self._of_people(Enrollment.objects.all())

    def campaigns(self) -> QuerySet[Campaign]:
        """Return the account's campaigns; none without a role. Their figures come from `enrollments`.

        Who sees some people meets those that enrolled one of them, ever, or are for a group of theirs.
        """
        if not self.is_member:
            return Campaign.objects.none()
        campaigns = Campaign.objects.filter(account=self.account)
        if self.sees_everyone:
            return campaigns
        enrolled = self._with_people(Enrollment, "campaign")
        return campaigns.filter(enrolled | Q(group_ids__overlap=ArraySubquery(self.groups().values("pk"))))

    def content(self) -> QuerySet[ContentItem]:
        """Return the account's content; none without a role.

        Who sees some people meets what one of them was ever enrolled in, and what their campaigns ask for.
        """
        if not self.is_member:
            return ContentItem.objects.none()
        content = ContentItem.objects.filter(account=self.account)
        if self.sees_everyone:
            return content
        asked_for = self.campaigns().values_list(Func("content_ids", function="unnest"), flat=True)
        return content.filter(self._with_people(Enrollment, "content") | Q(pk__in=asked_for))

    def departments(self) -> QuerySet[Department]:
        """Return the departments of people in scope, merged spellings too; none unless a role grants them."""
        if not self.sees_anyone:
            return Department.objects.none()
        departments = Department.objects.filter(account=self.account)
        if self.sees_everyone:
            return departments
        in_lines = Person.objects.filter(account=self.account, manager__in=self.manager_keys).values("department")
        return departments.filter(
            Q(pk__in=self.department_keys)
            | Q(pk__in=in_lines)
            | Q(spellings__in=Department.objects.filter(pk__in=in_lines))
        ).distinct()

    def groups(self) -> QuerySet[Group]:
        """Return the account's groups, without their members; none without a role.

        Who sees some people meets the group of everybody, and those that one of them is in, or was.
        """
        if not self.is_member:
            return Group.objects.none()
        groups = Group.objects.filter(account=self.account)
        return (
            groups
            if self.sees_everyone
            else groups.filter(Q(knowbe4_id=ALL_USERS) | self._with_people(GroupMembership, "group"))
        )

    def phishing_tests(self) -> QuerySet[PhishingTest]:
        """Return the account's phishing tests, without their results; none without a role.

        Who sees some people meets those that were sent to one of them.
        """
        if not self.is_member:
            return PhishingTest.objects.none()
        tests = PhishingTest.objects.filter(account=self.account)
        return tests if self.sees_everyone else tests.filter(self._with_people(PhishingResult, "test"))

    def _with_people(self, rows: type[Model], of: str) -> Q:
        """Return the condition that one of the rows that name something as "of" is about somebody in scope."""
        if not self.sees_anyone:
            return Q(pk__in=())
        return Q(Exists(rows._default_manager.filter(self.placed("person__"), **{of: OuterRef("pk")})))

    def runs(self) -> QuerySet[SyncRun]:
        """Return the account's syncs; none without a role."""
        return SyncRun.objects.filter(account=self.account) if self.is_member else SyncRun.objects.none()

    def changes(self) -> QuerySet[Change]:
        """Return what syncs found changed about what is in scope; none unless a role grants some people."""
        if not self.shows_people:
            return Change.objects.none()
        changes = Change.objects.filter(account=self.account)
        if self.sees_everyone:
            return changes
        about = Change.Subject
        return changes.filter(
            Q(subject=about.PERSON, subject_id__in=self.people().values("pk"))
            | Q(subject=about.ENROLLMENT, subject_id__in=self.enrollments().values("pk"))
            | Q(subject=about.CONTENT, subject_id__in=self.content().values("pk"))
            | Q(subject=about.CAMPAIGN, subject_id__in=self.campaigns().values("pk"))
            | Q(subject=about.GROUP, subject_id__in=self.groups().values("pk"))
            | Q(subject=about.PHISHING_TEST, subject_id__in=self.phishing_tests().values("pk"))
        )

    def phishing_results(self) -> QuerySet[PhishingResult]:
        """Return what people in scope did with phishing tests; none unless a role grants them."""
        return self._of_people(PhishingResult.objects.all())

    def memberships_in_groups(self) -> QuerySet[GroupMembership]:
        """Return which people in scope are in which group, and were; none unless a role grants them."""
        return self._of_people(GroupMembership.objects.all())

    def quarantined(self) -> QuerySet[QuarantinedRow]:
        """Return the rows set aside as they came; none unless every person is in scope, for anybody may be in them."""
        return (
            QuarantinedRow.objects.filter(account=self.account)
            if self.sees_everyone and self.shows_people
            else QuarantinedRow.objects.none()
        )

    def exemptions(self) -> QuerySet[Exemption]:
        """Return the exemptions of people in scope and of groups with some, requested and past ones too."""
        if not self.shows_people:
            return Exemption.objects.none()
        exemptions = Exemption.objects.filter(account=self.account)
        if self.sees_everyone:
            return exemptions
        return exemptions.filter(
            Q(person__in=self.people().values("pk")) | Q(group__in=self.memberships_in_groups().values("group"))
        )

    def setting_changes(self) -> QuerySet[SettingChange]:
        """Return who changed which setting and why; none unless every person is in scope, for reasons name people."""
        return (
            SettingChange.objects.filter(account=self.account)
            if self.sees_everyone and self.shows_people
            else SettingChange.objects.none()
        )

    def managed_accounts(self) -> QuerySet[Account]:
        """Return the accounts the reader administers, whichever they are looking at."""
        return Account.objects.filter(pk__in=self.administered)

    def managed_runs(self) -> QuerySet[SyncRun]:
        """Return the syncs of the accounts the reader administers."""
        return SyncRun.objects.filter(account__in=self.administered)


def _departments(memberships: list[Membership]) -> frozenset[int]:
    """Return the keys of the heads' departments: of what each is merged into, and of all that is merged with it."""
    heads = [membership.pk for membership in memberships if membership.role == Membership.Role.DEPARTMENT_HEAD]
    if not heads:
        return frozenset()
    chosen = Membership.departments.through.objects.filter(membership__in=heads).values("department")
    homes = Department.objects.filter(pk__in=chosen).values_list(Coalesce("merged_into", "pk"), flat=True)
    rows = Department.objects.annotate(home=Coalesce("merged_into", "pk")).filter(home__in=homes)
    found = dict(rows.values_list("pk", "key"))
    # Rollups keep people without a department under 0.
    return frozenset(found) | (frozenset({0}) if "" in found.values() else frozenset())


def _managers(memberships: list[Membership]) -> frozenset[int]:
    """Return whose direct reports the people managers among them have below them, themselves included."""
    found: set[int] = set()
    for membership in memberships:
        if membership.role == Membership.Role.PEOPLE_MANAGER:
            with connection.cursor() as cursor:
                # The database's own function: what it reads is out of everybody's sight until the scope is known.
                cursor.execute("SELECT reporting_line(%s, %s)", [membership.account_id, membership.user.email])
                found.update(cursor.fetchone()[0])
    return frozenset(found)
