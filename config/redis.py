"""The embedded Redis: the queue and the cache, kept in an append-only file."""

import os
import signal
import socket
import subprocess
from pathlib import Path

import psutil

from config.embedded import EmbeddedError, last_line
from config.lifeline import die_with_parent
from config.owner import Owner


class Redis:
    """One Redis with its data under `var/redis`, reached through `redis.sock` in `sockets` and nothing else."""

    name = "Redis"

    def __init__(self, *, binary: Path, var: Path, sockets: Path, owner: Owner, fast: bool) -> None:
        self.binary = binary
        self.data = var / "redis"
        self.log = var / "log" / "redis.log"
        self.socket = sockets / "redis.sock"
        self.pid_file = var / "redis.pid"
        self.owner = owner
        self.fast = fast
        self.process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Make the data directory and stop a server that outlived its keeper."""
        self.owner.reach(self.binary)
        self.owner.reach(self.data)
        if not os.access(self.binary, os.X_OK):
            raise EmbeddedError(f"{self.binary} cannot be run: install the requirements again with bin/run.")
        self.owner.make_private(self.data)
        for file in self.data.iterdir():
            self.owner.take(file)
        self._stop_leftover()
        self.socket.unlink(missing_ok=True)

    def start(self) -> None:
        """Start the server; a second at most until it answers."""
        command: list[str | Path] = [self.binary]
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.data),
            "save": "",
            "appendonly": "no" if self.fast else "yes",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
            "databases": "64",
            "daemonize": "no",
        }
        for name, value in options.items():
            command += [f"--{name}", value]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
                preexec_fn=die_with_parent(signal.SIGTERM),
                **self.owner.popen(),
            )
        self.pid_file.write_text(str(self.process.pid))

    def answers(self) -> bool:
        """Return whether the server has read its data and takes commands."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
                client.settimeout(2)
                client.connect(str(self.socket))
                client.sendall(b"PING\r\n")
                return client.recv(64).startswith(b"+PONG")
        except OSError:
            return False

    def stop(self) -> None:
        """Shut down: what was written is flushed; killed if that takes over ten seconds."""
        if self.process is None:
            return
        for sign, patience in ((signal.SIGTERM, 10), (signal.SIGKILL, 5)):
            if self.process.poll() is None:
                self.process.send_signal(sign)
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                continue
            break
        self.process = None
        self.pid_file.unlink(missing_ok=True)

    def complaint(self) -> str:
        """Return the sentence for a server that went down instead of answering."""
        return f"Redis did not start: {last_line(self.log)} (see {self.log})."

    def _stop_leftover(self) -> None:
        try:
            process = psutil.Process(int(self.pid_file.read_text()))
            # Redis names its socket in its process title.
            is_ours = "redis-server" in (title := " ".join(process.cmdline())) and str(self.socket) in title
        except (FileNotFoundError, ValueError, psutil.NoSuchProcess, psutil.AccessDenied):
            is_ours = False
        if is_ours:
            for sign, patience in ((signal.SIGTERM, 10), (signal.SIGKILL, 5)):
                try:
                    process.send_signal(sign)
                    process.wait(patience)
                    break
                except psutil.NoSuchProcess:
                    break
                except psutil.TimeoutExpired:
                    continue
        self.pid_file.unlink(missing_ok=True)
