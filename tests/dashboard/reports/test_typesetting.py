"""Limits end the process that draws where it takes too long or too much memory, and nothing else."""

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from config.web_worker import Worker
from dashboard.reports import RenderingError, rendering, typesetting
from dashboard.reports.rendering import draw_logo
from dashboard.reports.typesetting import LimitError, TypesettingError, compiled, turn
from tests.dashboard.reports.test_pages import GOOD, chained

FINE = b"#text[Fine]"
ENDLESS = b"#for i in range(1000000) { let found = range(10000).map(n => calc.sqrt(n)).len() }"
HUGE = b'#("0123456789" * 1000000000).len()'
# Typst 0.15.2 stumbles over its own arithmetic when it draws this as pixels.
STUMBLING = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100"><path fill="none" stroke="red" '
    'stroke-miterlimit="1e30" stroke-width="1e20" d="M0 0L1 0L0 0.00001"/></svg>'
)


def fine() -> bool:
    return compiled(source=FINE, format="pdf").startswith(b"%PDF")


def drawing() -> int:
    """Return the number of the process that draws."""
    process = typesetting._typst.process
    assert process is not None
    return process.pid


def test_what_takes_too_long_is_ended_and_the_next_is_drawn() -> None:
    assert fine()
    begun = time.perf_counter()
    with pytest.raises(LimitError, match="takes too long"), turn(1):
        compiled(source=ENDLESS, format="pdf")
    assert time.perf_counter() - begun < 10
    assert fine()


def test_all_of_a_turn_has_its_time_together() -> None:
    with pytest.raises(LimitError, match="takes too long"), turn(0.5):
        while True:
            assert fine()


def test_the_turns_of_a_request_end_before_its_process_is_replaced() -> None:
    assert typesetting.QUEUE + typesetting.START + typesetting.REPORT < Worker.DEADLINE


def test_what_takes_too_much_memory_is_ended_and_the_next_is_drawn() -> None:
    with pytest.raises(LimitError, match="too much memory"):
        compiled(source=HUGE, format="pdf")
    assert fine()


@pytest.mark.parametrize("levels", [14, 22, 30])
def test_a_drawing_that_doubles_with_each_level_is_given_up(monkeypatch: pytest.MonkeyPatch, levels: int) -> None:
    monkeypatch.setattr(rendering, "DRAWING", 0.3)
    draw_logo(GOOD)
    begun = time.perf_counter()
    with pytest.raises(RenderingError, match=r"The logo cannot be drawn\. It takes too long to be drawn\."):
        draw_logo(chained(levels))
    assert time.perf_counter() - begun < 10
    draw_logo(GOOD)


def test_a_logo_that_ends_the_process_is_refused() -> None:
    with pytest.raises(RenderingError, match="The process that draws it has ended"):
        draw_logo(STUMBLING)
    draw_logo(GOOD)


def test_a_process_that_is_killed_between_two_reports_is_started_again() -> None:
    assert fine()
    before = drawing()
    os.kill(before, signal.SIGKILL)
    os.waitid(os.P_PID, before, os.WEXITED | os.WNOWAIT)
    assert fine()
    assert drawing() != before


def test_a_process_that_is_killed_in_the_middle_says_so() -> None:
    assert fine()
    before = drawing()
    threading.Timer(0.3, os.kill, [before, signal.SIGKILL]).start()
    with pytest.raises(LimitError, match="The process that draws it has ended"):
        compiled(source=ENDLESS, format="pdf")
    assert fine()


def test_what_typst_refuses_is_told_and_ends_nothing() -> None:
    assert fine()
    before = drawing()
    with pytest.raises(TypesettingError, match="unknown variable"):
        compiled(source=b"#nobody", format="pdf")
    assert drawing() == before


def test_the_process_has_limits() -> None:
    assert fine()
    limits = Path(f"/proc/{drawing()}/limits")
    if not limits.exists():
        pytest.skip("only Linux shows a process's limits")
    found = dict(line.rsplit(maxsplit=3)[:2] for line in limits.read_text().splitlines()[1:] if "bytes" in line)
    assert found["Max address space"] == str(typesetting.MEMORY)
    assert found["Max file size"] == "0"
    assert found["Max core file size"] == "0"


def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typesetting, "QUEUE", 0.1)
    assert fine()
    is_begun = threading.Event()

    def endless() -> None:
        with turn(2):
            is_begun.set()
            compiled(source=ENDLESS, format="pdf")

    with ThreadPoolExecutor(1) as other:
        busy = other.submit(endless)
        assert is_begun.wait(10)
        with pytest.raises(LimitError, match="try again in a minute"):
            fine()
        with pytest.raises(RenderingError, match=r"The logo cannot be drawn\. Other reports are being set: try again"):
            draw_logo(GOOD)
        assert isinstance(busy.exception(), LimitError)
    assert fine()


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_leaves_its_parents_alone() -> None:
    with turn():
        before = drawing()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                status = 0 if fine() and drawing() != before else 1
                typesetting.end()
            finally:
                os._exit(status)
        assert os.waitpid(child, 0)[1] == 0
        assert fine()
        assert drawing() == before
