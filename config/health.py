"""Health checks of the containers: `python -m config.health web` and `python -m config.health beat`."""

import http.client
import os
import sys
import time
from pathlib import Path

from config import embedded
from config.processes import BEAT, DEFAULT_PORT

# Beat writes its schedule every three minutes.
_BEAT_PATIENCE = 600


def web_answers(port: int = DEFAULT_PORT, host: str = "127.0.0.1") -> bool:
    """Return whether the web server on this machine answers without a server error.

    `host` is the name it is asked by: one of ALLOWED_HOSTS, or it refuses (which still counts as an answer).
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/", headers={"Host": host})
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def beat_lives(now: float | None = None) -> bool:
    """Return whether beat wrote its schedule lately. The file's ending depends on the system's database library."""
    now = time.time() if now is None else now
    schedule = embedded.VAR_DIR / Path(BEAT.command[-1]).name
    written = [file.stat().st_mtime for file in schedule.parent.glob(f"{schedule.name}*")]
    return bool(written) and now - max(written) < _BEAT_PATIENCE


def main(arguments: list[str]) -> int:
    """Check the process named by the argument; return 0 when it is well, 1 when not, 2 for an unknown name."""
    if arguments == ["web"]:
        host = os.environ.get("ALLOWED_HOSTS", "127.0.0.1").split(",")[0].strip()
        return 0 if web_answers(host=host) else 1
    if arguments == ["beat"]:
        return 0 if beat_lives() else 1
    sys.stderr.write("usage: python -m config.health web|beat\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
