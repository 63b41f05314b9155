"""`bin/run` from the first check to the last process gone, with the real processes."""

import io
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import psutil
import pytest

from config import processes
from config.health import web_answers
from config.local import embedded
from config.local.console import Terminal
from config.local.process_group import ProcessGroup, program
from config.local.run import OPTIONS, USAGE, CannotRun, Run
from config.processes import Process

READY = "Ctrl-C stops everything"
INHERITED = (
    *("DATABASE_URL", "REDIS_URL", "KNOWBE4_API_KEY", "KNOWBE4_BASE_URL", "KNOWBE4_LIMITS", "PUBLIC_URL"),
    *("ADMIN_EMAIL", "ALLOWED_HOSTS", "KNOWBE4_ACCOUNT", "DEMO_SIGN_INS", "METRICS_TOKEN", "SENTRY_DSN"),
    *("LOG_FORMAT", "ACCESS_LOG"),
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Installation:
    """A `var/` and a port of its own, and what was started with them."""

    def __init__(self, var: Path) -> None:
        self.var = var
        self.port = free_port()
        self.lines: list[str] = []

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        kept = {name: value for name, value in os.environ.items() if name not in INHERITED}
        return subprocess.Popen(
            [sys.executable, "-m", "config.local.run", *arguments],
            cwd=embedded.BASE_DIR,
            env=kept | {"ROLLCALL_VAR": str(self.var), "PORT": str(self.port)} | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def read_until(self, run: subprocess.Popen[str], text: str) -> None:
        assert run.stdout is not None
        for line in run.stdout:
            self.lines.append(line)
            if text in line:
                return
        pytest.fail(f"ended with {run.wait()} before {text!r}:\n{''.join(self.lines[-40:])}")

    def processes(self) -> list[psutil.Process]:
        """Return every process that was given this `var/`, also those whose parents are gone."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("ROLLCALL_VAR") == str(self.var) or str(self.var) in " ".join(
                    process.cmdline()
                ):
                    found.append(process)
            except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
                continue
        return found

    def wait_gone(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self.processes() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert self.processes() == []


@pytest.fixture
def installation() -> Iterator[Installation]:
    # Not tmp_path: pytest closes that to the services' system user again and again.
    with tempfile.TemporaryDirectory(prefix="rollcall-") as folder:
        made = Installation(Path(folder) / "var")
        yield made
        left = made.processes()
        for process in left:
            process.kill()
        made.wait_gone(10)
        assert left == []


@pytest.mark.slow
@pytest.mark.timeout(420)
def test_start_kill_start_stop_and_a_death(installation):
    run = installation.start()
    installation.read_until(run, READY)
    assert web_answers(installation.port)
    assert (installation.var / "address").read_text() == f"http://127.0.0.1:{installation.port}"
    names = {line.split("|")[0].strip() for line in installation.lines if " | " in line}
    assert names >= {"run", "web", "worker", "beat", "simulator", "sync"}

    run.kill()
    run.communicate()
    installation.wait_gone(15)

    installation.lines.clear()
    started = time.monotonic()
    run = installation.start()
    installation.read_until(run, READY)
    # Ten seconds is what is promised on an idle machine; the suite shares its cores.
    assert time.monotonic() - started < 60
    assert not any("Static files are collected" in line for line in installation.lines)

    run.send_signal(signal.SIGINT)
    rest, _ = run.communicate(timeout=20)
    assert run.returncode == 0
    assert "Traceback" not in "".join(installation.lines) + rest
    assert installation.processes() == []

    # A proxy on this machine is no demo, though the demo is there: its account has nobody yet.
    installation.lines.clear()
    key = {"KNOWBE4_API_KEY": "a-key", "KNOWBE4_BASE_URL": f"http://127.0.0.1:{free_port()}"}
    run = installation.start(**key)
    installation.read_until(run, READY)
    secret = assert_begins_with_a_link(installation)

    # A process that dies stops the others.
    beat = next(process for process in installation.processes() if "beat" in process.cmdline())
    beat.kill()
    rest, _ = run.communicate(timeout=30)
    assert run.returncode == 1
    assert "The beat process ended with SIGKILL; stopping the others." in rest
    assert "/invitation/(left out)/" in rest
    assert secret not in rest
    assert installation.processes() == []

    # Another place may be a mistake: nothing goes on before it is said which account is meant.
    run = installation.start(KNOWBE4_API_KEY="a-key", KNOWBE4_REGION="eu")
    output, _ = run.communicate(timeout=60)
    assert run.returncode == 1
    said = output.splitlines()[-1]
    assert said.startswith('The environment names KnowBe4 at region eu, but the account "KnowBe4 through 127.0.0.1:')
    assert "manage.py prepare --add" in said
    assert "Traceback" not in output


def assert_begins_with_a_link(installation: Installation) -> str:
    """Hold what was read since the start to having no demo, and a link that leads to a page; return its secret."""
    printed = "".join(installation.lines)
    assert "simulator |" not in printed
    assert "sign-ins:" not in printed
    assert "Set ADMIN_EMAIL" in printed
    (link,) = re.findall(r"http\S+/invitation/\S+/", printed)
    with urlopen(link, timeout=60) as page:
        assert "Set up Rollcall" in page.read().decode()
    with pytest.raises(HTTPError, match="404"):
        urlopen(f"{link.rstrip('/')}x/", timeout=60)
    return link.rstrip("/").rsplit("/", 1)[1]


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_without_a_key_and_without_the_demo_it_begins_with_a_link(installation):
    run = installation.start("--no-demo")
    installation.read_until(run, READY)
    assert_begins_with_a_link(installation)
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=60)
    # Later starts keep to it.
    run = installation.start()
    installation.read_until(run, "First administrator")
    assert any("Without the invented company, as chosen before" in line for line in installation.lines)
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=60)


def test_help_says_what_can_be_chosen(installation):
    for command in (["bin/run", "--help"], [sys.executable, "-m", "config.local.run", "--help"]):
        done = subprocess.run(command, cwd=embedded.BASE_DIR, capture_output=True, text=True, check=True)
        assert done.stdout == USAGE
    assert not installation.var.exists()
    assert all(option in USAGE for option in OPTIONS)


@pytest.mark.parametrize("command", [["bin/run"], [sys.executable, "-m", "config.local.run"]])
def test_an_unknown_option_is_one_sentence(command):
    done = subprocess.run([*command, "--quiet"], cwd=embedded.BASE_DIR, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "bin/run has no option --quiet: it has --demo, --no-demo, --host and --help.\n"


def test_a_demo_of_somebody_elses_is_refused(installation):
    output, _ = installation.start(DEMO_SIGN_INS="on").communicate(timeout=20)
    assert output == "DEMO_SIGN_INS lets anybody in; bin/run sets it for its own simulator: unset it.\n"


@pytest.mark.parametrize("word", ["", "off", " No ", "0", "false"])
def test_a_demo_that_is_off_is_no_demo_of_somebody_elses(word):
    assert Run({"DEMO_SIGN_INS": word}, Terminal(io.StringIO())).environment["DEMO_SIGN_INS"] == word


@pytest.mark.parametrize(
    ("chosen", "key", "is_simulated"),
    [(None, "", True), (None, "a-key", False), (False, "", False), (True, "a-key", True)],
)
def test_the_choice_of_the_command_line_holds(chosen, key, is_simulated):
    run = Run({"KNOWBE4_API_KEY": key}, Terminal(io.StringIO()), wants_demo=chosen)
    assert run.wants_simulator is is_simulated


def test_a_busy_port_is_one_sentence(installation):
    with socket.create_server(("127.0.0.1", installation.port)):
        output, _ = installation.start().communicate(timeout=20)

    assert output == (
        f"Port {installation.port} is in use: stop what uses it, "
        f"or choose another with PORT={installation.port + 1} bin/run.\n"
    )
    assert not installation.var.exists()


@pytest.mark.parametrize("port", ["http", "0", "70000"])
def test_a_port_that_is_none_is_one_sentence(installation, port):
    run = installation.start(PORT=port)
    output, _ = run.communicate(timeout=20)

    assert run.returncode == 1
    assert output == f"PORT is {port!r}: it must be a number from 1 to 65535.\n"


@pytest.mark.parametrize("name", ["PUBLIC_URL", "ALLOWED_HOSTS"])
def test_the_demo_is_for_this_machine_alone(installation, name):
    value = "https://rollcall.example" if name == "PUBLIC_URL" else "rollcall.example"
    run = installation.start(**{name: value})
    output, _ = run.communicate(timeout=60)

    assert run.returncode == 1
    assert len(output.splitlines()) == 1
    assert output.startswith("The demo lets anybody in, so it is for this machine alone, ")
    assert "rollcall.example: set KNOWBE4_API_KEY or start with --no-demo" in output


def test_var_that_cannot_be_made_is_one_sentence(installation):
    installation.var.write_text("")
    run = installation.start()
    output, _ = run.communicate(timeout=20)

    assert run.returncode == 1
    assert len(output.splitlines()) == 1
    assert f"make {installation.var} writable" in output


def test_a_key_of_the_real_knowbe4_is_left_alone():
    run = Run({"KNOWBE4_API_KEY": "from-the-console", "KNOWBE4_REGION": "eu"}, Terminal(io.StringIO()))

    assert not run.wants_simulator
    assert run.environment["KNOWBE4_API_KEY"] == "from-the-console"
    assert "KNOWBE4_BASE_URL" not in run.environment
    assert "KNOWBE4_LIMITS" not in run.environment


def test_without_a_key_the_simulator_stands_in():
    assert Run({}, Terminal(io.StringIO())).wants_simulator
    assert processes.simulator(0).command[-3:] == ("--port", "0", "--no-limits")


def test_another_port_changes_the_public_address():
    assert Run({"PORT": "8123"}, Terminal(io.StringIO())).environment["PUBLIC_URL"] == "http://127.0.0.1:8123"
    given = {"PORT": "8123", "PUBLIC_URL": "https://rollcall.example"}
    assert Run(given, Terminal(io.StringIO())).environment["PUBLIC_URL"] == "https://rollcall.example"


def test_commands_link_to_where_the_pages_were_served_last(tmp_path):
    environment = {name: value for name, value in os.environ.items() if name not in {"PUBLIC_URL", "PORT"}}
    environment["ROLLCALL_VAR"] = str(tmp_path)
    told = "from config import variables; from config.local import embedded; "
    told += "embedded.keep_address('http://127.0.0.1:8123'); print(variables.own_address())"

    def said(**more):
        return subprocess.check_output(
            [sys.executable, "-c", told], cwd=embedded.BASE_DIR, env=environment | more, text=True
        )

    assert said() == "http://127.0.0.1:8123\n"
    assert said(PORT="8041") == "http://127.0.0.1:8041\n"


STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print("half a", end=" ", flush=True)
time.sleep(0.1)
print("line", child.pid, flush=True)
time.sleep(60)
"""


EVERY = "0.0.0.0"  # noqa: S104 - what --host may ask for


def opened(host: str, **environment: str) -> Run:
    given = {"KNOWBE4_API_KEY": "a-key", "PORT": "8123"} | environment
    return Run(given, Terminal(io.StringIO()), host=host)


@pytest.mark.parametrize(
    ("host", "listens_at", "public_url"),
    [
        ("127.0.0.1", ["127.0.0.1:8123"], "http://127.0.0.1:8123"),
        ("192.0.2.7", ["127.0.0.1:8123", "192.0.2.7:8123"], "http://192.0.2.7:8123"),
        ("2001:db8::7", ["127.0.0.1:8123", "[2001:db8::7]:8123"], "http://[2001:db8::7]:8123"),
    ],
)
def test_another_address_is_listened_at_beside_this_machines(host, listens_at, public_url):
    run = opened(host)

    assert run.listens_at == listens_at
    assert run.environment["PUBLIC_URL"] == public_url
    command = processes.web(*run.listens_at).command
    assert [command[place + 1] for place, part in enumerate(command) if part == "--bind"] == listens_at


def test_every_address_wants_the_one_that_people_use():
    with pytest.raises(CannotRun, match="set PUBLIC_URL to the one that people use"):
        opened(EVERY)
    run = opened(EVERY, PUBLIC_URL="https://rollcall.example")
    assert (run.listens_at, run.address) == ([f"{EVERY}:8123"], "https://rollcall.example")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--host", EVERY], "The demo lets anybody in, so it is for this machine alone: set KNOWBE4_API_KEY or "),
        (["--host=rollcall.example"], "--host is 'rollcall.example': write an address of this machine, such as "),
        (["--no-demo", "--host"], "--host is '': write an address of this machine, such as "),
        (["--no-demo", "--host", "192.0.2.7"], "--host 192.0.2.7 is no address of this machine: name one that it has."),
    ],
)
def test_an_address_that_cannot_be_is_one_sentence(installation, arguments, sentence):
    run = installation.start(*arguments)
    output, _ = run.communicate(timeout=20)

    assert run.returncode == 1
    assert output.startswith(sentence) and output.count("\n") == 1
    assert not installation.var.exists()


