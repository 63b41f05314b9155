"""Everything in one terminal: `bin/run`, or `python -m config.local.run` where the requirements are installed."""

import errno
import hashlib
import importlib
import ipaddress
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from config import flags, processes
from config.health import web_answers
from config.local import embedded
from config.local.console import Terminal, sign_in_box
from config.local.embedded import EmbeddedError
from config.local.parent_death import adopt_orphans, die_with_parent, reap_children
from config.local.process_group import Child, ProcessGroup
from config.processes import Process

_SIMULATOR_URL = re.compile(r"KnowBe4 simulator: (http://\S+)")
_SIMULATOR_PATIENCE = 120.0
_WEB_PATIENCE = 60.0
# Beside `static/`: which packages and finders there are, and what the finders of `dashboard` make files from.
_STATIC_SOURCES = (
    "requirements/base.txt",
    "config/settings.py",
    "templates/components/styles.html",
    "dashboard/generated_files.py",
    "dashboard/web/styles.py",
    "dashboard/web/fonts.py",
    "dashboard/charts/plotly_js/finder.py",
    "dashboard/charts/plotly_js/bundle.py",
    "dashboard/charts/plotly_js/javascript.py",
)
# `manage.py sync`: held by a check, refused by KnowBe4, unreachable or out of budget. It says which one itself.
_SYNC_SPEAKS = {0, 3, 4, 5}
# `manage.py prepare`: it must be said which account is meant, and its sentence says how.
WHICH_ACCOUNT = 6
# There once somebody chose --no-demo.
NO_DEMO = embedded.VAR_DIR / "no-demo"
LOOPBACK = "127.0.0.1"
_ALL_ADDRESSES = {"0.0.0.0", "[::]"}  # noqa: S104 - what --host may ask for


OPTIONS = {"--demo": True, "--no-demo": False}
USAGE = """Usage: bin/run [--demo | --no-demo] [--host ADDRESS]

Starts everything in one terminal: Postgres, Redis, worker, beat and the pages. Ctrl-C stops it; the data stays.

  --no-demo   without an invented company: begin with your own, by a key entered on a page or by the console's CSV
              (later starts keep to it)
  --demo      with the invented company of a simulated KnowBe4 again, as without a key at the first start
  --host      an address of this machine at which others reach it, 0.0.0.0 for all of them: for a proxy with TLS on
              another machine; never with the demo

Set in the environment: KNOWBE4_API_KEY, KNOWBE4_REGION, ADMIN_EMAIL, PORT and more; README.md lists them.
"""


class CannotRun(Exception):  # noqa: N818
    """Something stands in the way; the text is one sentence that says what to do."""


class Stopped(Exception):  # noqa: N818
    """Ctrl-C or SIGTERM came while starting."""


