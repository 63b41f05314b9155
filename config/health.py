"""Health checks of the containers: `python -m config.health web`, `ready` and `beat`."""

import http.client
import json
import sys
import time
from http import HTTPStatus
from pathlib import Path

from config.local import embedded
from config.processes import BEAT, DEFAULT_PORT

# Beat writes its schedule every three minutes.
_BEAT_PATIENCE = 600


def web_answers(port: int = DEFAULT_PORT) -> bool:
    """Return whether the web server on this machine answers, whatever else may be missing (/health/live)."""
    return _ask("/health/live", port)[0] == HTTPStatus.OK


def missing(port: int = DEFAULT_PORT) -> dict[str, str] | None:
    """Return what this installation lacks, by name, with a sentence each (/health/ready); None without an answer."""
    status, answer = _ask("/health/ready", port)
    if status not in {HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE}:
        return None
    found: dict[str, str] = json.loads(answer)["missing"]
    return found


def _ask(address: str, port: int) -> tuple[int, bytes]:
    """Return the web server's status and answer; 0 and nothing where there is none."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=8)
    try:
        connection.request("GET", address)
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
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
        return 0 if web_answers() else 1
    if arguments == ["ready"]:
        found = missing()
        for sentence in ["The web server does not answer."] if found is None else found.values():
            sys.stderr.write(f"{sentence}\n")
        return 0 if found == {} else 1
    if arguments == ["beat"]:
        return 0 if beat_lives() else 1
    sys.stderr.write("usage: python -m config.health web|ready|beat\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
