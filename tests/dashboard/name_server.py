"""A name server that runs here and knows the TXT records a test gives it."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rrset


class NameServer(socketserver.ThreadingUDPServer):
    """`records` are the texts by name; any other name does not exist. With `is_broken` it fails at every question."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.records: dict[str, list[str]] = {}
        self.is_broken = False

    @property
    def address(self) -> tuple[str, int]:
        """Address of the server."""
        return ("127.0.0.1", self.server_address[1])


class _Handler(socketserver.BaseRequestHandler):
    server: NameServer

    def handle(self) -> None:
        data, sock = self.request
        question = dns.message.from_wire(data)
        response = dns.message.make_response(question, recursion_available=True)
        (asked,) = question.question
        texts = self.server.records.get(asked.name.to_text(omit_final_dot=True))
        if self.server.is_broken:
            response.set_rcode(dns.rcode.SERVFAIL)
        elif texts is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
        else:
            # One text over 255 characters comes in pieces; these are short.
            response.answer.append(dns.rrset.from_text(asked.name, 60, "IN", "TXT", *(f'"{text}"' for text in texts)))
        sock.sendto(response.to_wire(), self.client_address)


@contextmanager
def name_server() -> Iterator[NameServer]:
    """Run a name server for the length of the block."""
    with NameServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(5)
