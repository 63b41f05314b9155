"""One recipient's copy of a scheduled report, made in that recipient's own scope at the moment it is asked for.

What is previewed and what is sent come from here alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path

from django.core.exceptions import BadRequest
from django.http import Http404, QueryDict
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dashboard import reports
from dashboard.access import Scope
from dashboard.exports import table_request
from dashboard.exports.jobs import file_name
from dashboard.exports.tables import TABLES
from dashboard.exports.tables.words import filters_in_words
from dashboard.exports.writing import write_list
from dashboard.figures.counts import figures
from dashboard.files import storage
from dashboard.files.downloads import content_type_of
from dashboard.files.errors import NoAccessError
from dashboard.formats import number, percent
from dashboard.mail.subjects import nobody_left, query_of
from dashboard.metrics import Counts
from dashboard.metrics.registry import REGISTRY
from dashboard.models import Export, Schedule, User
from dashboard.outbox.handing_over import addressed
from dashboard.queries.vacancies import nobody_in
from dashboard.requests.mailed_address import mailed_address
from dashboard.row_security import within

# Mail servers refuse what is larger: then the file goes by a link, whatever was chosen.
MOST_ATTACHED = 8 * 1024 * 1024
REPORTS = (reports.Kind.BOARD, reports.Kind.REVIEW, reports.Kind.DEPARTMENT, reports.Kind.CAMPAIGN)
_PAGES = {
    reports.Kind.BOARD: "overview",
    reports.Kind.REVIEW: "review",
    reports.Kind.DEPARTMENT: "past_due",
    reports.Kind.CAMPAIGN: "campaign",
}
_METRICS = ("completion_rate", "on_time_rate", "people_compliant")


@dataclass(frozen=True)
class File:
    """A file that goes with a mail: where it lies, what it is called, its size and hash, and whether of the log."""

    path: Path
    name: str
    bytes: int
    sha256: str
    rows: int | None = None
    is_of_log: bool = False


@dataclass(frozen=True)
class Copy:
    """One recipient's copy. `lines` are its figures, by label; `page` the address that shows the same.

    `is_quiet`: there is nothing to report. Then there is no file; nor is there where nobody is left to report on, which
    is never quiet.
    """

    schedule: Schedule
    recipient: User
    scope: Scope
    as_of: datetime
    what: str
    lead: str
    lines: Sequence[tuple[str, str]] = ()
    filters: Sequence[tuple[str, str]] = ()
    page: str = ""
    is_quiet: bool = False
    file: File | None = None

    @property
    def subject(self) -> str:
        """Subject line: one line, whatever stands in the names it is made of."""
        words = _("%(name)s: %(account)s") % {"name": self.schedule.name, "account": self.schedule.account}
        return " ".join("".join(letter if letter.isprintable() else " " for letter in words).split())[:200]

    def is_attached(self) -> bool:
        """Return whether the file goes along with the mail, instead of waiting behind a link."""
        return (
            self.file is not None and self.schedule.way == Schedule.Way.ATTACHMENT and self.file.bytes <= MOST_ATTACHED
        )

    def body(self, kind: str, *, link: str = "", until: datetime | None = None) -> str:
        """Return the text of the mail: `kind` is "txt" or "html". `link` leads to a file that is not attached."""
        context = {
            "copy": self,
            "schedule": self.schedule,
            "account": self.schedule.account,
            "scope_label": self.scope.label,
            "page": mailed_address(self.page, self.scope) if self.page else "",
            "link": link,
            "until": until,
            "is_attached": self.is_attached(),
            "short_hash": self.file.sha256[:16] if self.file else "",
        }
        with timezone.override(self.schedule.account.zone):
            return render_to_string(f"mail/report.{kind}", context)

    def message(self, *, link: str = "", until: datetime | None = None) -> EmailMessage:
        """Return the mail: text and HTML, with the file unless a link leads to it."""
        text, html = (self.body(kind, link=link, until=until) for kind in ("txt", "html"))
        message = addressed(self.recipient.email, self.subject, text, html)
        if self.file is not None and self.is_attached():
            kind, _slash, sub = content_type_of(self.file.name).partition(";")[0].partition("/")
            message.add_attachment(self.file.path.read_bytes(), maintype=kind, subtype=sub, filename=self.file.name)
        return message


def compose(schedule: Schedule, recipient: User, *, at: datetime, place: Path) -> Copy:
    """Return the recipient's copy as of `at`, its file written to `place` (a path without its kind, `.pdf`).

    NoAccessError for who may not have it; NotMadeError, or what `explained` explains, when the file cannot be made.
    """
    scope = Scope.of(recipient, chosen=schedule.account_id, at=at)
    if scope.account is None or scope.account.pk != schedule.account_id:
        raise NoAccessError(_("They have no role in this account any more."))
    if not scope.sees_anyone:
        raise NoAccessError(_("Nobody is in their scope any more."))
    with within(scope), timezone.override(schedule.account.zone):
        try:
            copy = _MAKERS[Schedule.Content(schedule.content)](schedule, recipient, scope, at, place)
            return _with_vacancy(copy)
        except (BadRequest, Http404) as error:
            raise NoAccessError(_("What it is about is not in their scope, or not there any more.")) from error


def _with_vacancy(copy: Copy) -> Copy:
    """Return the copy; where nobody is left to report on, it says so instead of having nothing to report."""
    if not copy.is_quiet:
        return copy
    said = " ".join(nobody_left(copy.schedule, copy.scope)) or nobody_in(copy.scope)
    return replace(copy, lead=said, lines=(), is_quiet=False) if said else copy


def what_is(schedule: Schedule) -> str:
    """Return what a schedule sends, in words."""
    if schedule.content == Schedule.Content.REPORT and schedule.what in reports.Kind.values:
        return str(reports.Kind(schedule.what).label)
    if schedule.content == Schedule.Content.TABLE and schedule.what in TABLES:
        return str(TABLES[schedule.what].title)
    return _("Figures")


def question_of(schedule: Schedule, scope: Scope, at: datetime) -> table_request.Question:
    """Return what a schedule's filters ask for in a scope. BadRequest, later, for filters that cannot be any."""
    return table_request.Question(scope, QueryDict(schedule.query), at, at)


