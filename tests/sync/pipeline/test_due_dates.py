"""Each rung of the ladder of due dates, and how one rung follows another."""

from datetime import UTC, datetime, timedelta

import pytest

from sync.knowbe4.durations import parse_duration
from sync.models import Change
from sync.models.training import DueSource

MONDAY = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ENROLLED = datetime(2026, 10, 31, 8, 0, tzinfo=UTC)
END = datetime(2026, 11, 30, 23, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

SPECIFIC = {"duration_type": "Specific End Date", "end_at": END}
RELATIVE = {
    "duration_type": "Relative End Date",
    "relative_duration": "2 weeks",
    "relative_months": 0,
    "relative_days": 14,
}
OPEN_ENDED = {"duration_type": "No End Date"}


def row(status="Not Started", **more):
    return [{"reported_status": status, "enrolled_at": ENROLLED, **more}]


def test_specific_end_date_is_the_campaigns_end(sync, enrollment):
    sync(MONDAY, campaign=[SPECIFIC], enrollment=row())
    assert (enrollment().due_at, enrollment().due_source) == (END, DueSource.CAMPAIGN_END)
    assert enrollment().original_due_at == END


def test_relative_end_date_counts_from_enrollment(sync, enrollment):
    sync(MONDAY, campaign=[RELATIVE], enrollment=row("Past Due"))
    assert (enrollment().due_at, enrollment().due_source) == (ENROLLED + 14 * DAY, DueSource.RELATIVE)


def test_a_month_is_a_calendar_month_clipped_to_its_last_day(sync, enrollment):
    month = RELATIVE | {"relative_duration": "1 month", "relative_months": 1, "relative_days": 0}
    sync(MONDAY, campaign=[month], enrollment=row())
    assert enrollment().due_at == datetime(2026, 11, 30, 8, 0, tzinfo=UTC)


def test_no_end_date_has_no_deadline(sync, enrollment):
    sync(MONDAY, campaign=[OPEN_ENDED], enrollment=row("In Progress"))
    assert (enrollment().due_at, enrollment().due_source) == (None, DueSource.NONE)


def test_past_due_without_a_rule_is_observed_between_two_syncs(sync, enrollment):
    sync(MONDAY, campaign=[OPEN_ENDED], enrollment=row())
    sync(MONDAY + HOUR, campaign=[OPEN_ENDED], enrollment=row("Past Due"))
    sync(MONDAY + 2 * HOUR, campaign=[OPEN_ENDED], enrollment=row("Past Due"))
    found = enrollment()
    assert (found.due_at, found.due_source, found.due_after) == (MONDAY + HOUR, DueSource.OBSERVED, MONDAY)


def test_past_due_before_the_derived_date_is_observed(sync, enrollment):
    sync(MONDAY, campaign=[SPECIFIC], enrollment=row("Past Due"))
    found = enrollment()
    assert (found.due_at, found.due_source, found.original_due_at) == (MONDAY, DueSource.OBSERVED, END)


@pytest.mark.parametrize(
    ("late", "source"), [(48 * HOUR, "campaign_end"), (48 * HOUR + timedelta(seconds=1), "hidden_extension")]
)
def test_still_open_48_hours_after_the_date_means_a_hidden_extension(sync, enrollment, late, source):
    sync(END + late, campaign=[SPECIFIC], enrollment=row("In Progress"))
    found = enrollment()
    assert found.due_source == source
    assert found.due_at == (END if source == "campaign_end" else None)
    assert found.original_due_at == END


def test_hidden_extension_ends_when_knowbe4_says_past_due(sync, enrollment):
    sync(END + 3 * DAY, campaign=[SPECIFIC], enrollment=row())
    sync(END + 9 * DAY, campaign=[SPECIFIC], enrollment=row("Past Due"))
    found = enrollment()
    assert (found.due_at, found.due_source, found.due_after) == (END + 9 * DAY, DueSource.OBSERVED, END + 3 * DAY)


def test_done_under_a_hidden_extension_keeps_the_date_unknown(sync, enrollment):
    sync(END + 3 * DAY, campaign=[SPECIFIC], enrollment=row())
    sync(END + 4 * DAY, campaign=[SPECIFIC], enrollment=row("Passed", completed_at=END + 3 * DAY))
    assert (enrollment().due_at, enrollment().due_source) == (None, DueSource.HIDDEN_EXTENSION)


def test_a_moved_end_date_speaks_for_itself_again(sync, enrollment):
    sync(END + 3 * DAY, campaign=[SPECIFIC], enrollment=row())
    moved = END + 30 * DAY
    sync(END + 4 * DAY, campaign=[SPECIFIC | {"end_at": moved}], enrollment=row())
    found = enrollment()
    assert (found.due_at, found.due_source, found.original_due_at) == (moved, DueSource.CAMPAIGN_END, END)


@pytest.mark.parametrize("later", [2 * HOUR, 2 * DAY])
def test_finished_work_keeps_its_observed_date_whenever_a_sync_looks(sync, enrollment, later):
    tuesday = {"duration_type": "Specific End Date", "end_at": MONDAY + DAY}
    sync(MONDAY, campaign=[tuesday], enrollment=row("Past Due"))
    sync(MONDAY + later, campaign=[tuesday], enrollment=row("Passed", completed_at=MONDAY + HOUR))
    assert (enrollment().due_at, enrollment().due_source) == (MONDAY, DueSource.OBSERVED)


def test_an_observed_date_is_dropped_when_the_work_is_open_again(sync, enrollment):
    sync(MONDAY, campaign=[OPEN_ENDED], enrollment=row("Past Due"))
    sync(MONDAY + DAY, campaign=[OPEN_ENDED], enrollment=row("In Progress"))
    assert (enrollment().due_at, enrollment().due_source) == (None, DueSource.HIDDEN_EXTENSION)


def test_an_imported_extension_wins(sync, enrollment):
    sync(MONDAY, campaign=[SPECIFIC], enrollment=row())
    found = enrollment()
    found.extended_due_at = END + 14 * DAY
    found.save()
    sync(MONDAY + HOUR, campaign=[SPECIFIC], enrollment=row())
    assert (enrollment().due_at, enrollment().due_source) == (END + 14 * DAY, DueSource.EXTENSION)


def test_every_moved_date_is_history(sync, enrollment):
    sync(MONDAY, campaign=[SPECIFIC], enrollment=row())
    sync(MONDAY + HOUR, campaign=[SPECIFIC | {"end_at": END + DAY}], enrollment=row())
    change = Change.objects.get(subject=Change.Subject.ENROLLMENT, field="due_at")
    assert (change.old, change.new) == ("2026-11-30 23:00:00+00", "2026-12-01 23:00:00+00")
    assert change.observed_at == MONDAY + HOUR


def test_done_without_a_date_is_completed_when_first_seen(sync, enrollment):
    sync(MONDAY, campaign=[SPECIFIC], enrollment=row())
    sync(MONDAY + HOUR, campaign=[SPECIFIC], enrollment=row("Completed"))
    sync(MONDAY + 2 * HOUR, campaign=[SPECIFIC], enrollment=row("Completed"))
    assert (enrollment().completed_at, enrollment().is_completion_observed) == (MONDAY + HOUR, True)


@pytest.mark.parametrize(
    "cannot_be", [MONDAY + HOUR + timedelta(minutes=10), MONDAY + 20 * DAY, datetime(1970, 1, 1, tzinfo=UTC)]
)
def test_done_is_done_whatever_its_date(sync, enrollment, cannot_be):
    sync(MONDAY, campaign=[SPECIFIC], enrollment=row())
    done = row("Passed", completed_at=cannot_be)
    sync(MONDAY + HOUR, campaign=[SPECIFIC], enrollment=done)
    assert (enrollment().completed_at, enrollment().is_completion_observed) == (MONDAY + HOUR, True)
    # Once that day has come it is still later than the sync that saw it done.
    sync(MONDAY + 30 * DAY, campaign=[SPECIFIC], enrollment=done)
    assert (enrollment().completed_at, enrollment().is_completion_observed) == (MONDAY + HOUR, True)


def test_a_first_real_date_corrects_the_one_a_sync_stood_for(sync, enrollment):
    sync(MONDAY, campaign=[SPECIFIC], enrollment=row("Passed"))
    sync(MONDAY + HOUR, campaign=[SPECIFIC], enrollment=row("Passed", completed_at=ENROLLED + DAY))
    assert (enrollment().completed_at, enrollment().is_completion_observed) == (ENROLLED + DAY, False)


def test_a_date_that_an_earlier_version_took_from_the_future_is_taken_back(sync, enrollment):
    sync(MONDAY, campaign=[SPECIFIC], enrollment=row("Passed"))
    found = enrollment()
    found.completed_at, found.is_completion_observed = MONDAY + 20 * DAY, False
    found.save()
    sync(MONDAY + HOUR, campaign=[SPECIFIC], enrollment=row("Passed", completed_at=MONDAY + 20 * DAY))
    assert (enrollment().completed_at, enrollment().is_completion_observed) == (MONDAY + HOUR, True)


@pytest.mark.parametrize("cannot_be", [MONDAY + 9 * DAY, datetime(1970, 1, 1, tzinfo=UTC)])
def test_a_start_that_cannot_be_is_none(sync, enrollment, cannot_be):
    sync(MONDAY, campaign=[SPECIFIC], enrollment=row("In Progress", started_at=cannot_be))
    assert enrollment().started_at is None
    sync(MONDAY + HOUR, campaign=[SPECIFIC], enrollment=row("In Progress", started_at=cannot_be, time_spent=30))
    assert enrollment().started_at == MONDAY + HOUR


def test_time_spent_without_a_start_date_counts_as_started(sync, enrollment):
    sync(MONDAY, campaign=[SPECIFIC], enrollment=row(time_spent=30))
    assert enrollment().started_at == MONDAY


def test_a_reset_wipes_the_completion(sync, enrollment):
    done = row("Passed", started_at=ENROLLED + DAY, completed_at=ENROLLED + 2 * DAY)
    sync(MONDAY, campaign=[SPECIFIC], enrollment=done)
    sync(MONDAY + HOUR, campaign=[SPECIFIC], enrollment=row())
    assert (enrollment().started_at, enrollment().completed_at) == (None, None)
    fields = set(Change.objects.filter(subject=Change.Subject.ENROLLMENT).values_list("field", flat=True))
    assert fields == {"reported_status", "started_at", "completed_at"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2 weeks", (0, 14)),
        ("10 days", (0, 10)),
        ("1 day", (0, 1)),
        ("1 month", (1, 0)),
        ("1 Year", (12, 0)),
        ("10 years", (120, 0)),
        ("9999 years", (None, None)),
        ("soon", (None, None)),
        ("", (None, None)),
        (None, (None, None)),
    ],
)
def test_parse_duration(text, expected):
    assert parse_duration(text) == expected
