"""Questions of figures: about whom and what, grouped by what, with whose department; and the same as SQL over facts."""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from dashboard.access import Scope
from dashboard.figures.historical_placement import THEN_FACTS, THEN_PEOPLE
from dashboard.metrics import INTERVALS, State, campaign_state
from dashboard.models import CONTENT_TYPE_CODES, ExemptSpan, RollupState
from dashboard.rollups import intervals, lines
from dashboard.triggers import effective_trigger
from sync.models import Account
from sync.models.training import ContentType


class By(StrEnum):
    """Groupings of figures. Quarters and months are those of the due date; see `cohorts`."""

    DEPARTMENT = "department"
    MANAGER = "manager"
    CAMPAIGN = "campaign"
    CONTENT_TYPE = "content_type"
    GROUP = "group"
    QUARTER = "quarter"
    MONTH = "month"
    DAY = "day"


class Basis(StrEnum):
    """Whether people count in the department and under the manager they have now, or had at the moment asked for."""

    NOW = "now"
    THEN = "then"


@dataclass(frozen=True)
class Filters:
    """About whom and what: every set that is not empty narrows. Ids are ours.

    `departments`: with the spellings merged into each; 0 is "No department". `manager`: a person, 0 for "No manager",
    or the key of a manager known by name only; with `whole_line` everyone below them, else their direct reports.
    """

    departments: frozenset[int] = frozenset()
    manager: int | None = None
    whole_line: bool = True
    campaigns: frozenset[int] = frozenset()
    campaign_states: frozenset[str] = frozenset()
    content_types: frozenset[str] = frozenset()
    triggers: frozenset[str] = frozenset()
    groups: frozenset[int] = frozenset()
    states: frozenset[State] = frozenset()


_STATES = {State.COMPLETED: "completed", State.PAST_DUE: "past_due", State.IN_PROGRESS: "in_progress"}


@dataclass(frozen=True)
class Selection:
    """A question with its filters resolved, for one account and moment. None means no filter; empty means nothing.

    `managers` are keys whose reports are meant. A manager who is part of a loop is in their own line as everybody's
    report but their own: `without` leaves them out. `only` is one person. `scope_departments` and `scope_managers` are
    whose people and reports the reader may see at all, None: everyone. Where the filters already say as much, as for
    departments alone, the scope is not `mixed`.
    """

    account: Account
    as_of: datetime
    basis: Basis = Basis.NOW
    departments: tuple[int, ...] | None = None
    managers: tuple[int, ...] | None = None
    scope_departments: tuple[int, ...] | None = None
    scope_managers: tuple[int, ...] | None = None
    is_mixed: bool = False
    without: int | None = None
    only: int | None = None
    campaigns: tuple[int, ...] | None = None
    content_types: tuple[int, ...] | None = None
    groups: tuple[int, ...] | None = None
    states: frozenset[State] = field(default_factory=frozenset)

    @property
    def zone(self) -> ZoneInfo:
        """The account's time zone."""
        return self.account.zone

    @cached_property
    def narrowed_by(self) -> frozenset[str]:
        """The names of the fields that narrow what is selected: of every filter that is set, a new one too."""
        filters = (each.name for each in fields(self) if each.name not in _NO_FILTERS)
        return frozenset(name for name in filters if getattr(self, name) not in (None, False, frozenset()))

    @property
    def values(self) -> dict[str, Any]:
        """The parameters of the SQL below."""
        mine = {each.name: getattr(self, each.name) for each in fields(self)}
        values = {name: list(value) if isinstance(value, tuple) else value for name, value in mine.items()}
        return values | {"account": self.account.pk, "zone": self.account.time_zone, "now": self.as_of}

    @cached_property
    def state(self) -> RollupState | None:
        """State of the account's rollups; None before they are first built."""
        return _states(self.account).first()

    @cached_property
    def has_exemptions(self) -> bool:
        """Whether anything of the account is exempt at some time: else net is gross, and is not counted twice."""
        return self.state is not None and bool(self.state.has_exemptions)  # type: ignore[attr-defined]  # annotated

    @property
    def facts(self) -> str:
        """The SQL source of facts f: as they are, or with each person's department and manager of that time."""
        return intervals.FACTS if self.basis == Basis.NOW else THEN_FACTS

    @property
    def standings(self) -> str:
        """The SQL source of people f, with the department and manager that count."""
        return _people(self.basis)

    @cached_property
    def in_scope(self) -> str:
        """The SQL condition that the person of f is in the reader's scope: a matter of now, whatever the basis."""
        if self.scope_departments is None:
            return "true"
        if self.basis == Basis.NOW:
            return f"({_PLACED_IN_SCOPE.format('f')})"
        return (
            "f.person_id IN (SELECT s.person_id FROM dashboard_personstanding s"
            f" WHERE s.account_id = %(account)s AND ({_PLACED_IN_SCOPE.format('s')}))"
        )

    @cached_property
    def of_people(self) -> str:
        """The SQL condition on the person of f."""
        return self.where(self.narrowed_by - OF_WORK)

    @cached_property
    def of_facts(self) -> str:
        """The SQL condition on a fact f."""
        return self.where(self.narrowed_by)

    def where(self, filters: Iterable[str], row: str = "f") -> str:
        """Return the SQL condition that these filters, and the account, make on a row. KeyError for an unknown one."""
        conditions = (_CONDITIONS[name].format(row, in_scope=self.in_scope) for name in sorted(filters))
        return " AND ".join([f"{row}.account_id = %(account)s", *filter(None, conditions)])

    @property
    def is_of_all_work(self) -> bool:
        """Whether all enrollments of whom it selects are meant: no filter is about campaigns or content."""
        return not self.narrowed_by & OF_WORK

    @cached_property
    def of_states(self) -> str:
        """The SQL condition on a interval f: it is in one of the states at `now`."""
        if not self.states:
            return "true"
        known = {state: f"({intervals.holds(INTERVALS[name], '%(now)s')})" for state, name in _STATES.items()}
        wanted = [known[state] for state in State if state in self.states and state in known]
        if State.NOT_STARTED in self.states:
            wanted.append(f"NOT ({' OR '.join(known.values())})")
        return f"({' OR '.join(wanted)})"