class Run:
    """One run of the installation, from the first check to the last process gone."""

    def __init__(
        self,
        environment: Mapping[str, str],
        terminal: Terminal,
        *,
        wants_demo: bool | None = None,
        host: str = LOOPBACK,
    ) -> None:
        """`wants_demo` is what the command line says: with or without the invented company, None for neither.

        `host` is the address that the pages listen at, besides this machine's own. CannotRun for what is none.
        """
        _require_own_demo(environment)
        self.environment = dict(environment)
        self.wants_demo = wants_demo
        self.terminal = terminal
        self.group = ProcessGroup(terminal)
        self.port = _port(environment)
        self.interrupts = 0
        self.host = _host(host)
        self.address = f"http://{self.host}:{self.port}"
        if self.is_open and self.wants_simulator:
            raise CannotRun(
                f"The demo lets anybody in, so it is for this machine alone: set KNOWBE4_API_KEY or start with "
                f"--no-demo, or leave out --host {host}."
            )
        if self.host in _ALL_ADDRESSES:
            self.address = self.environment.get("PUBLIC_URL", "").strip()
            if not self.address:
                raise CannotRun(f"--host {host} opens every address: set PUBLIC_URL to the one that people use.")
        self.environment.setdefault("PUBLIC_URL", self.address)
        # Lines must come when they are written, not when a buffer is full.
        self.environment["PYTHONUNBUFFERED"] = "1"

    @property
    def is_open(self) -> bool:
        """Return whether other machines can reach the pages."""
        return not ipaddress.ip_address(self.host.strip("[]")).is_loopback

    @property
    def listens_at(self) -> list[str]:
        """Return the addresses of the pages; this machine's own is always among them, by itself or as one of all."""
        hosts = [self.host] if self.host in {LOOPBACK, *_ALL_ADDRESSES} else [LOOPBACK, self.host]
        return [f"{host}:{self.port}" for host in hosts]

    @property
    def wants_simulator(self) -> bool:
        """Return whether a simulated KnowBe4 stands in: by choice, or because there is no key for the real one."""
        if self.wants_demo is not None:
            return self.wants_demo
        return not self.environment.get("KNOWBE4_API_KEY", "").strip() and not NO_DEMO.exists()

    def start(self) -> None:
        """Start everything in order; CannotRun or EmbeddedError says what stands in the way, Stopped that it ended."""
        for address in self.listens_at:
            _require_free_port(self.port, address.rpartition(":")[0])
        embedded.require_writable()
        _require_settings()
        embedded.keep_address(self.environment["PUBLIC_URL"])
        wants_simulator = self.wants_simulator
        self._keep_choice()
        simulator_url: list[str] = []
        if wants_simulator:
            self._start_simulator(simulator_url)
        if embedded.is_wanted():
            embedded.ensure_running()
            self.say("Postgres and Redis are running.")
        self._step("Database is up to date.", "migrate", "--noinput")
        self._collect_static()
        if wants_simulator:
            self._await_simulator(simulator_url)
            self.environment |= {
                "KNOWBE4_BASE_URL": simulator_url[0],
                "KNOWBE4_API_KEY": processes.SIMULATOR_KEY,
                "KNOWBE4_LIMITS": "off",
                # Where anybody may look around: one click a role (dashboard.identity.demo).
                "DEMO_SIGN_INS": "on",
            }
        without_demo = () if wants_simulator else ("--no-demo",)
        prepared = json.loads(self._step("", "prepare", "--json", *without_demo) or "{}")
        for sentence in prepared.get("said", ()):
            self.say(sentence)
        self.group.start(processes.web(*self.listens_at), self.environment)
        self._await(
            lambda: web_answers(self.port), _WEB_PATIENCE, "The web server does not answer; see its lines above."
        )
        for process in (processes.WORKER, processes.beat(str(embedded.VAR_DIR / "beat-schedule"))):
            self.group.start(process, self.environment)
        self.say(f"The pages are up: {self.address}")
        title = "Demo sign-ins" if wants_simulator else "Sign-ins"
        link, email = prepared.get("link", ""), prepared.get("email", "")
        if link and not email and not self.terminal.is_tty:
            self.say("Set ADMIN_EMAIL to have the link for the first administrator mailed, too.")
        box = sign_in_box(
            self.address, prepared.get("account", ""), title, prepared.get("sign_ins", []), link=link, email=email
        )
        if wants_simulator:
            self._first_sync(prepared)
            self.terminal.box(box)
        else:
            # At KnowBe4's pace a first sync takes minutes: nobody should wait for the address.
            self.terminal.box(box)
            self._first_sync(prepared)

    def keep(self) -> int:
        """Carry lines until told to stop; 0 then, 1 when a process ended by itself."""
        next_look = 0.0
        while not self.interrupts:
            self.group.pump(0.5)
            self._require_children()
            if embedded.is_wanted() and time.monotonic() > next_look:
                next_look = time.monotonic() + 1
                if not embedded.is_kept():
                    self.say("Postgres and Redis ended unexpectedly; starting them again.")
                    embedded.ensure_running()
        return 0

    def stop(self) -> None:
        """Stop everything in order: what asks, then what is asked: the simulator, Postgres and Redis."""
        if self.group.running:
            self.say("Stopping.")
        for names in (("sync", "web", "beat", "worker"), ("simulator",)):
            self.group.stop(names, lambda: self.interrupts > 1)
        if embedded.release() and not embedded.wait_stopped(10):
            self.say("Postgres and Redis keep running for another process of this installation.")
        else:
            reap_children(2)

    def interrupt(self, _signal: int, _frame: FrameType | None) -> None:
        """Count a request to stop; the second one forces."""
        self.interrupts += 1

    def say(self, text: str) -> None:
        """Write one line of our own."""
        self.terminal.line("run", text)

    def _step(self, done: str, *arguments: str) -> str:
        """Run a management command to its end and return what it printed; its complaint becomes ours."""
        popen = subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=embedded.BASE_DIR,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),
        )
        while True:
            try:
                output, complaint = popen.communicate(timeout=0.05)
                break
            except subprocess.TimeoutExpired:
                self.group.pump(0.0)
                if self.interrupts:
                    popen.terminate()
                    popen.communicate()
                    raise Stopped from None
        if popen.returncode:
            lines = (complaint.strip() or output.strip() or f"it ended with {popen.returncode}").splitlines()
            for line in lines[:-1]:
                self.terminal.line(arguments[0], line)
            if popen.returncode == WHICH_ACCOUNT:
                raise CannotRun(lines[-1])
            raise CannotRun(f"manage.py {arguments[0]} failed: {lines[-1]}")
        if done:
            self.say(done)
        return output

    def _keep_choice(self) -> None:
        """Remember that the invented company is not wanted here, or that it is again."""
        if self.wants_demo:
            NO_DEMO.unlink(missing_ok=True)
        elif self.wants_demo is False:
            NO_DEMO.touch()
        elif not self.wants_simulator and NO_DEMO.exists():
            self.say("Without the invented company, as chosen before; bin/run --demo shows it.")

    def _collect_static(self) -> None:
        """Gather the static files when any of them, or what makes or brings some, has changed."""
        digest = hashlib.sha256()
        for file in static_sources():
            found = file.stat()
            digest.update(f"{file} {found.st_size} {found.st_mtime_ns}\n".encode())
        stamp = embedded.VAR_DIR / "static.stamp"
        manifest = embedded.VAR_DIR / "static" / "staticfiles.json"
        if manifest.exists() and stamp.exists() and stamp.read_text() == digest.hexdigest():
            return
        self._step("Static files are collected.", "collectstatic", "--noinput", "--verbosity", "0")
        stamp.write_text(digest.hexdigest())

    def _start_simulator(self, found: list[str]) -> None:
        def listen(line: str) -> None:
            if match := _SIMULATOR_URL.search(line):
                found.append(match[1])

        _require_local_demo()
        port = processes.SIMULATOR_PORT if _is_free(processes.SIMULATOR_PORT) else 0
        self.group.listeners["simulator"] = listen
        self.group.start(processes.simulator(port), self.environment)

    def _await_simulator(self, found: list[str]) -> None:
        self._await(lambda: bool(found), _SIMULATOR_PATIENCE, "The simulator did not start; see its lines above.")

    def _await(self, is_there: Any, seconds: float, complaint: str) -> None:
        deadline = time.monotonic() + seconds
        while not is_there():
            self.group.pump(0.05)
            self._require_children()
            if self.interrupts:
                raise Stopped
            if time.monotonic() > deadline:
                raise CannotRun(complaint)

    def _first_sync(self, prepared: Mapping[str, Any]) -> None:
        """Sync once in the foreground if that never happened; whatever comes of it, the pages stay up."""
        if prepared.get("is_published") or not prepared.get("has_key"):
            return
        command = Process("sync", ("python", "manage.py", "sync", "--if-never"), stop=signal.SIGINT)
        draws = self.terminal.is_tty
        if draws:
            self.terminal.hold()
        try:
            child = self.group.start(command, self.environment, draws=draws)
            while child.popen.poll() is None:
                self.group.pump(0.1)
                self._require_children(but=child)
                if self.interrupts:
                    raise Stopped
            self.group.forget(child)
        finally:
            if draws:
                self.terminal.release()
        if child.popen.returncode not in _SYNC_SPEAKS:
            self.say(
                f"The first sync ended with {child.popen.returncode}; the pages run, the next try follows by itself."
            )

    def _require_children(self, but: Child | None = None) -> None:
        ended = self.group.ended()
        if ended is not None and ended is not but and not self.interrupts:
            raise CannotRun(
                f"The {ended.name} process ended with {_status(ended.popen.returncode)}; stopping the others."
            )


