"""One person: what they owe and did, what syncs saw change, phishing tests, and whom they work with.

`read_person` is the only way to a person's record: whatever is to be noted of its readings is noted there.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, F, JSONField, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce, JSONObject

from dashboard import metrics
from dashboard.access import Scope
from dashboard.figures.names import NAME
from dashboard.figures.selection import Basis, Filters, Selection, select
from dashboard.metrics import State
from dashboard.models import Exemption, Trigger
from dashboard.queries.left_out import COUNTED, Reason, with_reason
from dashboard.queries.people import Page, Sort, people
from dashboard.queries.remedial import GRACE
from dashboard.triggers import effective_trigger
from sync.models import Change, Enrollment, Person, PhishingResult
from sync.models.history import as_was

# Enough for anybody's years; what is older is counted, not listed.
MOST_ENROLLMENTS = 120
MOST_CHANGES = 200
MOST_TESTS = 60
MOST_REPORTS = 8
# No reporting line is that long; a loop ends here at the latest.
HIGHEST = 20


@dataclass(frozen=True)
class Owed:
    """One enrollment at the moment asked for.

    `reason`: why it is in no figure; None when it counts. `is_late`: completed after its due date. `failed`: the
    phishing test whose failure it follows, for a campaign that such failures trigger.
    """

    enrollment: Enrollment
    state: State
    is_late: bool
    reason: Reason | None
    failed: PhishingResult | None = None

    @property
    def counts(self) -> bool:
        """Whether it is in the figures."""
        return self.reason is None


@dataclass(frozen=True)
class Above:
    """Someone in the reporting line above; `person_id` is None for a manager known by name only."""

    person_id: int | None
    name: str
    job_title: str = ""
    email: str = ""


@dataclass(frozen=True)
class Record:
    """All there is to read of a person at a moment.

    `was` is the person as they were then: `person` itself for now, None when KnowBe4 listed no such person then.
    `department_id` and `line` are by the basis asked for; `line` begins with the direct manager. Enrollments, tests
    and changes are the newest first; `enrollments_in_all` counts those that are not listed, too. `groups` are ids and
    names.
    """

    person: Person
    was: Person | None
    is_active: bool
    department_id: int
    department: str
    line: tuple[Above, ...]
    reports: Page
    enrollments: tuple[Owed, ...]
    enrollments_in_all: int
    tests: tuple[PhishingResult, ...]
    changes: tuple[Change, ...]
    groups: tuple[tuple[int, str], ...]
    exemptions: tuple[Exemption, ...]

    @property
    def counted(self) -> list[Owed]:
        """The enrollments that are in the figures."""
        return [owed for owed in self.enrollments if owed.counts]


def read_person(
    scope: Scope, person_id: int, *, as_of: datetime, now: datetime, basis: Basis = Basis.NOW, quiet: Collection[str]
) -> Record | None:
    """Return a person's record as of a moment; None for anybody out of scope.

    Enrollments stand as everywhere: by what is known today of the facts of then. `quiet` are fields whose changes are
    left out.
    """
    selection = select(scope, as_of=as_of, filters=Filters(), basis=basis)
    if selection is None:
        return None
    wanted = scope.people().filter(pk=person_id)
    person: Any = wanted.annotate(
        group_rows=_groups(scope, as_of), placed=_placed(selection, person_id), later=_later(scope, as_of)
    ).first()
    if person is None:
        return None
    department_id, department, is_active, line, has_reports = _place(person.placed)
    tests = tuple(_tests(person, as_of)[:MOST_TESTS])
    rows: list[Any] = list(_enrollments(scope, person, as_of)[: MOST_ENROLLMENTS + 1])
    in_all = len(rows) if len(rows) <= MOST_ENROLLMENTS else person.enrollments.filter(enrolled_at__lte=as_of).count()
    rows = rows[:MOST_ENROLLMENTS]
    return Record(
        person=person,
        was=person if as_of >= now else as_was(person, as_of, [Change(**change) for change in person.later]),
        is_active=is_active,
        department_id=department_id,
        department=department,
        line=line,
        reports=_reports(scope, person, as_of, basis) if has_reports else Page(),
        enrollments=tuple(_owed(row, tests) for row in rows),
        enrollments_in_all=in_all,
        tests=tests,
        changes=tuple(_changes(scope, person, [row.pk for row in rows], as_of, quiet)[:MOST_CHANGES]),
        groups=tuple((group["id"], group["name"]) for group in person.group_rows),
        exemptions=tuple(_exemptions(scope, person, as_of)),
    )


def _enrollments(scope: Scope, person: Person, as_of: datetime) -> QuerySet[Any, Any]:
    """Return the person's enrollments made by then, the newest first, each with its state and why it does not count."""
    late = metrics.completed_late(as_of)
    cause = scope.campaigns().filter(pk=OuterRef("campaign_id")).annotate(cause=effective_trigger()).values("cause")
    return (
        with_reason(scope.enrollments().filter(person=person), as_of)
        .annotate(
            state=metrics.state(as_of),
            is_late=Case(When(late, then=True), default=False),
            cause=Subquery(cause),
        )
        .select_related("campaign", "content")
        .order_by("-enrolled_at", "-pk")
    )


def _owed(row: Any, tests: tuple[PhishingResult, ...]) -> Owed:
    failed = None
    if row.cause == Trigger.PHISHING_FAILURE:
        # The latest failure that the training can be an answer to.
        failed = next(
            (
                test
                for test in tests
                if test.failed_at is not None and test.failed_at <= row.enrolled_at <= test.failed_at + GRACE
            ),
            None,
        )
    reason = None if row.reason == COUNTED else Reason(row.reason)
    return Owed(row, State(row.state), row.is_late, reason, failed)


