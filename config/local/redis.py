"""The embedded Redis (a Valkey, where its wheel is there): the queue and the cache, kept in an append-only file."""

import contextlib
import os
import signal
import socket
import subprocess
from pathlib import Path

import psutil

from config.local.embedded import SERVER_NAMES, EmbeddedError, last_line
from config.local.leftovers import find_servers
from config.local.owner import Owner
from config.local.parent_death import die_with_parent

# How it is stopped: each signal, and how many seconds it is given.
_SIGNALS = ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0))
# What Redis and Valkey log about data in a format they do not know.
_UNREADABLE = ("Bad file format", "Can't handle RDB", "Wrong signature", "RDB preamble")


class Redis:
    """One Redis with its data under `var/redis`, reached through `redis.sock` in `sockets` and nothing else."""

    name = "Redis"

    def __init__(self, *, binary: Path, var: Path, sockets: Path, owner: Owner, fast: bool) -> None:
        self.binary = binary
        self.data = var / "redis"
        self.log = var / "log" / "redis.log"
        self.socket = sockets / "redis.sock"
        self.owner = owner
        self.fast = fast
        self.process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Make the data directory and stop a server that outlived its service manager."""
        self.owner.reach(self.binary)
        self.owner.reach(self.data)
        if not os.access(self.binary, os.X_OK):
            raise EmbeddedError(f"{self.binary} cannot be run: install the requirements again with bin/run.")
        self.owner.make_private(self.data)
        self._stop_leftover()
        for file in self.data.rglob("*"):
            self.owner.take(file)
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
        for sign, patience in _SIGNALS:
            if self.process.poll() is None:
                self.process.send_signal(sign)
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                continue
            break
        self.process = None

    def complaint(self) -> str:
        """Return the sentence for a server that went down instead of answering."""
        why = last_line(self.log, *_UNREADABLE)
        if any(words in why for words in _UNREADABLE):
            # Its own advice is a repair, which would cut off all that an older program does not know.
            return (
                f"{self.binary} cannot read {self.data}: a newer version wrote it, or it is damaged. Start with the "
                f"version that wrote it, or move it away, which loses what is queued (see {self.log})."
            )
        return f"Redis did not start: {why} (see {self.log})."

    def _stop_leftover(self) -> None:
        """Stop a server that outlived its service manager, whichever program it is: an update may have changed that."""
        for sign, patience in _SIGNALS:
            left = find_servers(self.data, names=SERVER_NAMES)
            for process in left:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(sign)
            psutil.wait_procs(left, patience)
