"""Long-lived processes and their commands, for `bin/run` and for the containers alike.

`python -m config.processes web` becomes one of them, for a service manager such as systemd.
"""

import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass

DEFAULT_PORT = 8000
SIMULATOR_PORT = 8900
SIMULATOR_KEY = "simulator-key"
WORKER_CONCURRENCY = 2
WEB_WORKERS, WEB_THREADS = 2, 8
# How many seconds a download under way has when the web server is told to stop.
DOWNLOAD_PATIENCE = 30


def port(environment: Mapping[str, str]) -> int:
    """Return the port of the pages: PORT, or 8000. ValueError with a sentence for what is no port."""
    text = environment.get("PORT") or str(DEFAULT_PORT)
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise ValueError(f"PORT is {text!r}: it must be a number from 1 to 65535.")
    return int(text)


@dataclass(frozen=True)
class Process:
    """One process of the installation."""

    name: str
    command: tuple[str, ...]
    # What ends it politely, and how many seconds that may take before it is ended otherwise.
    stop: signal.Signals = signal.SIGTERM
    patience: float = 3.0
    # What ends it next: Celery's worker leaves its tasks to the next start instead of finishing them.
    hurry: signal.Signals = signal.SIGKILL


def web(*addresses: str) -> Process:
    """Return the web server, listening on each of `addresses` (host:port)."""
    return Process(
        "web",
        (
            *("gunicorn", "config.wsgi", *(part for address in addresses for part in ("--bind", address))),
            *("--worker-class", "config.web_worker.Worker", "--limit-request-line", "65536"),
            *("--workers", str(WEB_WORKERS), "--threads", str(WEB_THREADS)),
            *("--graceful-timeout", str(DOWNLOAD_PATIENCE), "--no-control-socket"),
        ),
        patience=DOWNLOAD_PATIENCE + 2.0,
    )


WEB = web(f"127.0.0.1:{DEFAULT_PORT}")

WORKER = Process(
    "worker",
    (
        *("celery", "-A", "config", "--quiet", "worker", "--pool", "prefork", "--concurrency", str(WORKER_CONCURRENCY)),
        *("--loglevel", "INFO", "--without-gossip", "--without-mingle"),
    ),
    hurry=signal.SIGQUIT,
)


def beat(schedule: str) -> Process:
    """Return Celery's clock, which keeps what it last sent in the file `schedule`."""
    return Process("beat", ("celery", "-A", "config", "--quiet", "beat", "--loglevel", "INFO", "--schedule", schedule))


BEAT = beat("var/beat-schedule")

# Run to their end, in this order, before the others start.
MIGRATE = ("python", "manage.py", "migrate", "--noinput")
PREPARE = ("python", "manage.py", "prepare")


def simulator(port: int) -> Process:
    """Return the simulated KnowBe4, in no hurry about limits; port 0 takes a free one."""
    return Process("simulator", ("python", "manage.py", "simulator", "--port", str(port), "--no-limits"))


def named(name: str, environment: Mapping[str, str]) -> Process:
    """Return the process of that name, web on PORT of this machine; ValueError with a sentence for any other name."""
    known = {one.name: one for one in (web(f"127.0.0.1:{port(environment)}"), WORKER, BEAT)}
    if name not in known:
        raise ValueError(f"There is no process {name!r}: name one of {', '.join(known)}.")
    return known[name]


if __name__ == "__main__":
    try:
        command = named(" ".join(sys.argv[1:]), os.environ).command
    except ValueError as error:
        sys.exit(str(error))
    os.execvp(command[0], command)  # noqa: S606 - one of the commands above