def _tests(person: Person, as_of: datetime) -> QuerySet[PhishingResult]:
    """Return the phishing tests sent by then, the latest first."""
    return (
        person.phishing_results.annotate(sent_at=Coalesce("delivered_at", "test__started_at", "first_seen_at"))
        .filter(sent_at__lte=as_of)
        .select_related("test")
        .order_by("-sent_at", "-pk")
    )


def _changes(
    scope: Scope, person: Person, enrollments: list[int], as_of: datetime, quiet: Collection[str]
) -> QuerySet[Change]:
    """Return what syncs saw change by then of the person and of the enrollments, the latest first."""
    of_person = Q(subject=Change.Subject.PERSON, subject_id=person.pk)
    of_enrollments = Q(subject=Change.Subject.ENROLLMENT, subject_id__in=enrollments)
    return (
        scope.changes()
        .filter(of_person | of_enrollments, observed_at__lte=as_of)
        .exclude(field__in=quiet)
        .order_by("-observed_at", "-pk")
    )


def _groups(scope: Scope, as_of: datetime) -> ArraySubquery:
    """Return the groups that each person was in then, by name; before the first sync those first seen stand."""
    held = Q(groupmembership__removed_at__isnull=True) | Q(groupmembership__removed_at__gt=as_of)
    return ArraySubquery(
        scope.groups()
        .filter(held, groupmembership__person=OuterRef("pk"))
        .order_by("name", "pk")
        .values(row=JSONObject(id="pk", name="name"))
    )


def _later(scope: Scope, as_of: datetime) -> ArraySubquery:
    """Return what was seen to change of each person after the moment, the newest first."""
    return ArraySubquery(
        scope.changes()
        .filter(subject=Change.Subject.PERSON, subject_id=OuterRef("pk"), observed_at__gt=as_of)
        .order_by("-observed_at", "-pk")
        .values(row=JSONObject(field="field", old="old"))
    )


def _exemptions(scope: Scope, person: Person, as_of: datetime) -> QuerySet[Exemption]:
    """Return what was asked for by then to excuse the person, alone or with a group; the latest first."""
    groups = person.groupmembership_set.filter(removed_at__isnull=True).values("group_id")
    return (
        scope.exemptions()
        .filter(Q(person=person) | Q(group__in=groups), requested_at__lte=as_of)
        .select_related("campaign", "group")
        .order_by(F("starts_at").desc(), "-pk")
    )


def _reports(scope: Scope, person: Person, as_of: datetime, basis: Basis) -> Page:
    """Return those who report to the person, with most past due first."""
    return people(
        scope,
        as_of=as_of,
        filters=Filters(manager=person.pk, whole_line=False),
        basis=basis,
        sort=Sort.PAST_DUE,
        is_descending=True,
        limit=MOST_REPORTS,
        are_few=True,
    )


def _placed(selection: Selection, person: int) -> RawSQL:
    """Return the person and everyone above them, the nearest first, in one value of the person's own row.

    Each is a list: key, name, job title, email, whether active, department (key and name), the name of a manager who
    is not among them, and whether anybody reports to the first. Above are those in the reader's scope.
    """
    standings = selection.standings
    # Raw SQL: the ORM has no recursive queries. A loop is cut at the link that closes it.
    sql = f"""
        WITH RECURSIVE up (person_id, manager_id, department_id, is_active, height) AS (
            SELECT f.person_id, f.manager_id, f.department_id, {_IS_ACTIVE}, 0 FROM {standings}
            WHERE f.account_id = %(account)s AND f.person_id = %(person)s
            UNION ALL
            SELECT f.person_id, f.manager_id, f.department_id, {_IS_ACTIVE}, height + 1
            FROM up JOIN {standings} ON f.person_id = up.manager_id
            WHERE f.account_id = %(account)s AND up.manager_id > 0 AND height < {HIGHEST} AND {selection.in_scope}
        ) CYCLE person_id SET is_met_again USING met
        SELECT coalesce(jsonb_agg(jsonb_build_array(
            person.id, {NAME}, person.job_title, person.email, up.is_active, up.department_id,
            CASE WHEN up.department_id = 0 THEN '' ELSE coalesce(department.name, '') END,
            CASE WHEN up.manager_id < 0 OR up.manager_id > 0 AND NOT (up.manager_id = ANY (
                SELECT known.person_id FROM up known
            )) THEN btrim(person.manager_name) ELSE '' END,
            height = 0 AND EXISTS (
                SELECT FROM {standings} WHERE f.account_id = %(account)s AND f.manager_id = %(person)s
            )
        ) ORDER BY height), '[]')
        FROM up JOIN sync_person person ON person.id = up.person_id
        LEFT JOIN sync_department department ON department.id = up.department_id
        WHERE NOT is_met_again
    """
    values = {**selection.values, "person": person}
    named = re.compile(r"%\((\w+)\)s")
    return RawSQL(named.sub("%s", sql), [values[name] for name in named.findall(sql)], JSONField())  # noqa: S611


def _place(rows: list[list[Any]]) -> tuple[int, str, bool, tuple[Above, ...], bool]:
    """Return the department (key and name), whether active, everyone above, and whether anybody reports to them.

    The next manager above those in scope is there by name, as the record of the one below has it.
    """
    if not rows:
        return 0, "", False, (), False
    line = [Above(pk, name, job_title, email) for pk, name, job_title, email, *_rest in rows[1:]]
    if bare := rows[-1][7]:
        line.append(Above(None, bare))
    _pk, _name, _title, _email, is_active, department_id, department, _bare, has_reports = rows[0]
    return department_id, department, is_active, tuple(line), has_reports


_IS_ACTIVE = "(f.joined_at IS NULL OR f.joined_at <= %(now)s) AND (f.left_at IS NULL OR f.left_at > %(now)s)"
