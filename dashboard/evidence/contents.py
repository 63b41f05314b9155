"""Contents of an evidence pack: its tables, row by row, as the mirror holds them.

Moments are in UTC with six digits of a second, so that their texts compare as they do. Texts that a spreadsheet would
run stand behind an apostrophe.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.db.models import Case, CharField, Exists, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce

from dashboard import audit, metrics
from dashboard.access import Scope
from dashboard.exports.csv_injection import neutralize, neutralize_json
from dashboard.mail.reading import deliveries
from dashboard.metrics.registry import REGISTRY
from dashboard.models import CampaignSetting
from dashboard.queries.fields import CAMPAIGNS, ENROLLMENTS, PEOPLE, Field
from sync.models import Change, Enrollment, Person

_AT_ONCE = 5_000


@dataclass(frozen=True)
class Period:
    """From `start` to `end`, the moment of all states: the end of the last day, or now while the period runs."""

    start: datetime
    end: datetime
    now: datetime


@dataclass(frozen=True)
class Listing:
    """One CSV file of a pack: its heads and its rows, which are read when they are asked for."""

    path: str
    heads: Sequence[str]
    rows: Callable[[], Iterable[Sequence[Any]]]
    what: str


def written(value: Any) -> str:
    """Return a value as packs write it; nothing is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, date):
        return value.isoformat()
    return neutralize(value) if isinstance(value, str) else str(value)


def people(scope: Scope, period: Period) -> QuerySet[Person]:
    """Return the population: whoever was in scope and had not left before the period began.

    Who joined only after it is left out, unless they were enrolled before.
    """
    # Of each person in scope, whom the query below chooses.
    enrolled = Enrollment.objects.filter(person=OuterRef("pk"), enrolled_at__lte=period.end)
    return (
        scope.people()
        .annotate(left=metrics.left_at())
        .filter(Q(left=None) | Q(left__gt=period.start))
        .filter(Q(joined_at=None) | Q(joined_at__lte=period.end) | Exists(enrolled))
    )


def enrollments(scope: Scope, period: Period) -> QuerySet[Enrollment]:
    """Return the enrollments of the population, from before the period too, that were not gone when it began."""
    return (
        scope.enrollments()
        .filter(person__in=people(scope, period).values("pk"), enrolled_at__lte=period.end)
        .filter(Q(removed_at=None) | Q(removed_at__gt=period.start))
    )


def history(scope: Scope, period: Period) -> QuerySet[Change]:
    """Return what syncs found changed about people and enrollments in scope, up to now: later ones tell of then."""
    about = (Change.Subject.PERSON, Change.Subject.ENROLLMENT)
    return scope.changes().filter(subject__in=about, observed_at__lte=period.now)


def listings(scope: Scope, reader: Scope, period: Period) -> list[Listing]:
    """Return the tables of a pack. `scope` says whose people; `reader` who asks: only some may read the audit log."""
    found = [
        _population(scope, period),
        _enrollments(scope, period),
        _history(scope, period),
        _exemptions(scope, period),
        _campaigns(scope, period),
        _sent(reader, period),
        _definitions(),
        _runs(scope, period),
    ]
    return [*found, _audit(reader, period)] if reader.may_read_audit else found


def _read(rows: QuerySet[Any], fields: Iterable[str]) -> Callable[[], Iterator[Sequence[Any]]]:
    return lambda: rows.values_list(*fields).iterator(chunk_size=_AT_ONCE)


def _table(
    path: str, names: Sequence[str], fields: Mapping[str, Field], rows: QuerySet[Any], what: str, **own: str
) -> Listing:
    """Return the table of rows by our key, of columns with these names and of what else the catalogue has.

    A column lies where the catalogue says, else where `own` does, else in the mirror under its own name.
    """
    columns = {name: own.get(name) or (name in fields and fields[name].orm) or name for name in names}
    told = frozenset(columns.values())
    columns |= {one.name: one.orm for one in fields.values() if one.orm and one.orm not in told}
    return Listing(path, tuple(columns), _read(rows.order_by("pk"), columns.values()), what)


def _population(scope: Scope, period: Period) -> Listing:
    names = (
        *("person_id", "knowbe4_id", "first_name", "last_name", "email", "employee_number", "job_title", "department"),
        *("manager_id", "manager_name", "manager_email", "status", "joined_at", "archived_at", "removed_at"),
    )
    rows = people(scope, period).annotate(home=Coalesce("department__merged_into__name", "department__name"))
    what = "Whoever was in scope during the period"
    return _table("population.csv", names, PEOPLE, rows, what, department="home")


