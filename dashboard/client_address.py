"""Where a request comes from: the client's address, and the network it is in."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest

# A network is enough to tell the office from elsewhere, and names no household.
IPV4_BITS, IPV6_BITS = 24, 48


def client_address(request: HttpRequest) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address of the client, None when it is unknown.

    Behind proxies it is the one they vouch for: as many entries of X-Forwarded-For, from the end, as the setting
    TRUSTED_PROXIES counts. Whatever a client writes there itself is further to the front.
    """
    text = request.META.get("REMOTE_ADDR", "")
    forwarded = [entry for entry in request.headers.get("X-Forwarded-For", "").split(",") if entry.strip()]
    trusted = settings.TRUSTED_PROXIES
    if trusted and len(forwarded) >= trusted:
        text = forwarded[-trusted]
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def client_network(request: HttpRequest) -> str:
    """Return the network the client is in, like 192.0.2.0/24 or 2001:db8:1::/48; empty when it is unknown."""
    address = client_address(request)
    if address is None:
        return ""
    bits = IPV4_BITS if address.version == 4 else IPV6_BITS
    return str(ipaddress.ip_network((address, bits), strict=False))
