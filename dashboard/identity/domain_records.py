"""DNS records that prove whose a domain is."""

import dns.exception
import dns.resolver
from django.conf import settings
from django.utils.translation import gettext as _

# For the whole question, retries included.
_SECONDS = 8


class CannotAskError(Exception):
    """The name servers did not answer; the message is a sentence to show."""


def texts_at(name: str) -> list[str]:
    """Return the texts of the TXT records of a name; none where it has none, or there is no such name.

    Asks the name servers of DNS_SERVERS, else this machine's. CannotAskError where they do not answer.
    """
    try:
        resolver = dns.resolver.Resolver(configure=not settings.DNS_SERVERS)
        if settings.DNS_SERVERS:
            resolver.nameservers = [dns.nameserver.Do53Nameserver(*server) for server in settings.DNS_SERVERS]
        answer = resolver.resolve(name, "TXT", lifetime=_SECONDS)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except dns.exception.DNSException as error:
        raise CannotAskError(
            _("The name servers did not answer (%(error)s). Try again in a while.") % {"error": type(error).__name__}
        ) from None
    return [b"".join(record.strings).decode(errors="replace") for record in answer]
