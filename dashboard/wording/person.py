"""Sentences of a person's page: the first one, the findings, and the timeline in words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from dashboard.formats import day, number
from dashboard.local_days import day_of
from dashboard.metrics import State, days_late, days_past_due
from dashboard.models import Exemption
from dashboard.queries.person import Owed, Record
from dashboard.wording import changes
from dashboard.wording.changes import field_words, value_words
from sync.models import Change, Enrollment, PhishingResult
from sync.models.training import DueSource

# What someone did with a test, the worst first: the word and the moment it is told by.
FAILURES = (
    ("data_entered_at", gettext_lazy("Entered data")),
    ("macro_enabled_at", gettext_lazy("Enabled a macro")),
    ("attachment_opened_at", gettext_lazy("Opened the attachment")),
    ("qr_code_scanned_at", gettext_lazy("Scanned the code")),
    ("replied_at", gettext_lazy("Replied")),
    ("clicked_at", gettext_lazy("Clicked")),
)
# Fields whose change says little of a person; who manages them does.
QUIET = changes.QUIET - {"manager_name"} | {"original_due_at", "content_id", "campaign_id", "score"}
YEAR = timedelta(days=365)


def lead(record: Record, name: str, *, as_of: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """Return what the person owes: the link's words, what follows it, and how the rest stands."""
    counted = record.counted
    late = [owed for owed in counted if owed.state == State.PAST_DUE]
    done = [owed for owed in counted if owed.state == State.COMPLETED]
    rest = ""
    if counted:
        rest = _("%(done)s of %(all)s completed") % {"done": number(len(done)), "all": number(len(counted))}
        flagged = sum(owed.is_late for owed in done)
        if flagged:
            rest = _("%(rest)s, %(late)s of them late") % {"rest": rest, "late": number(flagged)}
        rest = f"{rest}."
    if late:
        days = max(
            days_past_due(owed.enrollment.due_at, as_of, zone) for owed in late if owed.enrollment.due_at is not None
        )
        since = {"days": number(days), "n": number(len(late)), "all": number(len(counted))}
        return {
            "before": _("%(name)s owes") % {"name": name},
            "fact": _("%(n)s of %(all)s") % since,
            "after": ngettext(", past due for %(days)s day", ", past due for %(days)s days", days) % since
            if len(late) == 1
            else ngettext(", the oldest for %(days)s day", ", the oldest for %(days)s days", days) % since,
            "rest": rest,
        }
    return {"before": _nothing_owed(record, counted, done, name), "fact": "", "after": "", "rest": rest}


def _nothing_owed(record: Record, counted: Sequence[Owed], done: Sequence[Owed], name: str) -> str:
    if not record.is_active:
        return _("%(name)s is not active and owes nothing") % {"name": name}
    if not counted:
        return _("%(name)s is assigned nothing that counts") % {"name": name}
    if len(done) == len(counted):
        return _("%(name)s has completed everything") % {"name": name}
    return _("%(name)s has nothing past due") % {"name": name}


def deadlines_finding(record: Record, name: str, *, as_of: datetime) -> str:
    """Say how many deadlines the person has missed, of those that count and have passed."""
    due = [owed for owed in record.counted if owed.enrollment.due_at is not None and owed.enrollment.due_at <= as_of]
    if not due:
        return (
            _("No deadline of %(name)s has passed yet") % {"name": name}
            if record.enrollments
            else _("%(name)s was never enrolled") % {"name": name}
        )
    missed = sum(owed.is_late or owed.state == State.PAST_DUE for owed in due)
    since = date_format(timezone.localtime(min(owed.enrollment.enrolled_at for owed in due)), "F Y")
    values = {"name": name, "n": number(missed), "all": number(len(due)), "since": since}
    if not missed:
        return (
            ngettext(
                "%(name)s has met the only deadline since %(since)s",
                "%(name)s has met all %(all)s deadlines since %(since)s",
                len(due),
            )
            % values
        )
    return (
        ngettext(
            "%(name)s has missed the only deadline since %(since)s",
            "%(name)s has missed %(n)s of %(all)s deadlines since %(since)s",
            len(due),
        )
        % values
    )


