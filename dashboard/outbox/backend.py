"""Mail that somebody waits for (invitations, links, test mails): Django's way to the mail server, mended in two points.

It trusts the certificates that mail trusts, and addresses that Django cannot write go the way scheduled mail does.
"""

import ssl
from email.message import EmailMessage as Message
from functools import cached_property
from smtplib import SMTPException
from typing import Any

from django.core.mail.backends import smtp
from django.core.mail.message import EmailMessage

from config.email_addresses import has_plain_local_part
from dashboard.isolation import isolated
from dashboard.outbox.handing_over import LaterError, RefusedError, UnknownError, addressed, hand_over
from dashboard.outbox.tls import tls_context


class EmailBackend(smtp.EmailBackend):
    """Django's own can only trust what the machine does, and writes letters before the @ as another address."""

    @cached_property
    def ssl_context(self) -> ssl.SSLContext:
        """TLS context that checks the server's certificate."""
        return tls_context()

    def _send(self, email_message: EmailMessage) -> bool:
        email_message.subject = isolated(str(email_message.subject))
        email_message.body = isolated(str(email_message.body))
        foreign = [to for to in email_message.recipients() if not has_plain_local_part(to)]
        if not foreign:
            return bool(super()._send(email_message))  # type: ignore[misc]
        for to in email_message.recipients():
            try:
                hand_over(_copy(email_message, to), to, claim=lambda: True)
            except (LaterError, RefusedError, UnknownError) as error:
                raise SMTPException(str(error)) from error
        return True


def _copy(email_message: Any, to: str) -> Message:
    """Return the message for one recipient, as scheduled mail is written."""
    html = [one.content for one in getattr(email_message, "alternatives", ()) if one.mimetype == "text/html"]
    return addressed(to, str(email_message.subject), str(email_message.body), "".join(map(str, html[:1])))
