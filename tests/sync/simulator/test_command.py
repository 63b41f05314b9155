"""`manage.py simulator`, run as a command."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from sync.simulator import DISGUISES

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]


def command(*arguments):
    return [sys.executable, str(ROOT / "manage.py"), "simulator", *arguments]


def test_it_announces_itself_serves_and_stops_on_request():
    arguments = (
        "--port",
        "0",
        "--people",
        "40",
        "--at",
        "2026-11-23",
        "--no-limits",
        "--key",
        "k",
        "--fault",
        "int33:resource=users",
    )
    with subprocess.Popen(command(*arguments), cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline().strip()
            assert line.startswith("KnowBe4 simulator: http://127.0.0.1:")
            url = line.removeprefix("KnowBe4 simulator: ")
            users = requests.get(f"{url}/v1/users", headers={"Authorization": "Bearer k"}, timeout=5).json()
            assert users[0]["id"] > 1 << 33
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--port", "BUSY"), "is in use"),
        (("--port", "0", "--fault", "nonsense"), "There is no fault 'nonsense'"),
        (("--port", "0", "--disguise", "nonsense"), "There is no disguise 'nonsense'"),
    ],
)
def test_trouble_is_one_sentence(arguments, words):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        given = [port if argument == "BUSY" else argument for argument in arguments]
        done = subprocess.run(command(*given, "--people", "40"), cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""


def test_the_help_lists_every_disguise_once():
    done = subprocess.run(command("--help"), cwd=ROOT, capture_output=True, text=True, timeout=60)
    listed = done.stdout.partition("disguises:\n")[2].splitlines()
    assert [line.split(maxsplit=1) for line in listed] == [
        [name, disguise.text] for name, disguise in DISGUISES.items()
    ]
