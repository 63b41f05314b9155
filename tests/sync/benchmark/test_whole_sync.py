"""A timed sync tells its phases, and what the listeners of publish add to it."""

import time
from typing import Any

import pytest

from sync.benchmark.whole_sync import Timed, _bare_copy
from sync.models import SyncRun
from sync.signals import published


@pytest.fixture
def slow_listener() -> Any:
    """Hold every publish up for 0.2 seconds."""

    def listen(**named: Any) -> None:
        time.sleep(0.2)

    published.connect(listen)
    yield listen
    published.disconnect(listen)


def test_timed_sync_tells_listeners_apart(connected, slow_listener):
    send = published.send

    timed = Timed(connected)

    assert timed.run.state == SyncRun.State.PUBLISHED
    assert 0.2 <= timed.listeners < timed.publish
    assert timed.merging == pytest.approx(timed.publish - timed.listeners)
    assert timed.upkeep == pytest.approx(timed.listeners / timed.merging)
    assert timed.fetch + timed.check + timed.publish == pytest.approx(timed.total)
    assert published.send == send


def test_bare_copy_takes_every_table_of_the_mirror(connected):
    Timed(connected)

    assert _bare_copy() > 0