def static_sources() -> list[Path]:
    """Return the files that decide what static files there are: our own, the code that makes others, the packages."""
    base = embedded.BASE_DIR
    return [*sorted((base / "static").rglob("*")), *(base / name for name in _STATIC_SOURCES)]


def main(arguments: Sequence[str] = ()) -> int:
    """Run until Ctrl-C; 0 after a clean stop, 1 with one sentence when it cannot run, 2 for an unknown option."""
    wants_demo: bool | None = None
    host = LOOPBACK
    left = list(arguments)
    while left:
        argument = left.pop(0)
        name, _equals, value = argument.partition("=")
        if argument in {"--help", "-h"}:
            sys.stdout.write(USAGE)
            return 0
        if name == "--host":
            host = value or (left.pop(0) if left else "")
        elif argument in OPTIONS:
            wants_demo = OPTIONS[argument]
        else:
            sys.stderr.write(f"bin/run has no option {argument}: it has {', '.join(OPTIONS)}, --host and --help.\n")
            return 2
    terminal = Terminal()
    try:
        run = Run(os.environ, terminal, wants_demo=wants_demo, host=host)
    except CannotRun as error:
        return _complain(error)
    adopt_orphans()
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, run.interrupt)
    try:
        run.start()
        status = run.keep()
    except Stopped:
        status = 0
    except (CannotRun, EmbeddedError) as error:
        status = _complain(error)
    finally:
        run.stop()
    return status