# What a question is about; the scope narrows by `departments`, `managers` or `is_mixed`.
_NO_FILTERS = frozenset({"account", "as_of", "basis", "scope_departments", "scope_managers"})
# By filter: the column that it is about. Tallies that are kept by the column can answer it.
COLUMNS = {
    "departments": "department_id",
    "managers": "manager_id",
    "campaigns": "campaign_id",
    "content_types": "content_type",
}
# Filters about what people are enrolled in; all others are about people.
OF_WORK = frozenset({"campaigns", "content_types", "states"})
# By filter: its one SQL condition, on a row of a fact or tally, or of a person unless it is `OF_WORK`.
_CONDITIONS = {
    **{name: f"{{0}}.{column} = ANY(%({name})s)" for name, column in COLUMNS.items()},
    "is_mixed": "{in_scope}",
    "without": "{0}.person_id <> %(without)s",
    "only": "{0}.person_id = %(only)s",
    "groups": (
        "{0}.person_id IN (SELECT person_id FROM sync_groupmembership"
        " WHERE group_id = ANY(%(groups)s) AND removed_at IS NULL)"
    ),
    # Known of an interval at a moment, not of a row: `of_states`.
    "states": "",
}
_PLACED_IN_SCOPE = "{0}.department_id = ANY(%(scope_departments)s) OR {0}.manager_id = ANY(%(scope_managers)s)"


def placed_in_scope(scope: Scope) -> tuple[str, dict[str, Any]]:
    """Return the SQL condition that a person f, as placed now, is in scope, and its parameters."""
    if scope.sees_everyone:
        return "true", {}
    values = {"scope_departments": list(scope.department_keys), "scope_managers": list(scope.manager_keys)}
    return f"({_PLACED_IN_SCOPE.format('f')})", values


def _states(account: Account) -> QuerySet[RollupState]:
    """Return how the account's rollups were built, and whether anything is exempt in them."""
    spans = ExemptSpan.objects.filter(account_id=OuterRef("account_id"))
    return RollupState.objects.filter(account=account).annotate(has_exemptions=Exists(spans))


def _people(basis: Basis) -> str:
    return "dashboard_personstanding f" if basis == Basis.NOW else THEN_PEOPLE