def _enrollments(scope: Scope, period: Period) -> Listing:
    at = period.end
    rows = enrollments(scope, period).annotate(
        state=metrics.state(at),
        counts=Case(When(metrics.counted(at), then=Value("yes")), default=Value("no"), output_field=CharField()),
    )
    names = (
        *("enrollment_id", "knowbe4_id", "person_id", "campaign_id", "campaign", "content", "content_type"),
        *("state", "counted", "reported_status", "enrolled_at", "started_at", "completed_at", "is_completion_observed"),
        *("due_at", "due_source", "due_after", "original_due_at", "extended_due_at", "time_spent"),
        *("policy_acknowledged", "score", "first_seen_at", "removed_at"),
    )
    what = "Their enrollments with every fact; state and counted are as of the end of the period"
    return _table("enrollments.csv", names, ENROLLMENTS, rows, what)


def _history(scope: Scope, period: Period) -> Listing:
    fields = ("observed_at", "run_id", "subject", "subject_id", "field", "old", "new")
    rows = history(scope, period).order_by("observed_at", "pk")
    words = {Change.Subject.PERSON.value: "person", Change.Subject.ENROLLMENT.value: "enrollment"}

    def read() -> Iterator[Sequence[Any]]:
        for row in rows.values_list(*fields).iterator(chunk_size=_AT_ONCE):
            yield (*row[:2], words[row[2]], *row[3:])

    return Listing("history.csv", fields, read, "Every change of these that a sync found, up to the day it was packed")


def _exemptions(scope: Scope, period: Period) -> Listing:
    fields = (
        *("pk", "person_id", "group__name", "campaign_id", "reason", "note", "evidence", "starts_at", "ends_at"),
        *("requested_by__email", "requested_at", "approved_by__email", "approved_at", "rejected_by__email"),
        *("rejected_at", "ended_by__email", "ended_at", "end_note"),
    )
    rows = scope.exemptions().filter(starts_at__lte=period.end, requested_at__lte=period.now)
    rows = rows.filter(Q(ends_at=None) | Q(ends_at__gt=period.start)).distinct()
    heads = ("exemption_id", "person_id", "group", *(name.replace("__email", "") for name in fields[3:]))
    return Listing("exemptions.csv", heads, _read(rows.order_by("pk"), fields), "Who was excused, by whom and why")


def _campaigns(scope: Scope, period: Period) -> Listing:
    names = (
        *("campaign_id", "knowbe4_id", "name", "reported_status", "start_at", "end_at", "duration_type"),
        *("relative_duration", "requirement"),
    )
    required = CampaignSetting.Requirement.REQUIRED.value
    rows = scope.campaigns().annotate(requirement=Coalesce("setting__requirement", Value(required)))
    what = "The campaigns, and whether each counts for compliance"
    return _table("campaigns.csv", names, CAMPAIGNS, rows, what)


def _sent(reader: Scope, period: Period) -> Listing:
    fields = (
        *("pk", "occurrence__schedule__name", "kind", "occurrence__due_at", "recipient__email", "email", "state"),
        *("finished_at", "as_of", "file_name", "bytes", "sha256", "rows", "said"),
    )
    rows = deliveries(reader).filter(occurrence__due_at__gte=period.start, occurrence__due_at__lte=period.end)
    heads = ("delivery_id", "schedule", "kind", "due_at", "recipient", "handed_over_for", *fields[6:])
    return Listing(
        "sent.csv", heads, _read(rows.order_by("pk"), fields), "Which reports Rollcall mailed to whom, by their hash"
    )


def _definitions() -> Listing:
    return Listing(
        "definitions.csv",
        ("name", "title", "unit", "numerator", "denominator", "definition"),
        lambda: [
            (metric.name, str(metric.title), metric.unit.value, metric.numerator, metric.denominator, metric.sentence)
            for metric in REGISTRY.values()
        ],
        "What each number means",
    )


def _runs(scope: Scope, period: Period) -> Listing:
    fields = (
        *("pk", "number", "kind", "trigger", "requested_by__email", "state"),
        *("started_at", "finished_at", "published_at"),
        *("requests_made", "message", "resolved_by__email", "resolved_at", "resolution"),
    )
    rows = scope.runs().filter(started_at__gte=period.start, started_at__lte=period.end)
    heads = ("run_id", *(name.replace("__email", "") for name in fields[1:]))
    return Listing("sync_runs.csv", heads, _read(rows.order_by("number"), fields), "Every sync of the period")


def _audit(reader: Scope, period: Period) -> Listing:
    fields = (
        *("pk", "at", "actor_id", "actor_email", "through", "action", "subject", "subject_id", "details", "network"),
        *("seal__position", "seal__previous", "seal__digest"),
    )
    rows = audit.events(reader).filter(at__gte=period.start, at__lte=period.end).order_by("pk")
    heads = ("event_id", *(name.replace("seal__", "") for name in fields[1:]))

    def read() -> Iterator[Sequence[Any]]:
        for row in rows.values_list(*fields).iterator(chunk_size=_AT_ONCE):
            yield (*row[:8], _spelled(row[8]), *row[9:])

    return Listing("audit.csv", heads, read, "Who did what in Rollcall, with each event's place and hash in its chain")


def _spelled(details: Any) -> str:
    return neutralize_json(json.dumps(details, sort_keys=True, ensure_ascii=False))
