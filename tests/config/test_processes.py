"""`python -m config.processes`, which a service manager starts."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from config import processes
from config.local import embedded

UNIT = embedded.BASE_DIR / "docs/operate/rollcall@.service"


def _become(name: str, programs: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "config.processes", name],
        cwd=embedded.BASE_DIR,
        env={"PATH": f"{programs}:/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Programs of the right names, which say how they were called."""
    folder = tmp_path_factory.mktemp("programs")
    for name in ("gunicorn", "celery"):
        program = folder / name
        program.write_text('#!/bin/sh\nfor each in "$0" "$@"; do basename -- "$each"; done\n')
        program.chmod(0o755)
    return folder


@pytest.mark.parametrize("process", [processes.web("127.0.0.1:8123"), processes.WORKER, processes.BEAT])
def test_becomes_the_process(process: processes.Process, programs: Path) -> None:
    came = _become(process.name, programs, PORT="8123")
    assert came.stdout.split() == [Path(word).name for word in process.command]


@pytest.mark.parametrize(
    ("name", "port", "sentence"),
    [
        ("postgres", "8000", "There is no process 'postgres': name one of web, worker, beat."),
        ("web", "http", "PORT is 'http': it must be a number from 1 to 65535."),
    ],
)
def test_refuses_with_a_sentence(name: str, port: str, sentence: str, programs: Path) -> None:
    came = _become(name, programs, PORT=port)
    assert (came.returncode, came.stderr.strip()) == (1, sentence)


def test_the_unit_starts_a_process_by_the_name_of_its_instance() -> None:
    assert re.search(r"^ExecStart=/opt/rollcall/\.venv/bin/python -m config\.processes %i$", UNIT.read_text(), re.M)


# Not among the suite's packages: Debian's starts a server on port 80 as it is installed.
@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")
def test_nginx_reads_the_sample(tmp_path: Path) -> None:
    sample = (embedded.BASE_DIR / "docs/operate/nginx.conf").read_text()
    made = subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=rollcall.example.com"),
            *("-keyout", tmp_path / "privkey.pem", "-out", tmp_path / "fullchain.pem"),
        ],
        capture_output=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    server = sample.replace("/etc/ssl/rollcall", str(tmp_path)).replace("443 ssl", "8443 ssl").replace("80;", "8080;")
    (tmp_path / "nginx.conf").write_text(f"pid {tmp_path}/pid; error_log stderr; events {{}}\nhttp {{\n{server}\n}}\n")
    checked = subprocess.run(
        ["nginx", "-t", "-c", tmp_path / "nginx.conf"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
