"""A real mail server on this machine, which takes mail as asked: plainly, encrypted, refusing, hanging, hanging up."""

import asyncio
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

USER, PASSWORD = "rollcall", "pass:word@1"


@dataclass
class Inbox:
    """Received mails, and the server's behavior: `answers` by command ("RCPT", "DATA") are said instead of a yes.

    `hang` names the command after which it falls silent; `held` are messages it took while doing so.
    """

    mails: list[EmailMessage] = field(default_factory=list)
    to: list[str] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    hang: str = ""
    connections: int = 0
    signed_in: list[str] = field(default_factory=list)

    async def handle_EHLO(self, server: Any, session: Any, envelope: Any, hostname: str, responses: Any) -> Any:  # noqa: N802
        """Greet."""
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        """Take a recipient."""
        if self.hang == "RCPT":
            await asyncio.sleep(60)
        if "RCPT" in self.answers:
            return self.answers["RCPT"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        """Take a message."""
        if "DATA" in self.answers:
            return self.answers["DATA"]
        parsed = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        self.mails.append(parsed)
        self.to += envelope.rcpt_tos
        if self.hang == "DATA":
            await asyncio.sleep(60)
        return "250 Taken"


class _Server(Controller):
    """A server whose first call, which has it ready, trusts its certificate."""

    def _trigger_server(self) -> None:
        with socket.create_connection((self.hostname, self.port), timeout=20) as sock:
            if self.ssl_context is None:
                sock.recv(100)
                return
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            with context.wrap_socket(sock) as secured:
                secured.recv(100)


@contextmanager
def serving(inbox: Inbox, *, secure: str = "", certificate: tuple[Path, Path] | None = None, asks: bool = False,
            port: int = 0, takes_any_letters: bool = True) -> Iterator[int]:  # fmt: skip
    """Serve until the block ends; yield the port. `secure` is "starttls" or "tls"; `asks` wants user and password."""
    options: dict[str, Any] = {}
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
    if secure == "starttls":
        options |= {"tls_context": context, "require_starttls": True}
    if asks:

        def check(_server: Any, _session: Any, _envelope: Any, _mechanism: Any, given: Any) -> AuthResult:
            inbox.signed_in.append(given.login.decode())
            is_right = (given.login, given.password) == (USER.encode(), PASSWORD.encode())
            return AuthResult(success=is_right, handled=False)

        # The server knows of encryption that was asked for, not of such as was there from the first byte.
        is_asked_for = secure == "starttls"
        options |= {"authenticator": check, "auth_required": is_asked_for, "auth_require_tls": is_asked_for}
    controller = _Server(
        inbox,
        hostname="127.0.0.1",
        port=port or free_port(),
        ssl_context=context if secure == "tls" else None,
        ready_timeout=20,
        enable_SMTPUTF8=takes_any_letters,
        **options,
    )
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop(no_assert=True)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def certificate_in(folder: Path, *names: str) -> tuple[Path, Path]:
    """Make a certificate for this machine's address and these names, signed by itself; return it and its key."""
    certificate, key = folder / "server.pem", folder / "server.key"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-keyout", str(key), "-out", str(certificate), "-days", "2", "-subj", "/CN=mail.example"),
            *("-addext", "subjectAltName=" + ",".join(["IP:127.0.0.1", *(f"DNS:{name}" for name in names)])),
        ],
        check=True,
        capture_output=True,
    )
    return certificate, key