SLOW_DOWNLOAD = """
import time
def application(environ, start):
    start("200 OK", [("Content-Type", "text/plain")])
    yield b"begun "
    time.sleep(3)
    yield b"and done"
"""


@pytest.mark.slow
def test_a_download_under_way_finishes_before_the_web_server_stops(tmp_path):
    (tmp_path / "slow_download.py").write_text(SLOW_DOWNLOAD)
    port = free_port()
    instead = {"config.wsgi": "slow_download", "2": "1"}
    command = [instead.get(part, part) for part in processes.web(f"127.0.0.1:{port}").command]
    with subprocess.Popen([*program(command), "--chdir", str(tmp_path)], stderr=subprocess.DEVNULL) as web:
        deadline = time.monotonic() + 30
        while not web_answers(port) and time.monotonic() < deadline:
            time.sleep(0.05)
        with urlopen(f"http://127.0.0.1:{port}/", timeout=30) as answer:
            assert answer.read(6) == b"begun "
            web.send_signal(signal.SIGTERM)
            assert answer.read() == b"and done"
        # With nobody there it does not wait.
        assert web.wait(10) == 0


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_whoever_does_not_stop_is_killed_with_its_children():
    stream = io.StringIO()
    group = ProcessGroup(Terminal(stream))
    heard: list[str] = []
    group.listeners["stubborn"] = heard.append
    group.start(Process("stubborn", ("python", "-c", STUBBORN), patience=0.3), dict(os.environ))
    deadline = time.monotonic() + 10
    while not heard and time.monotonic() < deadline:
        group.pump(0.1)
    assert heard[0].startswith("half a line ")
    grandchild = int(heard[0].split()[-1])

    group.stop(["stubborn"], lambda: False)

    assert group.running == {}
    deadline = time.monotonic() + 5
    while _lives(grandchild):
        assert time.monotonic() < deadline
    assert stream.getvalue() == f"stubborn  | {heard[0]}\n"


