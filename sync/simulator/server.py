"""Serves a company over HTTP/1.1 on the loopback interface: a thread per connection, kept alive, chunked replies."""

import socket
import struct
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from types import TracebackType
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

from .clock import Clock
from .company import Company
from .faults import Fault
from .limits import Limits
from .service import Reply, Service
from .timestamps import seconds

HOST = "127.0.0.1"
_MAX_HEAD = 65_536


class Request(NamedTuple):
    """One line of the log. `status` is 0 when nothing was answered."""

    method: str
    path: str
    query: dict[str, str]
    status: int


class Simulator:
    """A running simulator. `clock` may be moved, `faults` changed and `limits` replaced while it serves."""

    def __init__(self, service: Service, port: int = 0) -> None:
        self.service = service
        self.requests: deque[Request] = deque(maxlen=100_000)
        self._stopping = threading.Event()
        self._threads: set[threading.Thread] = set()
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._listener.bind((HOST, port))
            self._listener.listen(128)
        except OSError:
            self._listener.close()
            raise
        self.port: int = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, name="simulator", daemon=True)
        self._acceptor.start()

    @property
    def url(self) -> str:
        """Return the base address, without a slash at the end."""
        return f"http://{HOST}:{self.port}"

    @property
    def company(self) -> Company:
        """Return the company served."""
        return self.service.company

    @property
    def clock(self) -> Clock:
        """Return the clock everything is told by."""
        return self.service.clock

    @property
    def faults(self) -> list[Fault]:
        """Return the faults switched on; change the list to change them."""
        return self.service.faults

    def warm(self) -> None:
        """Write every enrollment and user once, so that the first reading is as fast as any later one."""
        company, now = self.company, seconds(self.clock.now())
        with company.lock:
            company.reach(now)
            self.service.routes.listings.warm(now)

    def fault(self, text: str) -> Fault:
        """Switch a fault on, written as on the command line; raises UnknownFaultError. Return it."""
        fault = Fault.parse(text)
        self.service.faults.append(fault)
        return fault

    def disguise(self, *names: str) -> None:
        """Put these disguises on and take all others off; none: KnowBe4 as it is documented."""
        self.service.disguise(*names)

    def __enter__(self) -> "Simulator":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Hang up on everyone and stop. Stopping twice is fine."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        try:
            socket.create_connection((HOST, self.port), timeout=1).close()
        except OSError:
            self._listener.close()
        self._acceptor.join(timeout=5)
        self._listener.close()
        with self._lock:
            connections, threads = list(self._connections), list(self._threads)
        for connection in connections:
            _hang_up(connection)
        for thread in threads:
            thread.join(timeout=5)

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            if self._stopping.is_set():
                connection.close()
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = threading.Thread(
                target=self._converse, args=(connection,), name="simulator-connection", daemon=True
            )
            with self._lock:
                self._connections.add(connection)
                self._threads.add(thread)
            thread.start()

    def _converse(self, connection: socket.socket) -> None:
        try:
            with connection:
                buffer = b""
                alive = True
                while alive and not self._stopping.is_set():
                    head, buffer = _read_head(connection, buffer)
                    if head is None:
                        return
                    alive, buffer = self._exchange(connection, head, buffer)
        except OSError:
            return  # the other side hung up: nobody is left to tell
        finally:
            with self._lock:
                self._connections.discard(connection)
                self._threads.discard(threading.current_thread())

    def _exchange(self, connection: socket.socket, head: bytes, buffer: bytes) -> tuple[bool, bytes]:
        """Answer one request. Return whether the connection stays, and what was read beyond the request."""
        lines = head.decode("latin-1").split("\r\n")
        parts = lines[0].split(" ")
        if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return False, b""
        method, target, version = parts
        headers = {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])
        }
        length = headers.get("content-length", "0")
        unread = (int(length) if length.isdigit() else 0) - len(buffer)
        while unread > 0:
            chunk = connection.recv(min(unread, _MAX_HEAD))
            if not chunk:
                return False, b""
            unread -= len(chunk)
        buffer = buffer[int(length) :] if length.isdigit() and int(length) <= len(buffer) else b""
        reply = self.service.respond(method, target, headers)
        split = urlsplit(target)
        self.requests.append(
            Request(method, split.path, dict(parse_qsl(split.query, keep_blank_values=True)), reply.status)
        )
        if reply.silence:
            self._stopping.wait(reply.silence)
            return False, b""
        alive = version == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
        return _send(connection, reply, version, alive, method == "HEAD") and alive, buffer


def _read_head(connection: socket.socket, buffer: bytes) -> tuple[bytes | None, bytes]:
    """Return the next request's head and what follows it; None at the end of the connection."""
    while b"\r\n\r\n" not in buffer:
        chunk = connection.recv(_MAX_HEAD)
        if not chunk or len(buffer) > _MAX_HEAD:
            return None, b""
        buffer += chunk
    head, _, rest = buffer.partition(b"\r\n\r\n")
    return head, rest


def _send(connection: socket.socket, reply: Reply, version: str, alive: bool, head_only: bool) -> bool:
    """Send a reply, chunked in HTTP/1.1. Return False when the connection was cut on purpose."""
    chunked = version == "HTTP/1.1"
    reason = HTTPStatus(reply.status).phrase
    date = datetime.now(UTC) + timedelta(seconds=reply.ahead)
    lines = [f"HTTP/1.1 {reply.status} {reason}", f"Date: {date:%a, %d %b %Y %H:%M:%S GMT}"]
    lines += [f"{name}: {value}" for name, value in reply.headers.items()]
    lines.append("Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(reply.body)}")
    if not alive:
        lines.append("Connection: close")
    head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
    if head_only:
        connection.sendall(head)
        return True
    body = reply.body
    if reply.cut:
        start = b"%x\r\n" % len(body) if chunked else b""
        connection.sendall(head + start + body[: max(1, len(body) // 2)])
        _hang_up(connection, reset=False)
        return False
    if chunked:
        frame = (head + b"%x\r\n" % len(body), body, b"\r\n0\r\n\r\n") if body else (head, b"0\r\n\r\n")
        connection.sendall(b"".join(frame))
    else:
        connection.sendall(head + body)
    return True


def _hang_up(connection: socket.socket, reset: bool = True) -> None:
    """End a connection from our side, so that a thread waiting on it wakes; `reset` without lingering."""
    try:
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it was closed already


def serve(
    company: Company | None = None,
    *,
    port: int = 0,
    key: str = "simulator-key",
    at: datetime | None = None,
    speed: float | None = None,
    cursor_style: str = "pagination",
    faults: Iterable[str] = (),
    limits: Limits | None = None,
    trial: bool = False,
    clamp: bool = True,
    messages: Mapping[int, str] | None = None,
    disguises: Iterable[str] = (),
) -> Simulator:
    """Serve a company on 127.0.0.1 and return the running simulator; use it in a `with`, or call `stop()`.

    `at` stops the clock there (until it is moved by hand) unless `speed` lets it run. Without `limits` there are none.
    `clamp` answers a `per_page` above 500 with 500 rows, else it is refused with 400. A port in use raises OSError, an
    unknown fault UnknownFaultError, an unknown disguise UnknownDisguiseError.
    """
    service = Service(
        company or Company(),
        Clock(at, speed),
        key=key,
        cursor_style=cursor_style,
        limits=limits,
        trial=trial,
        clamp=clamp,
        messages=messages,
    )
    service.faults.extend(Fault.parse(text) for text in faults)
    service.disguise(*disguises)
    return Simulator(service, port)
