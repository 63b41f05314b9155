"""Encryption on the way to the mail server: whose certificates are trusted."""

import ssl

from django.conf import settings


def tls_context() -> ssl.SSLContext:
    """Return how to check the mail server's certificate: by EMAIL_CA_FILE alone, or by what this machine trusts."""
    return ssl.create_default_context(cafile=settings.EMAIL_CA_FILE or None)
