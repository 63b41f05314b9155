"""The child processes of `bin/run`: started in sessions of their own, read line by line, stopped to the last one."""

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from config.local import embedded
from config.local.console import Terminal
from config.local.parent_death import die_with_parent
from config.processes import Process

# How many seconds a process has that was told to hurry.
_HURRIED_PATIENCE = 2.0


def program(command: Sequence[str]) -> list[str]:
    """Return the command with its program taken from this Python's environment, wherever PATH points."""
    name, *arguments = command
    return [sys.executable if name == "python" else str(Path(sys.executable).parent / name), *arguments]


class Child:
    """One running process."""

    def __init__(self, process: Process, popen: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.popen = popen
        self.rest = b""

    @property
    def name(self) -> str:
        return self.process.name

    def kill(self) -> None:
        """End the process and everything it started, at once."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()


class ProcessGroup:
    """Child processes of `bin/run`, and the loop that carries their lines to the terminal."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.running: dict[str, Child] = {}
        self.listeners: dict[str, Callable[[str], None]] = {}
        self._selector = selectors.DefaultSelector()

    def start(self, process: Process, environment: dict[str, str], *, draws: bool = False) -> Child:
        """Start a process; with `draws` it writes on the terminal itself (a progress bar)."""
        popen = subprocess.Popen(
            program(process.command),
            cwd=embedded.BASE_DIR,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=None if draws else subprocess.PIPE,
            stderr=None if draws else subprocess.STDOUT,
            # Ctrl-C in the terminal reaches bin/run alone, which stops the others in order.
            start_new_session=True,
            preexec_fn=die_with_parent(process.stop if process.hurry is signal.SIGKILL else process.hurry),
        )
        child = Child(process, popen)
        self.running[process.name] = child
        if popen.stdout is not None:
            os.set_blocking(popen.stdout.fileno(), False)
            self._selector.register(popen.stdout, selectors.EVENT_READ, child)
        return child

    def pump(self, seconds: float) -> None:
        """Carry lines for at most `seconds`; returns early when something was written."""
        if not self._selector.get_map():
            time.sleep(seconds)
            return
        for key, _ in self._selector.select(seconds):
            self._read(key.data)

    def ended(self) -> Child | None:
        """Return a process that is no longer running, if any; its last lines are written by then."""
        for child in self.running.values():
            if child.popen.poll() is not None:
                self._read(child)
                return child
        return None

    def forget(self, child: Child) -> None:
        """Drop a process that ended."""
        self._close(child)
        self.running.pop(child.name, None)

    def stop(self, names: Sequence[str], is_hurried: Callable[[], bool]) -> None:
        """Stop the named processes side by side, each politely, then firmly, then whatever is left of it."""
        children = [self.running[name] for name in names if name in self.running]
        deadlines: dict[Child, float] = {}
        for child in children:
            child.popen.send_signal(child.process.stop)
            deadlines[child] = time.monotonic() + child.process.patience
        hurried: set[Child] = set()
        while left := [child for child in deadlines if child.popen.poll() is None]:
            for child in left:
                if time.monotonic() < deadlines[child] and not is_hurried():
                    continue
                if child in hurried:
                    del deadlines[child]
                else:
                    child.popen.send_signal(child.process.hurry)
                    hurried.add(child)
                    deadlines[child] = time.monotonic() + _HURRIED_PATIENCE
            self.pump(0.05)
        for child in children:
            self._read(child)
            child.kill()
            self.forget(child)

    def _read(self, child: Child) -> None:
        stream = child.popen.stdout
        if stream is None or stream.closed:
            return
        while True:
            try:
                data = os.read(stream.fileno(), 65536)
            except BlockingIOError:
                return
            if not data:
                self._close(child)
                return
            *lines, child.rest = (child.rest + data).split(b"\n")
            for line in lines:
                self._tell(child, line)

    def _tell(self, child: Child, line: bytes) -> None:
        text = line.decode(errors="replace").rstrip("\r")
        self.terminal.line(child.name, text)
        if listener := self.listeners.get(child.name):
            listener(text)

    def _close(self, child: Child) -> None:
        stream = child.popen.stdout
        if stream is None or stream.closed:
            return
        self._selector.unregister(stream)
        stream.close()
        if child.rest:
            self._tell(child, child.rest)
            child.rest = b""
