"""No test knows today's date: the clock stands where the test stands, and ruff refuses whoever reads another."""

import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from config.local.embedded import BASE_DIR
from tests.clock import MOMENT

SAMPLE = """import datetime as dt
import time
from datetime import UTC, date, datetime

from django.utils import timezone

import_time = {reading}
"""


@pytest.fixture(scope="module")
def made_once() -> datetime:
    """Return the moment at which a fixture for many tests is made."""
    return timezone.now()  # noqa: TID251 - what is tested


@pytest.mark.parametrize("time_again", [1, 2])
def test_python_stands_at_the_moment(now: datetime, made_once: datetime, time_again: int) -> None:
    soon = timedelta(minutes=1)
    assert now == MOMENT
    for shown in (datetime.now(UTC), timezone.now(), datetime.fromtimestamp(time.time(), UTC), made_once):  # noqa: TID251
        assert MOMENT <= shown < MOMENT + soon
    assert date.today() == timezone.localdate() == MOMENT.date()  # noqa: DTZ011, TID251


def test_a_program_stands_at_the_moment_too(tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text("import datetime, sys; print(datetime.datetime.now(datetime.UTC).isoformat(), *sys.argv)")
    command = [sys.executable, "-m", "tests.clock", script, "A", "B"]
    done = subprocess.run(command, cwd=BASE_DIR, capture_output=True, text=True, check=True)
    said, *arguments = done.stdout.split()
    assert arguments == [str(script), "A", "B"]
    assert timedelta() <= datetime.fromisoformat(said) - MOMENT < timedelta(minutes=1)


@pytest.mark.parametrize(
    "reading",
    [
        "timezone.now()", "timezone.now", "timezone.localdate()", "timezone.localtime()", "datetime.now(UTC)",
        "dt.datetime.now(tz=UTC)", "datetime.utcnow()", "datetime.today()", "date.today()", "dt.date.today()",
        "time.time()", "time.time_ns()", "time.localtime()", "time.gmtime()",
    ],
)  # fmt: skip
def test_reading_the_clock_is_refused(reading: str) -> None:
    assert refused(SAMPLE.format(reading=reading)) == {7}


def test_what_is_no_reading_is_let_through() -> None:
    reading = "time.monotonic(), datetime(2026, 11, 23, tzinfo=UTC), date(2026, 11, 23)"
    assert refused(SAMPLE.format(reading=reading)) == set()


def test_nobody_is_let_off() -> None:
    excused = {path.name for path in (BASE_DIR / "tests").rglob("*.py") if "TID251" in path.read_text()}
    assert excused == {"lanes.py", "test_clock.py"}


def refused(text: str) -> set[int]:
    """Return the lines of a test that ruff refuses for reading the clock."""
    command = ["ruff", "check", "--output-format", "concise", "--stdin-filename", "tests/x.py", "-"]
    done = subprocess.run(command, cwd=BASE_DIR, input=text, capture_output=True, text=True, check=False)
    return {int(line.split(":")[1]) for line in done.stdout.splitlines() if " TID251 " in line}
