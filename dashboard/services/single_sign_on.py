"""The roles that groups of an identity provider give, made equal to the mapping at each sign-in."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q
from django.http import HttpRequest

from dashboard.audit import Action, Subject, record
from dashboard.models import Membership, Role, SingleSignOn, User
from dashboard.services.deciding import deciding
from dashboard.services.first_role import settle_sign_in
from dashboard.services.members import is_last_administrator
from dashboard.services.possessions import leave_behind


@dataclass
class _Wanted:
    """A role the groups give: its departments, and its end (None: none)."""

    departments: set[int] = field(default_factory=set)
    ends_at: datetime | None = None


def follow_groups(
    single_sign_on: SingleSignOn,
    user: User,
    groups: Collection[str],
    *,
    at: datetime,
    request: HttpRequest | None = None,
) -> list[Membership]:
    """Make the user's roles from single sign-on those of the groups; the default role where no group gives any.

    Return the roles that ended; what the user has is settled then (`leave_behind`). Roles by invitation stay as they
    are. A role whose group is gone ends at `at`, unless it is the account's last administrator's.
    """
    account, ended = single_sign_on.account, []
    with deciding(account):
        wanted = _wanted(single_sign_on, groups, at=at)
        if wanted:
            settle_sign_in(user, account, request=request)
        held = {membership.role: membership for membership in Membership.objects.filter(user=user, account=account)}
        for role, membership in held.items():
            is_ours = membership.source == Membership.Source.SINGLE_SIGN_ON
            if is_ours and role not in wanted and membership.holds(at) and not is_last_administrator(membership, at):
                membership.ends_at = at
                membership.save(update_fields=["ends_at"])
                _note(Action.MEMBER_ENDED, membership, request)
                ended.append(membership)
        for role, want in wanted.items():
            present = held.get(role)
            if present and present.source != Membership.Source.SINGLE_SIGN_ON and present.holds(at):
                continue
            _give(present or Membership(user=user, account=account, role=role), want, request)
        if ended:
            leave_behind(account, user, by=user, at=at, request=request)
    return ended


def _wanted(single_sign_on: SingleSignOn, groups: Collection[str], *, at: datetime) -> dict[str, _Wanted]:
    """Return the roles that the groups give, those of several groups united: all departments, the latest end."""
    rows = single_sign_on.roles.filter(Q(ends_at=None) | Q(ends_at__gt=at), group__in=list(groups))
    wanted: dict[str, _Wanted] = {}
    for row in rows.prefetch_related("departments"):
        is_first = row.role not in wanted
        want = wanted.setdefault(row.role, _Wanted())
        want.departments.update(department.pk for department in row.departments.all())
        if is_first:
            want.ends_at = row.ends_at
        elif want.ends_at is not None:
            want.ends_at = None if row.ends_at is None else max(want.ends_at, row.ends_at)
    if not wanted and single_sign_on.default_role:
        wanted[single_sign_on.default_role] = _Wanted()
    return wanted


def _give(membership: Membership, want: _Wanted, request: HttpRequest | None) -> None:
    """Write the role as it is wanted, if it differs."""
    before = (
        None
        if membership.pk is None
        else (membership.source, membership.ends_at, {department.pk for department in membership.departments.all()})
    )
    departments = want.departments if membership.role == Role.DEPARTMENT_HEAD else set()
    if before == (Membership.Source.SINGLE_SIGN_ON, want.ends_at, departments):
        return
    membership.source, membership.ends_at = Membership.Source.SINGLE_SIGN_ON, want.ends_at
    membership.save()
    membership.departments.set(departments)
    _note(Action.MEMBER_CHANGED, membership, request)


def _note(action: Action, membership: Membership, request: HttpRequest | None) -> None:
    record(
        action,
        account=membership.account,
        user=membership.user,
        subject=Subject.MEMBERSHIP,
        subject_id=membership.pk,
        details={"role": membership.role, "source": "single_sign_on"},
        request=request,
    )
