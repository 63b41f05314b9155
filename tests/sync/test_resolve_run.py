"""Held runs: published after all, or discarded, by somebody and for a reason."""

import pytest

from dashboard.models import User
from sync.models import Enrollment, SyncRun
from sync.pipeline.resolve_run import NotHeldError, NotWholeError, resolve_held
from sync.simulator.faults import Fault

pytestmark = pytest.mark.slow


@pytest.fixture
def held(run, simulator):
    """Return a run that is held because enrollments shrank, with the fault gone again."""
    run()
    simulator.faults.append(Fault.parse("shrink:resource=enrollments,rows=3"))
    held = run()
    simulator.faults.clear()
    assert held.state == "held"
    return held


@pytest.fixture
def maren(db):
    return User.objects.create_user("maren@brackwater.example", "a long enough phrase")


def test_publishing_it_shows_it_with_its_reason(held, simulator, maren):
    done = resolve_held(held.pk, publish=True, reason=" We removed them. ", user_id=maren.pk, now=simulator.clock.now)
    assert (done.state, done.resolution, done.resolved_by) == ("published", "We removed them.", maren)
    assert "Enrollments fell from" in done.message
    assert Enrollment.objects.filter(removed_at=None).count() == 3


def test_discarding_it_leaves_the_pages_alone(held, run, maren):
    before = Enrollment.objects.filter(removed_at=None).count()
    done = resolve_held(held.pk, publish=False, reason="A fault there.", user_id=maren.pk)
    assert (done.state, done.resolved_by) == ("discarded", maren)
    assert Enrollment.objects.filter(removed_at=None).count() == before
    assert run().state == "published"


@pytest.mark.parametrize("publish", [True, False])
def test_a_reason_is_needed(held, publish):
    with pytest.raises(ValueError, match="reason"):
        resolve_held(held.pk, publish=publish, reason="  ", user_id=None)
    assert SyncRun.objects.get(pk=held.pk).state == "held"


def test_the_next_sync_replaces_it(held, run):
    assert run().state == "published"
    replaced = SyncRun.objects.get(pk=held.pk)
    assert (replaced.state, replaced.resolved_by) == ("discarded", None)
    assert "later sync" in replaced.resolution
    with pytest.raises(NotHeldError, match="discarded"):
        resolve_held(held.pk, publish=True, reason="Late.", user_id=None)


def test_half_a_list_cannot_be_published(run, simulator):
    run()
    simulator.faults.append(Fault.parse("repeated-cursor:resource=enrollments"))
    held = run()
    assert held.state == "held"
    with pytest.raises(NotWholeError, match="not read to its end"):
        resolve_held(held.pk, publish=True, reason="Go on.", user_id=None)
    assert SyncRun.objects.get(pk=held.pk).state == "held"
