"""Progress of a sync, from what it writes down."""

from datetime import datetime, timedelta

import pytest

from dashboard.queries.sync_status import Progress
from sync.models import SyncRun


def progress(now: datetime, seconds: int = 60, **fields: object) -> Progress:
    started_at = now - timedelta(seconds=seconds)
    return Progress(SyncRun(state="running", phase="fetch", started_at=started_at, heartbeat_at=now, **fields), now)


def reading(rows: int, expected: int | None, state: str = "reading") -> dict[str, object]:
    return {"title": "List", "rows": rows, "rejected": 0, "requests": 1, "expected": expected, "state": state}


def test_a_first_sync_cannot_tell_how_far_it_is(now: datetime) -> None:
    found = progress(now, resources={"a": reading(500, None)})
    assert (found.share, found.percent, found.remaining) == (None, None, None)


def test_the_share_is_that_of_rows(now: datetime) -> None:
    found = progress(now, resources={"a": reading(100, 90, "done"), "b": reading(100, 300)})
    assert found.percent == 46
    assert found.remaining == timedelta(seconds=60)


def test_more_rows_than_expected_do_not_pass_the_end_of_reading(now: datetime) -> None:
    assert progress(now, resources={"a": reading(900, 300)}).percent == 92


@pytest.mark.parametrize(("phase", "percent"), [("check", 92), ("publish", 95), ("done", 100)])
def test_later_phases_have_their_own_share(now: datetime, phase: str, percent: int) -> None:
    found = progress(now)
    found.run.phase = phase
    assert found.percent == percent
    assert found.remaining is None


def test_steps_keep_the_order_they_were_read_in(now: datetime) -> None:
    resources = {
        "a": {**reading(0, 1, "waiting"), "title": "Third", "position": 2},
        "bb": {**reading(1, 1, "done"), "title": "First", "position": 0},
        "c": {**reading(0, 1), "title": "Second", "position": 1},
    }
    assert [step.title for step in progress(now, resources=resources).steps] == ["First", "Second", "Third"]


def test_changes_are_known_only_of_a_published_run(now: datetime) -> None:
    counts = {"person": {"inserted": 1, "changed": 2, "vanished": 3, "restored": 4}, "group": {"inserted": 5}}
    found = progress(now, counts=counts)
    assert found.changes is None
    found.run.published_at = now
    assert found.changes == 15
