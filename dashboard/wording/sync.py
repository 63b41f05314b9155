"""The sentences above the panels of the Sync pages, computed from the runs."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dashboard.formats import clock, number
from dashboard.queries.allowance import Allowance
from dashboard.queries.sync_status import Progress
from dashboard.wording.changes import Told, noun
from sync.models import SyncRun


def allowance_finding(allowance: Allowance) -> str:
    """Say how much of the day's requests is used."""
    if allowance.percent is None:
        return _("This account has no request limit")
    if not allowance.used:
        return _("None of the day's requests are used")
    if allowance.used >= (allowance.limit or 0):
        return _("The day's requests are used up")
    if not allowance.percent:
        return _("Less than 1% of the day's requests are used")
    return _("%(percent)s%% of the day's requests are used") % {"percent": allowance.percent}


def changes_finding(run: SyncRun | None, tiles: Sequence[Told], *, as_of: datetime) -> str:
    """Say what the published run brought, by its two most telling kinds of change."""
    if run is None or run.published_at is None:
        return _("Nothing was published yet")
    time = clock(run.started_at, as_of)
    if not tiles:
        return _("The run of %(time)s found nothing that people did") % {"time": time}
    parts = [noun(tile) for tile in tiles[:2]]
    return _("The run of %(time)s brought %(what)s") % {"time": time, "what": _(" and ").join(parts)}


def clock_finding(progress: Progress) -> str:
    """Say that a run lies in the future, and that it holds nothing up; empty for any other."""
    if not progress.is_ahead:
        return ""
    return _(
        "The clock jumped: run %(number)s is dated %(time)s, which has not come yet. Runs are in the order of their "
        "numbers, and the next sync does not wait for that time."
    ) % {"number": progress.run.number, "time": clock(progress.run.started_at, progress.as_of)}


def run_lead(progress: Progress) -> tuple[str, str]:
    """Return what became of a run, and what that means, as a lead and its quiet second sentence."""
    run, as_of = progress.run, progress.as_of
    if progress.is_import:
        return _import_lead(progress)
    at = {"time": clock(run.published_at or run.finished_at or run.heartbeat_at, as_of)}
    if progress.result == "published":
        changes = progress.changes
        meaning = _("Nothing had changed since the run before.") if changes is not None else ""
        if changes:
            meaning = ngettext(
                "It wrote %(n)s row; what had not changed was not touched.",
                "It wrote %(n)s rows; what had not changed was not touched.",
                changes,
            ) % {"n": number(changes)}
        return _("This sync was published at %(time)s.") % at, meaning
    if progress.result == "held":
        reason = _("This sync is held: %(reason)s.") % {"reason": progress.reason}
        return reason, _("Nothing of it was published, and the next sync discards it.")
    if progress.is_stopped:
        return _("This sync was stopped at %(time)s.") % at, _(
            "Nothing of it was published; the next sync begins afresh."
        )
    if progress.result == "discarded":
        return _("This sync was discarded: %(reason)s.") % {"reason": progress.reason}, _(
            "Nothing of it was published."
        )
    if progress.result == "paused":
        return _("This sync is paused. %(message)s") % {"message": progress.message}, _(
            "What it read is kept; it goes on."
        )
    if progress.result == "silent":
        return _("This sync stopped answering at %(time)s.") % at, _("The next sync goes on where it was.")
    if progress.is_stopping:
        return _("This sync is being stopped."), _("It ends at the next page it reads; nothing of it is published.")
    if progress.result == "running":
        return _("This sync is running."), _("Nothing of it is shown until it is published, all at once.")
    return _("This sync failed. %(message)s") % {"message": progress.message}, _("Nothing of it was published.")


def _import_lead(progress: Progress) -> tuple[str, str]:
    """Return what became of an imported file, in which what a run does to KnowBe4's lists has no place."""
    run = progress.run
    at = {"time": clock(run.published_at or run.finished_at or run.heartbeat_at, progress.as_of)}
    if progress.result == "published":
        changes = progress.changes
        meaning = _("It changed nothing.") if changes is not None else ""
        if changes:
            meaning = ngettext("It wrote %(n)s row, all at once.", "It wrote %(n)s rows, all at once.", changes) % {
                "n": number(changes)
            }
        return _(
            "This import was finished at %(time)s."
        ) % at, f"{progress.message}. {meaning}" if progress.message else meaning
    if progress.result == "silent":
        return _("This import stopped answering at %(time)s.") % at, _("It changed nothing, and is tried again.")
    if progress.result == "running":
        return _("A file is being imported."), _("Nothing of it is shown until it is done, all at once.")
    return _("This import changed nothing."), progress.message
