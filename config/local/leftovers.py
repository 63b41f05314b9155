"""Servers that outlived the process that started them: a killed parent takes them along on Linux only."""

from collections.abc import Collection
from pathlib import Path

import psutil


def find_servers(data: Path, *, names: Collection[str]) -> list[psutil.Process]:
    """Return the processes of those names at work in `data`; Postgres, Redis and Valkey make it their directory.

    Neither the title of a process (Redis and Valkey write their own) nor a file with a number (it can be a stranger's
    by now) tells as much. What else runs in the directory, a shell for one, is not meant.
    """
    found = []
    for process in psutil.process_iter(["name", "cwd", "status"]):
        seen = process.info
        if seen["name"] in names and seen["cwd"] == str(data) and seen["status"] != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found
