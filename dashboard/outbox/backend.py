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
from dashboard.outbox.handing_over import LaterError, RefusedError, UnknownError, addressed, hand_over
from dashboard.outbox.tls import tls_context


class EmailBackend(smtp.EmailBackend):
    """Django's own can only trust what the machine does, and writes letters before the @ as another address."""

    @cached_property
    def ssl_context(self) -> ssl.SSLContext:
        """How to check the server's certificate."""
        return tls_context()

    def _send(self, email_message: EmailMessage) -> bool:
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
    message = addressed(to, " ".join(str(email_message.subject).split()))
    message.set_content(email_message.body)
    for alternative in getattr(email_message, "alternatives", ()):
        message.add_alternative(alternative.content, subtype=alternative.mimetype.partition("/")[2])
    return message
