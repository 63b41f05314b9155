"""Changes of one published sync: how many rows by kind of change, and the rows themselves.

Changed fields come from the recorded changes of the run. Rows that are new leave none: they are those first seen in
the publication. Newly past due is no change of KnowBe4's either: it is the passing of a deadline between two
publications, by the rule of `dashboard.metrics`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, IntegerField, Q, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Cast, Concat, Trim

from dashboard import metrics
from dashboard.access import Scope
from sync.models import Change, SyncRun

Subject = Change.Subject

# Kinds of change that are more than "this field differs", by subject and name: the field and what it went through.
SET = Q(old__isnull=True, new__isnull=False)
CLEARED = Q(old__isnull=False, new__isnull=True)
NAMED: dict[tuple[Subject, str], tuple[str, Q]] = {
    (Subject.ENROLLMENT, "completed"): ("completed_at", SET),
    (Subject.ENROLLMENT, "reopened"): ("completed_at", CLEARED),
    (Subject.ENROLLMENT, "started"): ("started_at", SET),
    (Subject.ENROLLMENT, "reset"): ("started_at", CLEARED),
    **{(subject, "removed"): ("removed_at", SET) for subject in Subject},
    **{(subject, "restored"): ("removed_at", CLEARED) for subject in Subject},
}
NEW, PAST_DUE = "new", "past_due"
# Kinds whose rows are the subjects themselves, for they leave no change.
OF_ROWS = frozenset({NEW, PAST_DUE})


@dataclass(frozen=True)
class Kind:
    """One kind of change: the subject and either a name above, "new", "past_due", or a field of the subject."""

    subject: Subject
    field: str

    @property
    def slug(self) -> str:
        """The subject as addresses write it."""
        return self.subject.name.lower()

    def changes(self, changes: QuerySet[Change]) -> QuerySet[Change]:
        """Return those of the changes that are of this kind; none for kinds whose rows leave no change."""
        if self.field in OF_ROWS:
            return changes.none()
        name, moved = NAMED.get((self.subject, self.field), (self.field, Q()))
        return changes.filter(moved, subject=self.subject, field=name)


def kind_of(subject: str, field: str) -> Kind | None:
    """Return the kind an address names; None when there is no such subject or the field is no plain word."""
    found = next((one for one in Subject if one.name.lower() == subject.lower()), None)
    if (
        found is None
        or not field.isidentifier()
        or len(field) > 50
        or (field == PAST_DUE and found != Subject.ENROLLMENT)
    ):
        return None
    return Kind(found, field)


@dataclass(frozen=True)
class Group:
    """Number of a published run's rows of one kind."""

    kind: Kind
    rows: int


def groups(scope: Scope, run: SyncRun) -> list[Group]:
    """Return what the run changed, by kind, most rows first; empty for a run that published nothing.

    Every row counts once in its kind: an enrollment both started and completed is in both.
    """
    if run.published_at is None:
        return []
    counted = (
        scope.changes()
        .filter(run=run)
        .values("subject", "field")
        .annotate(rows=Count("pk"), set=Count("pk", filter=SET), cleared=Count("pk", filter=CLEARED))
        .order_by("subject", "field")
    )
    found: list[Group] = []
    for row in counted:
        found += _split(Subject(row["subject"]), row["field"], row["rows"], row["set"], row["cleared"])
    found += _without_changes(scope, run)
    return sorted(found, key=lambda group: (-group.rows, group.kind.subject, group.kind.field))


def _split(subject: Subject, field: str, rows: int, was_set: int, cleared: int) -> Iterable[Group]:
    """Yield the named kinds that a field's changes make up, and the field itself where other changes are left."""
    named = {name: moved for (of, name), (column, moved) in NAMED.items() if of == subject and column == field}
    left = rows
    for name, moved in named.items():
        count = was_set if moved is SET else cleared
        left -= count
        if count:
            yield Group(Kind(subject, name), count)
    if left or not named:
        yield Group(Kind(subject, field), rows)


def _without_changes(scope: Scope, run: SyncRun) -> list[Group]:
    """Return how many rows each subject has that this run saw first, and the enrollments newly past due."""
    of_rows = {
        Kind(subject, NEW): _first_seen(rows, run)
        for subject, rows in _subjects(scope).items()
        if subject != Subject.ENROLLMENT
    } | {Kind(Subject.ENROLLMENT, PAST_DUE): newly_past_due(scope, run)}
    kinds = list(of_rows)
    parts = [
        rows.order_by()
        .annotate(kind=Value(place, IntegerField()))
        .values("kind")
        .annotate(rows=Count("pk"))
        .values_list("kind", "rows")
        for place, rows in enumerate(of_rows.values())
    ]
    found = [Group(kinds[place], rows) for place, rows in parts[0].union(*parts[1:], all=True) if rows]
    # Enrollments are many and never added but by the list itself, so publish's own count is exact and costs nothing.
    enrollments = run.counts.get("enrollment", {}).get("inserted", 0)
    if enrollments and scope.sees_everyone:
        found.append(Group(Kind(Subject.ENROLLMENT, NEW), enrollments))
    return found


