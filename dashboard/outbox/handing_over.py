"""Talking to the mail server, step by step, so that it is always known whether a mail can have gone out.

Up to the server's word that it is ready for the message nothing is sent, whatever happens. Then the caller's `claim` is
asked; after that the message goes out, and only the server's last word tells whether it took it.
"""

import re
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.policy import SMTPUTF8
from email.utils import make_msgid, parseaddr
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from config.email_addresses import on_the_wire
from dashboard.isolation import isolated, isolated_html
from dashboard.outbox.tls import tls_context

READY_FOR_MESSAGE = 354
_TIMEOUT = 20
_DOT = re.compile(rb"^\.", re.MULTILINE)


class LaterError(Exception):
    """Nothing was sent, and trying again may help; the sentence says why. `is_of_server`: it holds for every mail."""

    def __init__(self, said: str, *, is_of_server: bool) -> None:
        super().__init__(said)
        self.is_of_server = is_of_server


class RefusedError(Exception):
    """The server refused this mail for good; the sentence says what it said."""


class UnknownError(Exception):
    """The message went out and the server's answer never came: it may have been delivered."""


class TakenError(Exception):
    """Somebody else hands this mail over: nothing was sent."""


def is_set_up() -> bool:
    """Return whether there is a mail server to talk to (EMAIL_URL)."""
    return settings.HAS_MAIL_SERVER


def message_id() -> str:
    """Return an id for a message, in the name of this site."""
    return make_msgid(domain=urlsplit(settings.PUBLIC_URL).hostname or "localhost")


def addressed(to: str, subject: str, text: str, html: str = "") -> EmailMessage:
    """Return a mail from this site, as text and, if there is any, HTML; machines are asked not to answer it.

    The subject becomes one line, and foreign text in all three is isolated.
    """
    subject = isolated(" ".join(subject.split()))
    with suppress(UnicodeError):
        # Handing it over says what is wrong with a domain that is none.
        to = on_the_wire(to)
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, settings.DEFAULT_FROM_EMAIL, to
    message["Message-ID"], message["Auto-Submitted"] = message_id(), "auto-generated"
    message["Date"] = timezone.now()
    message.set_content(isolated(text))
    if html:
        message.add_alternative(isolated_html(html), subtype="html")
    return message


def hand_over(message: EmailMessage, to: str, *, claim: Callable[[], bool]) -> None:
    """Hand one message over to the server for one recipient.

    `claim` is called once, when the server is ready for the message; where it says no, TakenError and nothing is sent.
    Raises what the classes above say; what `claim` raises, too, and then nothing is sent either.
    """
    try:
        to = on_the_wire(to)
    except UnicodeError as error:
        said = _("There is no mail domain %(domain)s.") % {"domain": to.rpartition("@")[2]}
        raise RefusedError(said) from error
    server = _connected()
    try:
        _announce(server, to)
        if not claim():
            raise TakenError
        _send(server, message)
    finally:
        # A word of farewell; the server may be gone.
        with suppress(OSError, smtplib.SMTPException):
            server.putcmd("quit")
        server.close()


def _connected() -> smtplib.SMTP:
    """Return a session with the server, encrypted and signed in as EMAIL_URL says."""
    context, place = tls_context(), (settings.EMAIL_HOST, settings.EMAIL_PORT)
    timeout = settings.EMAIL_TIMEOUT or _TIMEOUT
    server: smtplib.SMTP | None = None
    try:
        if settings.EMAIL_USE_SSL:
            server = smtplib.SMTP_SSL(*place, timeout=timeout, context=context)
        else:
            server = smtplib.SMTP(*place, timeout=timeout)
        server.ehlo_or_helo_if_needed()
        if settings.EMAIL_USE_TLS:
            server.starttls(context=context)
            server.ehlo_or_helo_if_needed()
        if settings.EMAIL_HOST_USER:
            server.login(settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD)
    except (OSError, smtplib.SMTPException, UnicodeError) as error:
        if server is not None:
            server.close()
        raise LaterError(_why_not(error), is_of_server=True) from error
    return server


def _why_not(error: Exception) -> str:
    """Say why there is no session. Servers' own words are shown, never what we sent."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return _("The mail server refuses the user or password of EMAIL_URL (%(code)s).") % {"code": error.smtp_code}
    if isinstance(error, ssl.SSLCertVerificationError):
        return _("The mail server's certificate cannot be trusted: %(why)s.") % {"why": error.verify_message}
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return _("The mail server does not offer what EMAIL_URL asks for: encryption or signing in.")
    if isinstance(error, smtplib.SMTPResponseException):
        return _("The mail server does not take mail just now: %(said)s.") % {"said": _said(error)}
    if isinstance(error, TimeoutError):
        return _("The mail server does not answer.")
    return _("The mail server cannot be reached.")


def _announce(server: smtplib.SMTP, to: str) -> None:
    """Say from whom and for whom, up to the server's word that it is ready.

    Whatever goes wrong here is counted as this mail's trouble: others have had the server's ear, and if not, this one
    is given up after days, and told of, instead of waiting for ever.
    """
    sender = on_the_wire(parseaddr(settings.DEFAULT_FROM_EMAIL)[1])
    options = [] if to.isascii() and sender.isascii() else ["SMTPUTF8"]
    if options and not server.has_extn("smtputf8"):
        why = _("The mail server cannot take addresses like %(local)s@.")
        if to.isascii():
            raise LaterError(why % {"local": sender.rpartition("@")[0]}, is_of_server=True)
        raise RefusedError(why % {"local": to.rpartition("@")[0]})
    try:
        steps = (
            lambda: server.mail(sender, options),
            lambda: server.rcpt(to),
            lambda: server.docmd("data"),
        )
        for step in steps:
            code, said = step()
            if code not in {250, 251, READY_FOR_MESSAGE}:
                _refuse(smtplib.SMTPResponseException(code, said))
    except smtplib.SMTPServerDisconnected as error:
        raise LaterError(_("The mail server hung up."), is_of_server=False) from error
    except (OSError, smtplib.SMTPException, UnicodeError) as error:
        raise LaterError(_why_not(error), is_of_server=False) from error


def _send(server: smtplib.SMTP, message: EmailMessage) -> None:
    """Send the message itself and hear the server's last word."""
    policy = SMTP_POLICY if str(message["To"]).isascii() else SMTPUTF8
    # A line that is one dot ends the message: one more dot keeps it a line of text.
    content = _DOT.sub(b"..", message.as_bytes(policy=policy))
    try:
        server.send(content + (b"" if content.endswith(b"\r\n") else b"\r\n") + b".\r\n")
        code, said = server.getreply()
    except (OSError, smtplib.SMTPException) as error:
        raise UnknownError(_("The mail server fell silent while it was taking the mail.")) from error
    if code != 250:
        _refuse(smtplib.SMTPResponseException(code, said))


def _refuse(error: smtplib.SMTPResponseException) -> None:
    """Raise what a refusal means: codes from 500 are for good, others for now."""
    if error.smtp_code >= 500:
        raise RefusedError(_("The mail server refused it: %(said)s.") % {"said": _said(error)}) from error
    said = _("The mail server put it off: %(said)s.") % {"said": _said(error)}
    raise LaterError(said, is_of_server=error.smtp_code == 421) from error


def _said(error: smtplib.SMTPResponseException) -> str:
    text = error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
    words = " ".join(text.split())[:200].rstrip(".")
    return f"{error.smtp_code} {words}".strip()
