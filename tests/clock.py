"""The moment at which every test stands, in this process and in the programs it starts.

    python -m tests.clock PROGRAM [ARGUMENT ...]

runs a Python program at that moment: another process has a clock of its own.
"""

import runpy
import sys
from datetime import UTC, datetime

import time_machine

# A Monday morning. A test that needs another moment goes there with `time_machine.travel`.
MOMENT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def stand() -> time_machine.travel:
    """Return a context in which Python's clock shows `MOMENT` at its first reading, and goes on from there.

    Postgres, browsers and processes that are started keep their own clocks; so does `time.monotonic`.
    """
    return time_machine.travel(MOMENT)


if __name__ == "__main__":
    sys.argv.pop(0)
    with stand():
        runpy.run_path(sys.argv[0], run_name="__main__")