def select(scope: Scope, *, as_of: datetime, filters: Filters, basis: Basis = Basis.NOW) -> Selection | None:
    """Resolve a question for whoever asks; None when they may see nobody."""
    account = scope.account
    if account is None or not scope.sees_anyone:
        return None
    managers, without = (
        _line(account, filters, as_of=as_of, basis=basis) if filters.manager is not None else (None, None)
    )
    departments = tuple(sorted(filters.departments)) or None
    is_mixed = False
    if not scope.sees_everyone:
        # A scope of departments only, or of managers only, is one more filter, which tallies know.
        if basis == Basis.NOW and not scope.manager_keys:
            departments = _both(departments, scope.department_keys)
        elif basis == Basis.NOW and not scope.department_keys:
            managers = _both(managers, scope.manager_keys)
        else:
            is_mixed = True
    return Selection(
        account=account,
        as_of=as_of,
        basis=basis,
        departments=departments,
        managers=managers,
        scope_departments=None if scope.sees_everyone else tuple(sorted(scope.department_keys)),
        scope_managers=None if scope.sees_everyone else tuple(sorted(scope.manager_keys)),
        is_mixed=is_mixed,
        without=without,
        campaigns=_campaigns(scope, filters, as_of),
        content_types=tuple(sorted(CONTENT_TYPE_CODES[ContentType(kind)] for kind in filters.content_types)) or None,
        groups=tuple(sorted(filters.groups)) or None,
        states=filters.states,
    )


def _both(wanted: tuple[int, ...] | None, in_scope: frozenset[int]) -> tuple[int, ...]:
    return tuple(sorted(in_scope if wanted is None else in_scope.intersection(wanted)))


def _campaigns(scope: Scope, filters: Filters, as_of: datetime) -> tuple[int, ...] | None:
    """Return the campaigns that pass all filters about campaigns; None without such a filter."""
    if not filters.campaigns and not filters.campaign_states and not filters.triggers:
        return None
    campaigns = scope.campaigns().order_by("pk")
    if filters.campaigns:
        campaigns = campaigns.filter(pk__in=filters.campaigns)
    if filters.campaign_states:
        campaigns = campaigns.annotate(state=campaign_state(as_of)).filter(state__in=filters.campaign_states)
    if filters.triggers:
        campaigns = campaigns.annotate(cause=effective_trigger()).filter(Q(cause__in=filters.triggers))
    return tuple(campaigns.values_list("pk", flat=True))


def _line(account: Account, filters: Filters, *, as_of: datetime, basis: Basis) -> tuple[tuple[int, ...], int | None]:
    """Return the keys whose direct reports make up the manager's line, and the manager where they are in it.

    With the basis of then, everybody on the way up counts where they were then.
    """
    manager = filters.manager or 0
    if not filters.whole_line or manager <= 0:
        return (manager,), None
    state = RollupState.objects.filter(account=account).first() if basis == Basis.NOW else None
    if state is not None and state.tallies_from is not None:
        line = lines.below(account, manager)
        return line.managers, manager if line.is_loop else None
    people = _people(basis)
    with connection.cursor() as cursor:
        # Raw SQL: the ORM has no recursive queries. UNION drops whoever is met again, so a loop ends.
        cursor.execute(
            f"""
            WITH RECURSIVE managing AS (
                SELECT DISTINCT f.manager_id FROM {people} WHERE f.account_id = %(account)s AND f.manager_id > 0
            ), link AS (
                SELECT f.person_id, f.manager_id FROM {people}
                JOIN managing ON managing.manager_id = f.person_id WHERE f.account_id = %(account)s
            ), line (person_id) AS (
                SELECT %(manager)s::bigint
                UNION SELECT link.person_id FROM link JOIN line ON link.manager_id = line.person_id
            )
            SELECT person_id, EXISTS (
                SELECT FROM link WHERE link.person_id = %(manager)s AND link.manager_id = line.person_id
            ) FROM line
            """,
            {"account": account.pk, "manager": manager, "now": as_of},
        )
        rows = cursor.fetchall()
    is_in_loop = any(leads_the_manager for _, leads_the_manager in rows)
    return tuple(person for person, _ in rows), manager if is_in_loop else None