IGNORES = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"
SLOW = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (time.sleep(1), sys.exit(0)))
print("there", flush=True)
time.sleep(60)
"""


@pytest.mark.slow
def test_each_has_its_own_time_to_stop():
    group = ProcessGroup(Terminal(io.StringIO()))
    there: list[str] = []
    stubborn = SLOW.replace("signal.signal(signal.SIGTERM, lambda *_: (time.sleep(1), sys.exit(0)))", IGNORES)
    patient = Process("patient", ("python", "-c", SLOW), patience=60)
    hurried = Process("hurried", ("python", "-c", stubborn), patience=0.3, hurry=signal.SIGQUIT)
    for process in (patient, hurried):
        group.listeners[process.name] = there.append
        group.start(process, dict(os.environ))
    running = list(group.running.values())
    deadline = time.monotonic() + 20
    while len(there) < 2 and time.monotonic() < deadline:
        group.pump(0.1)

    began = time.monotonic()
    group.stop(["patient", "hurried"], lambda: False)

    assert time.monotonic() - began < 20
    # On a busy machine the system may take longer to end it than a hurried process has.
    assert running[0].popen.returncode == 0
    assert running[1].popen.returncode in {-signal.SIGQUIT, -signal.SIGKILL}


def test_an_ended_process_is_found_with_its_last_words():
    stream = io.StringIO()
    group = ProcessGroup(Terminal(stream))
    child = group.start(Process("brief", ("python", "-c", "import sys; print('bye', end=''); sys.exit(3)")), {})
    child.popen.wait()

    assert group.ended() is child
    assert child.popen.returncode == 3
    group.forget(child)
    assert stream.getvalue() == "brief     | bye\n"
