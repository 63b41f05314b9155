"""Limits end the process that draws where it takes too long or too much memory, and nothing else."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from dashboard.reports import rendering, typesetting
from dashboard.reports.rendering import can_draw
from dashboard.reports.typesetting import LimitError, TypesettingError, compiled
from tests.dashboard.reports.test_pages import GOOD, chained

FINE = b"#text[Fine]"
ENDLESS = b"#for i in range(1000000) { let found = range(10000).map(n => calc.sqrt(n)).len() }"
HUGE = b'#let grown(n) = { let found = "0123456789" * 100000000; (found,) * n }\n#grown(20).map(it => it + "x").len()'


def fine() -> bool:
    return compiled(source=FINE, format="pdf").startswith(b"%PDF")


def test_what_takes_too_long_is_ended_and_the_next_is_drawn() -> None:
    assert fine()
    begun = time.perf_counter()
    with pytest.raises(LimitError, match="takes too long, or too much memory"):
        compiled(seconds=1, source=ENDLESS, format="pdf")
    assert time.perf_counter() - begun < 10
    assert fine()


def test_what_takes_too_much_memory_is_ended_and_the_next_is_drawn() -> None:
    with pytest.raises(LimitError, match="takes too long, or too much memory"):
        compiled(source=HUGE, format="pdf")
    assert fine()


def test_a_drawing_that_doubles_with_each_level_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "DRAWING", 1)
    assert can_draw(GOOD)
    begun = time.perf_counter()
    assert not can_draw(chained(30))
    assert time.perf_counter() - begun < 20
    assert can_draw(GOOD)


def test_a_process_that_is_killed_is_started_again() -> None:
    assert fine()
    process = typesetting._child._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)
    assert fine()


def test_what_typst_refuses_is_told_and_ends_nothing() -> None:
    assert fine()
    before = typesetting._child._process
    with pytest.raises(TypesettingError, match="unknown variable"):
        compiled(source=b"#nobody", format="pdf")
    assert typesetting._child._process is before


def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typesetting, "QUEUE", 0.1)
    assert fine()
    with ThreadPoolExecutor(1) as other:
        busy = other.submit(compiled, seconds=2, source=ENDLESS, format="pdf")
        while not typesetting._alone.locked():
            assert not busy.done()
        with pytest.raises(LimitError, match="try again in a minute"):
            fine()
        assert isinstance(busy.exception(), LimitError)
    assert fine()
