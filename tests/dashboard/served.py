"""The site behind the real gunicorn, started by the command of `bin/run` on the database of the tests."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.db import connection

from config import processes
from config.health import web_answers


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(log: Path, **environment: str) -> Iterator[str]:
    """Run the pages in processes of their own; yield their address. They see what tests commit."""
    database = connection.settings_dict
    place = quote(str(database["HOST"] or database["OPTIONS"]["host"]), safe="")
    port = free_port()
    program, *arguments = processes.web(f"127.0.0.1:{port}").command
    with log.open("w") as lines:
        web = subprocess.Popen(
            [sys.executable, "-m", "tests.clock", Path(sys.executable).parent / program, *arguments, "--workers", "1"],
            cwd=settings.BASE_DIR,
            env={
                **os.environ,
                "DATABASE_URL": f"postgresql://{database['USER']}@/{database['NAME']}?host={place}",
                "REDIS_URL": settings.REDIS_URL,
                "SECRET_KEY": settings.SECRET_KEY,
                "DJANGO_SETTINGS_MODULE": "tests.dashboard.served_settings",
                "ALLOWED_HOSTS": "127.0.0.1",
                "PUBLIC_URL": f"http://127.0.0.1:{port}",
                **environment,
            },
            stdout=lines,
            stderr=subprocess.STDOUT,
        )
    try:
        until = time.monotonic() + 60
        while not web_answers(port):
            assert web.poll() is None and time.monotonic() < until, log.read_text()
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        web.terminate()
        web.wait(timeout=30)
