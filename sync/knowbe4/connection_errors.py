"""Causes of connections to KnowBe4 that failed or did not last."""

import requests
import urllib3


def explain(error: BaseException) -> tuple[str, str]:
    """Return what went wrong on the way and what to do, in a few words and without the error's own text."""
    advice = "check the network, the region and KNOWBE4_BASE_URL"
    reason = getattr(error.args[0], "reason", None) if error.args else None
    match error:
        case requests.ConnectTimeout():
            return "no connection in time", f"{advice}; a firewall may be in the way"
        case requests.Timeout() | urllib3.exceptions.TimeoutError():
            return "no answer in time", advice
        case requests.exceptions.SSLError() | urllib3.exceptions.SSLError():
            return (
                "no trusted certificate",
                "if a proxy opens TLS here, point REQUESTS_CA_BUNDLE at its certificates; else check KNOWBE4_BASE_URL",
            )
        case requests.exceptions.ProxyError():
            return "the proxy failed", "check HTTPS_PROXY and NO_PROXY"
        case urllib3.exceptions.ProtocolError() | requests.exceptions.ChunkedEncodingError():
            return "the connection was cut", advice
        case requests.ConnectionError() if isinstance(reason, urllib3.exceptions.NameResolutionError):
            return "no such name", "check this machine's DNS, and KNOWBE4_BASE_URL if it is set"
        case requests.ConnectionError():
            return "no connection", advice
        case _:
            return "the connection failed", advice
