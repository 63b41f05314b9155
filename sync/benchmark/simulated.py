"""A simulated KnowBe4 in a process of its own, and an account connected to it."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from django.conf import settings

from sync.models import Account

KEY = "simulator-key"


@contextmanager
def simulated_account(*, people: int, enrollments: int | None = None, **limits: int | None) -> Iterator[Account]:
    """Serve a company whose clock stands still and yield an account that reads it; `limits` are requests per window.

    On a machine of several processors the simulator gets the first one to itself as far as it can be asked for.
    """
    command = [
        *(sys.executable, "manage.py", "simulator", "--port", "0", "--no-limits", "--people", str(people)),
        *("--at", datetime.now(UTC).replace(microsecond=0).isoformat(), "--key", KEY),
        *(("--enrollments", str(enrollments)) if enrollments else ()),
    ]
    server = subprocess.Popen(command, cwd=settings.BASE_DIR, stdout=subprocess.PIPE, text=True)
    try:
        if len(os.sched_getaffinity(0)) > 1:
            os.sched_setaffinity(server.pid, {min(os.sched_getaffinity(0))})
        url = re.search(r"http://\S+", server.stdout.readline() if server.stdout else "")
        if url is None:
            raise RuntimeError("The simulator did not start; its complaint is above.")
        account = Account(
            name=f"Benchmark of {people}",
            base_url=url[0],
            requests_per_second=limits.get("per_second"),
            requests_per_minute=limits.get("per_minute"),
            requests_per_day=limits.get("per_day"),
        )
        account.api_key = KEY
        account.save()
        yield account
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(10)
        if server.stdout:
            server.stdout.close()
