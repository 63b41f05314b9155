"""Switches for whoever watches Rollcall from outside: errors to Sentry, lines of the log as JSON, metrics.

Each needs a package of requirements/monitoring.txt, which nothing else does.
"""

from importlib.util import find_spec
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from config.log_format import clean
from config.version import VERSION

# Parts of an event for Sentry that may hold what somebody typed.
_LEFT_OUT = frozenset({"request", "user", "extra", "breadcrumbs"})


def require(package: str, variable: str) -> None:
    """Raise ImproperlyConfigured where the package that a variable needs is not installed."""
    if find_spec(package) is None:
        raise ImproperlyConfigured(f"{variable} needs the package {package}: run bin/install monitoring, or unset it.")


def report_errors(dsn: str, environment: str) -> None:
    """Send errors to Sentry, without anything that tells of people: no values of variables, bodies or addresses."""
    require("sentry_sdk", "SENTRY_DSN")
    import sentry_sdk  # noqa: PLC0415 - an optional package
    from sentry_sdk.integrations.celery import CeleryIntegration  # noqa: PLC0415
    from sentry_sdk.integrations.django import DjangoIntegration  # noqa: PLC0415
    from sentry_sdk.utils import BadDsn  # noqa: PLC0415

    try:
        sentry_sdk.init(
            dsn,
            integrations=[DjangoIntegration(), CeleryIntegration()],
            auto_enabling_integrations=False,
            release=f"rollcall@{VERSION}",
            environment=environment,
            send_default_pii=False,
            include_local_variables=False,
            max_request_body_size="never",
            max_breadcrumbs=0,
            before_send=_without_people,
        )
    except BadDsn as error:
        raise ImproperlyConfigured(f"SENTRY_DSN cannot be read: {error}.") from None


def _without_people(event: Any, _hint: Any) -> Any:
    """Leave out of an event what an address or a message may tell of somebody."""
    kept = {name: value for name, value in event.items() if name not in _LEFT_OUT}
    if "logentry" in kept:
        # What was to be said, without what it was said of.
        kept["logentry"] = {"message": kept["logentry"].get("message", "")}
    # "rollcall@0.2.0" reads like an address.
    return _cleaned(kept) | {name: kept[name] for name in ("release",) if name in kept}


def _cleaned(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _cleaned(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_cleaned(one) for one in value]
    return clean(value) if isinstance(value, str) else value
