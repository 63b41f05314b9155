"""Lists that lie about their length: noticed, held, and read whole the next time."""

from datetime import timedelta

import pytest

from sync.models import Enrollment
from tests.sync.faults.mirror import assert_truth, dump, is_empty

pytestmark = pytest.mark.slow
FALLEN = {
    "empty-list:resource=enrollments": "Enrollments fell from",
    "empty-list:resource=users": "People fell from",
    "empty-list:resource=campaigns": "Campaigns fell from",
    "empty-list": "fell from",
    "shrink:resource=enrollments": "Enrollments fell from",
    "early-end:resource=enrollments": "Enrollments fell from",
}


@pytest.mark.parametrize(("text", "why"), FALLEN.items(), ids=list(FALLEN))
def test_a_list_that_shrank_holds_the_run(run, run_during, simulator, connected, company, now, text, why):
    run()
    simulator.clock.set(now + timedelta(days=1))
    before = dump(connected)
    held = run_during(text, full=False)
    assert held.state == "held"
    assert why in held.message
    assert dump(connected) == before
    done = run(full=False)
    assert (done.state, done.pk == held.pk) == ("published", False)
    assert_truth(connected, company, simulator.clock.now())


BROKEN_OFF = {
    "early-end:resource=enrollments": "The list of enrollments has none of",
    "empty-list:resource=enrollments": "The list of enrollments has none of",
    "empty-list:resource=users": "The list of people lacks 58 of 58 who have enrollments",
    "empty-list:resource=campaigns": "The list of campaigns lacks",
}


@pytest.mark.parametrize(("text", "why"), BROKEN_OFF.items(), ids=list(BROKEN_OFF))
def test_a_list_that_breaks_off_in_the_first_sync_holds_it_too(run, run_during, connected, company, now, text, why):
    held = run_during(text)
    assert held.state == "held"
    assert why in held.message
    assert is_empty(connected)
    assert run().state == "published"
    assert_truth(connected, company, now, first=True)


def test_rows_that_move_while_they_are_read_are_not_taken_for_vanished(
    run, run_during, simulator, connected, company, now
):
    run()
    before = set(Enrollment.objects.filter(removed_at=None).values_list("knowbe4_id", flat=True))
    assert run_during("rows-moving").state == "published"
    assert set(Enrollment.objects.filter(removed_at=None).values_list("knowbe4_id", flat=True)) == before
    assert run().state == "published"
    assert_truth(connected, company, now)


def test_rows_that_move_in_the_first_sync_are_all_found(run_during, connected, company, now):
    assert run_during("rows-moving:resource=enrollments").state == "published"
    assert_truth(connected, company, now, first=True)


def test_a_campaign_deleted_between_list_and_detail(run, run_during, simulator, connected, company, now):
    run()
    assert run_during("campaign-gone").state == "published"
    simulator.clock.set(now + timedelta(hours=1))
    assert run().state == "published"
    assert_truth(connected, company, simulator.clock.now())


def test_a_campaign_that_cannot_be_read_alone_takes_nothing_with_it(
    run, run_during, simulator, connected, company, now, monkeypatch
):
    # Pages so small that campaigns one by one cost less than the whole list.
    monkeypatch.setattr("sync.pipeline.plan.PAGE", 5)
    run()
    before = set(Enrollment.objects.filter(removed_at=None).values_list("knowbe4_id", flat=True))
    done = run_during("not-found-midway:resource=enrollments,after=1,times=1", full=False)
    assert done.plan["campaign_ids"]
    assert (done.state, done.kind) == ("published", "quick")
    assert set(Enrollment.objects.filter(removed_at=None).values_list("knowbe4_id", flat=True)) == before
    simulator.clock.set(now + timedelta(hours=1))
    assert run().state == "published"
    assert_truth(connected, company, simulator.clock.now())