@dataclass(frozen=True)
class Tested:
    """One phishing test in words: what was done, its mark, and whether it was reported as well."""

    result: PhishingResult
    sent_at: datetime
    words: str
    mark: str
    is_failed: bool
    is_reported: bool

    @property
    def name(self) -> str:
        """Template of the email; the test's name where KnowBe4 names no template."""
        return self.result.test.template_name or str(self.result.test)


def tested(results: Iterable[PhishingResult], as_of: datetime) -> list[Tested]:
    """Write what was done with each test by then; what came later has not happened."""
    found = []
    for result in results:

        def by_then(name: str, result: PhishingResult = result) -> bool:
            moment = getattr(result, name)
            return moment is not None and moment <= as_of

        failure = next((words for name, words in FAILURES if by_then(name)), None)
        is_reported = by_then("reported_at")
        if failure is not None:
            words, mark = str(failure), "clicked"
            if is_reported:
                words = _("%(failure)s, reported") % {"failure": words}
        elif is_reported:
            words, mark = _("Reported"), "reported"
        elif by_then("bounced_at"):
            words, mark = _("Not delivered"), "none"
        elif by_then("opened_at"):
            words, mark = _("Opened"), "opened"
        else:
            words, mark = _("No action"), "none"
        sent_at = result.sent_at  # type: ignore[attr-defined]  # annotated by the query
        found.append(Tested(result, sent_at, words, mark, failure is not None, is_reported))
    return found


def tests_finding(tests: Sequence[Tested], name: str) -> str:
    """Say how many of the tests shown were failed and how many reported."""
    if not tests:
        return _("%(name)s has had no simulated phishing email in the last 12 months") % {"name": name}
    failed, reported = sum(test.is_failed for test in tests), sum(test.is_reported for test in tests)
    values = {"name": name, "n": number(failed), "all": number(len(tests)), "reported": number(reported)}
    fell = (
        ngettext(
            "%(name)s fell for %(n)s of the last simulated phishing email",
            "%(name)s fell for %(n)s of the last %(all)s simulated phishing emails",
            len(tests),
        )
        if failed
        else ngettext(
            "%(name)s did not fall for the last simulated phishing email",
            "%(name)s fell for none of the last %(all)s simulated phishing emails",
            len(tests),
        )
    )
    if reported:
        return (_("%(fell)s and reported %(reported)s") % {"fell": fell, "reported": number(reported)}) % values
    return _("%(fell)s and reported none") % {"fell": fell} % values


@dataclass(frozen=True)
class Event:
    """Something that happened: when, in words, with its mark, and what it is about."""

    at: datetime
    words: str
    mark: str = ""
    about: str = ""
    is_late: bool = False


def events(record: Record, *, as_of: datetime) -> list[Event]:
    """Return what happened by then, the latest first: as KnowBe4 dates it, and what syncs saw change."""
    found: list[Event] = []
    for owed in record.enrollments:
        row = owed.enrollment
        about = title(owed)
        found.append(Event(row.enrolled_at, _("Enrolled"), "todo", about))
        if row.started_at is not None and row.started_at <= as_of and row.started_at != row.completed_at:
            found.append(Event(row.started_at, _("Started"), "progress", about))
        is_done = row.completed_at is not None and row.completed_at <= as_of
        if row.due_at is not None and row.due_at <= as_of and owed.counts and (not is_done or owed.is_late):
            found.append(Event(row.due_at, _("Past due"), "due", about))
        if row.completed_at is not None and is_done:
            found.append(Event(row.completed_at, _("Completed"), "done", about, owed.is_late))
    of_enrollment = {owed.enrollment.pk: title(owed) for owed in record.enrollments}
    for change in record.changes:
        event = _changed(change, of_enrollment)
        if event is not None:
            found.append(event)
    # Of what happened at one moment the last step is told first.
    steps = {"todo": 0, "progress": 1, "due": 2, "done": 3}
    return sorted(found, key=lambda event: (event.at, steps.get(event.mark, 4)), reverse=True)


