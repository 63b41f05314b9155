"""Address of a request's client, and the network it is in."""

import ipaddress
import logging
import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

logger = logging.getLogger(__name__)

# A network is enough to tell the office from elsewhere, and names no household.
IPV4_BITS, IPV6_BITS = 24, 48
# How often, in seconds, one process says that a proxy is not trusted.
SAID_EVERY = 3600.0


def client_address(request: HttpRequest) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address of the client, None when it is unknown.

    Behind proxies it is the one they vouch for: as many entries of X-Forwarded-For, from the end, as the setting
    TRUSTED_PROXIES counts. Whatever a client writes there itself is further to the front.
    """
    text = request.META.get("REMOTE_ADDR", "")
    forwarded, trusted = _forwarded(request), settings.TRUSTED_PROXIES
    if trusted and len(forwarded) >= trusted:
        text = forwarded[-trusted]
    return _parsed(text)


def client_network(request: HttpRequest) -> str:
    """Return the network the client is in, like 192.0.2.0/24 or 2001:db8:1::/48; empty when it is unknown."""
    return _network(client_address(request))


class ForwardedMiddleware:
    """Say in the log, now and then, that somebody sends X-Forwarded-For whom TRUSTED_PROXIES does not believe.

    Behind such a proxy everybody has the proxy's address: the wrong sign-ins of one stranger lock all others out.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._said_at: float | None = None

    def __call__(self, request: HttpRequest) -> HttpResponse:
        trusted = settings.TRUSTED_PROXIES
        if "HTTP_X_FORWARDED_FOR" in request.META and (not trusted or len(_forwarded(request)) < trusted):
            self._say(request)
        return self.get_response(request)

    def _say(self, request: HttpRequest) -> None:
        now = time.monotonic()
        if self._said_at is not None and now - self._said_at < SAID_EVERY:
            return
        self._said_at = now
        logger.warning(
            "A request from %s came with X-Forwarded-For, which is not believed: TRUSTED_PROXIES is %d, and its "
            "entries are %d. Behind a proxy all readers then count as one, and wrong sign-ins of any lock out all: "
            "set TRUSTED_PROXIES to the number of proxies in front. Without a proxy, somebody made it up.",
            _network(_parsed(request.META.get("REMOTE_ADDR", ""))) or "an unknown address",
            settings.TRUSTED_PROXIES,
            len(_forwarded(request)),
        )


def _forwarded(request: HttpRequest) -> list[str]:
    return [entry for entry in request.headers.get("X-Forwarded-For", "").split(",") if entry.strip()]


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def _network(address: ipaddress.IPv4Address | ipaddress.IPv6Address | None) -> str:
    if address is None:
        return ""
    bits = IPV4_BITS if address.version == 4 else IPV6_BITS
    return str(ipaddress.ip_network((address, bits), strict=False))
