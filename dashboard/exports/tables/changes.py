"""Changes of one sync, field by field: the rows behind "14 completed"."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dashboard.exports.columns import Column
from dashboard.exports.table_request import Answer, Question, Table
from dashboard.queries import sync_changes as queries
from dashboard.queries.fields import Kind
from dashboard.queries.sync_changes import Kind as ChangeKind
from dashboard.queries.sync_changes import Name
from dashboard.wording.changes import field_words, kind_words, subject_words, value_words
from sync.models import Change, SyncRun

_AT_ONCE = 2_000


def _run(question: Question) -> SyncRun:
    wanted = question.GET.get("run", "")
    if not wanted:
        run = question.account.published_run
    elif wanted.isascii() and wanted.isdecimal() and len(wanted) < 19:
        run = question.scope.runs().filter(pk=int(wanted)).first()
    else:
        run = None
    if run is None:
        raise Http404
    return run


def _changes(question: Question) -> Answer:
    """Answer for the page of a run's changes; Http404 for a run or a kind that is none."""
    run, kind = _run(question), None
    if question.GET.get("subject") or question.GET.get("field"):
        kind = queries.kind_of(question.GET.get("subject", ""), question.GET.get("field", ""))
        if kind is None:
            raise Http404
    rows: Any = queries.run_changes(question.scope, run, kind)
    if kind is not None and kind.field == queries.NEW:
        rows = queries.new_rows(question.scope, run, kind.subject)
    elif kind is not None and kind.field == queries.PAST_DUE:
        rows = queries.newly_past_due(question.scope, run)

    def written() -> Iterator[dict[str, Any]]:
        found = rows.iterator(chunk_size=_AT_ONCE)
        while part := list(islice(found, _AT_ONCE)):
            if kind is not None and kind.field in queries.OF_ROWS:
                yield from _of_rows(question, part, kind)
            else:
                yield from _of_changes(question, part)

    filters = [(_("Sync run"), str(run.number))]
    count = rows.count()
    if kind is not None:
        filters.append((_("Changes"), kind_words(kind, count)))
    return Answer(count, rows=written, order=_("As on the page"), filters=filters)


def _of_changes(question: Question, part: list[Change]) -> Iterable[dict[str, Any]]:
    names = queries.names_of_changes(question.scope, part)
    for change in part:
        subject = Change.Subject(change.subject)
        name = names.get((subject.name.lower(), change.subject_id), Name(""))
        yield {
            "subject": subject_words(subject, 1),
            "title": name.title or f"{subject.label} {change.subject_id}",
            "detail": name.detail,
            "what": field_words(change.field),
            "old": None if change.old in {None, ""} else value_words(change, change.old, names),
            "new": None if change.new in {None, ""} else value_words(change, change.new, names),
            "observed_at": change.observed_at,
            "subject_id": change.subject_id,
        }


def _of_rows(question: Question, part: list[Any], kind: ChangeKind) -> Iterable[dict[str, Any]]:
    names = queries.names(question.scope, {kind.slug: [row.pk for row in part]})
    for row in part:
        name = names.get((kind.slug, row.pk), Name(""))
        is_late = kind.field == queries.PAST_DUE
        yield {
            "subject": subject_words(kind.subject, 1),
            "title": name.title or f"{kind.subject.label} {row.pk}",
            "detail": name.detail,
            "what": _("past due") if is_late else _("new"),
            "observed_at": row.due_at if is_late else row.first_seen_at,
            "subject_id": row.pk,
        }


def _field(key: str, heading: Any, kind: Kind = Kind.TEXT, *, is_default: bool = True, width: int = 0) -> Column:
    return Column(key, heading, kind, is_default, lambda row: row.get(key), width=width)


CHANGES = Table(
    "changes",
    gettext_lazy("Changes of a sync"),
    (
        _field("subject", gettext_lazy("Kind"), width=14),
        _field("title", gettext_lazy("Whose"), width=30),
        _field("detail", gettext_lazy("More exactly"), width=44),
        _field("what", gettext_lazy("What"), width=22),
        _field("old", gettext_lazy("Before"), width=30),
        _field("new", gettext_lazy("Now"), width=30),
        _field("observed_at", gettext_lazy("Since"), Kind.MOMENT),
        _field("subject_id", gettext_lazy("In Rollcall"), Kind.ID, is_default=False),
    ),
    _changes,
    page="sync",
)