def _changed(change: Change, of_enrollment: dict[int, str]) -> Event | None:
    about = of_enrollment.get(change.subject_id, "") if change.subject == Change.Subject.ENROLLMENT else ""
    if change.field in {"completed_at", "started_at"} and change.new is not None and change.old is None:
        return None
    if change.field == "completed_at" and change.new is None:
        return Event(change.observed_at, _("No longer completed"), "", about)
    if change.field == "started_at" and change.new is None:
        return Event(change.observed_at, _("Start withdrawn"), "", about)
    if change.field == "removed_at":
        words = _("No longer returned by KnowBe4") if change.new else _("Returned by KnowBe4 again")
        return Event(change.observed_at, words, "", about)
    what = {
        "field": field_words(change.field).capitalize(),
        "old": value_words(change, change.old, {}),
        "new": value_words(change, change.new, {}),
    }
    return Event(change.observed_at, _("%(field)s: %(old)s → %(new)s") % what, "", about)


def events_finding(found: Sequence[Event]) -> str:
    """Say what happened last."""
    if not found:
        return _("Nothing is recorded yet")
    latest = found[0]
    values = {"what": latest.words, "about": latest.about, "date": day(latest.at)}
    if latest.about:
        return _("Latest: %(about)s, %(what)s on %(date)s") % {**values, "what": latest.words.lower()}
    return _("Latest: %(what)s on %(date)s") % values


def title(owed: Owed) -> str:
    """Return what an enrollment is called: its campaign, or its content where KnowBe4 lists no campaign."""
    campaign = owed.enrollment.campaign
    return str(campaign) if campaign is not None else str(owed.enrollment.content)


def due_source(row: Enrollment) -> str:
    """Return the rule that gave the due date: "2 weeks after enrollment"."""
    campaign = row.campaign
    if row.due_source == DueSource.RELATIVE and campaign is not None and campaign.relative_duration:
        return _("%(duration)s after enrollment") % {"duration": campaign.relative_duration}
    return str(DueSource(row.due_source).label)


def outcome(owed: Owed, *, as_of: datetime, zone: ZoneInfo) -> tuple[str, str]:
    """Return what became of an enrollment, and a second line: the day it was done, or how long there is."""
    row = owed.enrollment
    if owed.state == State.COMPLETED and row.completed_at is not None:
        note = ""
        if owed.is_late and row.due_at is not None:
            days = days_late(row.due_at, row.completed_at, zone)
            note = ngettext("Completed late, %(n)s day", "Completed late, %(n)s days", days) % {"n": number(days)}
        elif row.is_completion_observed:
            note = _("Date of the sync that saw it")
        return day(row.completed_at), note
    if row.due_at is None:
        return _("Open"), ""
    if owed.state == State.PAST_DUE:
        days = days_past_due(row.due_at, as_of, zone)
        return ngettext("%(n)s day past due", "%(n)s days past due", days) % {"n": number(days)}, ""
    left = (row.due_at.astimezone(zone).date() - day_of(as_of, zone)).days
    if not left:
        return _("Due today"), ""
    return ngettext("%(n)s day left", "%(n)s days left", left) % {"n": number(left)}, ""


EXEMPTION_STATES = {
    Exemption.State.REQUESTED: "progress",
    Exemption.State.APPROVED: "todo",
    Exemption.State.ACTIVE: "done",
    Exemption.State.EXPIRED: "none",
    Exemption.State.ENDED: "none",
    Exemption.State.REJECTED: "none",
}