def figures_of(counts: Counts) -> list[tuple[str, str]]:
    """Return the figures that every mail tells, by the registry's names, as pages write them."""
    rates = (REGISTRY[name] for name in _METRICS)
    lines = [(str(metric.title), percent(metric.of(counts))) for metric in rates if metric.of]
    return [
        *lines,
        (str(REGISTRY["people_past_due"].title), number(counts.people_past_due)),
        (str(REGISTRY["past_due"].title), number(counts.past_due)),
        (str(REGISTRY["counted"].title), number(counts.counted)),
    ]


def _lead(counts: Counts) -> str:
    late = counts.people_past_due
    if not late:
        return _("Nobody is past due.")
    return ngettext("%(n)s person is past due.", "%(n)s people are past due.", late) % {"n": number(late)}


def _figures(schedule: Schedule, recipient: User, scope: Scope, at: datetime, place: Path) -> Copy:
    question = question_of(schedule, scope, at)
    counts = figures(scope, **question.numbers).net
    return Copy(
        schedule,
        recipient,
        scope,
        at,
        what_is(schedule),
        _lead(counts),
        figures_of(counts),
        filters_in_words(question),
        _page("overview", schedule.query),
        is_quiet=not counts.people_past_due,
    )


def _table(schedule: Schedule, recipient: User, scope: Scope, at: datetime, place: Path) -> Copy:
    table = TABLES.get(schedule.what)
    if table is None or not table.allows(scope):
        raise NoAccessError(_("Their role does not show this list any more."))
    question, kind = question_of(schedule, scope, at), Export.Format(schedule.format)
    answer = table.ask(question)
    rows = ngettext("%(n)s row.", "%(n)s rows.", answer.count) % {"n": number(answer.count)}
    copy = Copy(
        schedule,
        recipient,
        scope,
        at,
        answer.subject or str(table.title),
        rows,
        filters=list(answer.filters),
        page=_page(table.page, schedule.query),
        is_quiet=not answer.count,
    )
    if not answer.count:
        return copy
    path, columns = place.with_suffix(f".{kind.extension}"), table.chosen(())
    with storage.new_file(path) as file:
        written = write_list(file, table, question, answer, columns, kind, recipient, scratch=place.parent)
        made = storage.whole(file)
    name = file_name(question, table, kind)
    return replace(copy, file=File(path, name, made.bytes, made.sha256, written, table.is_of_log))


def _report(schedule: Schedule, recipient: User, scope: Scope, at: datetime, place: Path) -> Copy:
    kind = reports.Kind(schedule.what)
    question = reports.Question(scope, at, at)
    subject = schedule.subject_id
    query = query_of(schedule)
    if kind == reports.Kind.DEPARTMENT and subject and not scope.departments().filter(pk=subject).exists():
        raise NoAccessError(_("The department is not in their scope."))
    counts = figures(scope, **table_request.Question(scope, QueryDict(query), at, at).numbers).net
    is_quiet = not (counts.people_past_due if kind == reports.Kind.DEPARTMENT else counts.counted)
    page = reverse("campaign", args=[subject]) if kind == reports.Kind.CAMPAIGN else _page(_PAGES[kind], query)
    copy = Copy(
        schedule,
        recipient,
        scope,
        at,
        str(kind.label),
        _lead(counts),
        figures_of(counts),
        page=page,
        is_quiet=is_quiet,
    )
    if is_quiet:
        return copy
    report = reports.make(kind, question, subject=subject)
    if report is None:
        raise NoAccessError(_("What it is about is not in their scope, or not there any more."))
    path = place.with_suffix(".pdf")
    with storage.new_file(path) as file:
        file.write(report.content)
        made = storage.whole(file)
    return replace(copy, file=File(path, report.file_name, made.bytes, made.sha256))


_MAKERS = {
    Schedule.Content.FIGURES: _figures,
    Schedule.Content.TABLE: _table,
    Schedule.Content.REPORT: _report,
}


def _page(name: str, query: str) -> str:
    address = reverse(name)
    return f"{address}?{query}" if query else address
