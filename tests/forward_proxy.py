"""A forward proxy on this machine: it takes CONNECT to any name and leads to a server that runs here."""

import base64
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class ForwardProxy:
    """`routes` are the ports of this machine by the name asked for; `asked` is what was connected to, `host:port`.

    With a `user` ("user:password") it refuses whoever does not sign in.
    """

    url: str = ""
    user: str = ""
    routes: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)


@contextmanager
def forward_proxy() -> Iterator[ForwardProxy]:
    """Run a proxy for the length of the block."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        proxy = ForwardProxy(f"http://127.0.0.1:{listening.getsockname()[1]}")
        thread = threading.Thread(target=_accept, args=(listening, proxy), daemon=True)
        thread.start()
        yield proxy
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def _accept(listening: socket.socket, proxy: ForwardProxy) -> None:
    with suppress(OSError):
        while True:
            client, _address = listening.accept()
            threading.Thread(target=_serve, args=(client, proxy), daemon=True).start()


def _serve(client: socket.socket, proxy: ForwardProxy) -> None:
    with client, suppress(OSError):
        head = b""
        while b"\r\n\r\n" not in head:
            data = client.recv(4096)
            if not data:
                return
            head += data
        method, target, _version = head.split(b"\r\n")[0].decode().split()
        proxy.asked.append(target)
        port = proxy.routes.get(target.partition(":")[0])
        token = f"Basic {base64.b64encode(proxy.user.encode()).decode()}"
        is_let_in = not proxy.user or f"Proxy-Authorization: {token}".encode() in head.split(b"\r\n")
        if method != "CONNECT" or port is None or not is_let_in:
            client.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            return
        with socket.create_connection(("127.0.0.1", port)) as server:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_carry, args=(server, client), daemon=True)
            back.start()
            _carry(client, server)
            back.join(5)


def _carry(source: socket.socket, to: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            to.sendall(data)
    with suppress(OSError):
        to.shutdown(socket.SHUT_WR)