def _first_seen(rows: QuerySet[Any], run: SyncRun) -> QuerySet[Any]:
    """Keep rows that the run's publication added, without those it only heard of and KnowBe4 does not list."""
    return rows.filter(first_seen_at=run.published_at).exclude(removed_at=run.published_at)


def newly_past_due(scope: Scope, run: SyncRun) -> QuerySet[Any]:
    """Return the enrollments that were past due and counted when the run was published, and due since the run before.

    None for a first run: everything is new in it.
    """
    if run.published_at is None:
        return scope.enrollments().none()
    before = scope.runs().filter(number__lt=run.number, published_at__isnull=False).order_by("-number")
    return (
        scope.enrollments()
        .filter(
            metrics.counted(run.published_at),
            metrics.past_due(run.published_at),
            due_at__gt=Subquery(before.values("published_at")[:1]),
        )
        .order_by("due_at", "pk")
    )


def new_rows(scope: Scope, run: SyncRun, subject: Subject) -> QuerySet[Any]:
    """Return the subjects that the run saw first, in a stable order."""
    if run.published_at is None:
        return _subjects(scope)[subject].none()
    return _first_seen(_subjects(scope)[subject], run).order_by("pk")


def run_changes(scope: Scope, run: SyncRun, kind: Kind | None = None) -> QuerySet[Change]:
    """Return the run's recorded changes, those of one kind if asked, the changes of one row beside each other."""
    changes = scope.changes().filter(run=run)
    if kind is not None:
        changes = kind.changes(changes)
    return changes.order_by("-subject", "subject_id", "field", "pk")


def _subjects(scope: Scope) -> dict[Subject, QuerySet[Any]]:
    return {
        Subject.PERSON: scope.people(),
        Subject.CAMPAIGN: scope.campaigns(),
        Subject.ENROLLMENT: scope.enrollments(),
        Subject.CONTENT: scope.content(),
        Subject.GROUP: scope.groups(),
        Subject.PHISHING_TEST: scope.phishing_tests(),
    }


@dataclass(frozen=True)
class Name:
    """Name of a row: its name, and a second line to tell it from others of that name."""

    title: str
    detail: str = ""


Names = Mapping[tuple[str, int], Name]
_NO_TEXT = Value("", TextField())


def _person_name(path: str = "") -> Any:
    return Trim(Concat(F(f"{path}first_name"), Value(" "), F(f"{path}last_name"), output_field=TextField()))


def names(scope: Scope, wanted: Mapping[str, Iterable[int]]) -> Names:
    """Return what rows are called, by kind ("person", "department", a subject's slug) and key, in one query.

    Rows out of scope are missing.
    """
    titles: dict[str, tuple[QuerySet[Any], Any, Any]] = {
        "person": (scope.people(), _person_name(), F("email")),
        "campaign": (scope.campaigns(), F("name"), _NO_TEXT),
        "enrollment": (
            scope.enrollments(),
            _person_name("person__"),
            Concat(F("content__name"), Value(" · "), F("campaign__name"), output_field=TextField()),
        ),
        "content": (scope.content(), F("name"), F("content_type")),
        "group": (scope.groups(), F("name"), _NO_TEXT),
        "phishing_test": (scope.phishing_tests(), F("name"), _NO_TEXT),
        "department": (scope.departments(), F("name"), _NO_TEXT),
    }
    parts = [
        rows.filter(pk__in=keys)
        .order_by()
        .values_list(Value(kind, TextField()), "pk", Cast(title, TextField()), Cast(detail, TextField()))
        for kind, (rows, title, detail) in titles.items()
        if (keys := sorted(set(wanted.get(kind, ()))))
    ]
    if not parts:
        return {}
    found = parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]
    return {
        (kind, pk): Name(title or detail or "", detail if title and detail else "") for kind, pk, title, detail in found
    }


# Fields of changes that hold the key of another row, and what it is a row of.
REFERENCES: dict[tuple[Subject, str], str] = {
    (Subject.PERSON, "manager"): "person",
    (Subject.PERSON, "department"): "department",
    (Subject.ENROLLMENT, "person_id"): "person",
    (Subject.ENROLLMENT, "campaign_id"): "campaign",
    (Subject.ENROLLMENT, "content_id"): "content",
}


def names_of_changes(scope: Scope, changes: Sequence[Change]) -> Names:
    """Return what the subjects of the changes are called, and the rows that their values refer to."""
    wanted: dict[str, set[int]] = {}
    for change in changes:
        subject = Subject(change.subject)
        wanted.setdefault(subject.name.lower(), set()).add(change.subject_id)
        if (subject, change.field) in REFERENCES:
            keys = wanted.setdefault(REFERENCES[subject, change.field], set())
            keys.update(int(text) for text in (change.old, change.new) if text and text.isdecimal())
    return names(scope, wanted)