def _require_own_demo(environment: Mapping[str, str]) -> None:
    """Raise CannotRun where somebody else calls it the demo: only the simulator that is started here is."""
    if environment.get("DEMO_SIGN_INS", "").strip().lower() in flags.YES:
        raise CannotRun("DEMO_SIGN_INS lets anybody in; bin/run sets it for its own simulator: unset it.")


def _require_settings() -> None:
    """Raise CannotRun with what the environment lacks, before anything is started."""
    try:
        importlib.import_module("config.settings")
    except ImproperlyConfigured as error:
        raise CannotRun(str(error)) from None


def _require_local_demo() -> None:
    """Raise CannotRun where the environment lets other machines ask for this site: the demo lets anybody in."""
    outside = importlib.import_module("config.settings").OUTSIDE_HOSTS
    if outside:
        raise CannotRun(
            "The demo lets anybody in, so it is for this machine alone, and PUBLIC_URL or ALLOWED_HOSTS names "
            f"{outside[0]}: set KNOWBE4_API_KEY or start with --no-demo, or unset both for the demo."
        )


def _complain(error: Exception) -> int:
    sys.stdout.flush()
    sys.stderr.write(f"{error}\n")
    return 1


def _status(code: int) -> str:
    """Return an exit status in words: a number, or the signal that ended the process."""
    return f"exit status {code}" if code >= 0 else signal.Signals(-code).name


def _port(environment: Mapping[str, str]) -> int:
    try:
        return processes.port(environment)
    except ValueError as error:
        raise CannotRun(str(error)) from None


def _is_free(port: int) -> bool:
    try:
        _require_free_port(port)
    except CannotRun:
        return False
    return True


def _host(text: str) -> str:
    """Return what --host names as addresses of pages write it; CannotRun for what is no address."""
    try:
        address = ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        raise CannotRun(
            f"--host is {text!r}: write an address of this machine, such as 192.0.2.7, or 0.0.0.0 for all of them."
        ) from None
    return f"[{address}]" if address.version == 6 else str(address)


def _require_free_port(port: int, host: str = LOOPBACK) -> None:
    """Raise CannotRun when nobody could listen on the port of that address."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), port))
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise CannotRun(f"--host {host} is no address of this machine: name one that it has.") from error
            if error.errno == errno.EADDRINUSE:
                raise CannotRun(
                    f"Port {port} is in use: stop what uses it, or choose another with PORT={port + 1} bin/run."
                ) from error
            raise CannotRun(f"Port {port} cannot be used ({error.strerror}): choose another with PORT=8001.") from error


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
