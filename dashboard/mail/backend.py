"""Mail that Django sends by itself (invitations, links, test mails), with the certificates that mail trusts."""

import ssl
from functools import cached_property

from django.core.mail.backends import smtp

from dashboard.mail.tls import tls_context


class EmailBackend(smtp.EmailBackend):
    """Django's own, which can only trust what the machine does."""

    @cached_property
    def ssl_context(self) -> ssl.SSLContext:
        """How to check the server's certificate."""
        return tls_context()
