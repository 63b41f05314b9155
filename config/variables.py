"""Environment variables: each becomes what the settings need, or a sentence that says what to write."""

import json
import os
import re
import ssl
from collections.abc import Mapping
from email.utils import parseaddr
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from config import flags, processes
from config.local import embedded

Value = TypeVar("Value")

# What nobody guesses: 32 characters of any kind, and no run of few.
_SHORTEST_SECRET_KEY, _FEWEST_CHARACTERS = 32, 8


def required(name: str, purpose: str) -> str:
    """Return the variable's value, or say which variable is missing and what it is for."""
    value = os.environ.get(name, "").strip()
    if not value:
        raise ImproperlyConfigured(f"{name} is not set: {purpose}")
    return value


def flag(name: str, *, default: bool) -> bool:
    """Return a yes/no variable; anything but yes or no words is refused rather than guessed."""
    value = os.environ.get(name, "").strip().lower()
    if not value:
        return default
    if value in flags.YES:
        return True
    if value in flags.NO:
        return False
    raise ImproperlyConfigured(f"{name} is {value!r}: write yes or no.")


def count(name: str, *, default: int) -> int:
    """Return a whole number from 0 on; anything else is refused."""
    value = os.environ.get(name, "").strip()
    if not value:
        return default
    if not re.fullmatch(r"[0-9]{1,9}", value):
        raise ImproperlyConfigured(f"{name} is {value!r}: write a whole number from 0 on.")
    return int(value)


def texts(name: str) -> list[str]:
    """Return the texts between the commas; one that holds a comma itself is written in a JSON list."""
    value = os.environ.get(name, "").strip()
    if not value.startswith("["):
        return [text.strip() for text in value.split(",") if text.strip()]
    try:
        found = json.loads(value)
    except ValueError:
        found = None
    if not isinstance(found, list) or not all(isinstance(text, str) and text for text in found):
        raise ImproperlyConfigured(f'{name} is no JSON list of texts: write ["one", "two"], or one,two.')
    return found


def name_servers(name: str) -> list[tuple[str, int]]:
    """Return addresses of name servers and their ports, written 10.0.0.53, 10.0.0.53:5353 or [::1]:5353."""
    found = []
    for text in (part.strip() for part in os.environ.get(name, "").split(",") if part.strip()):
        match = re.fullmatch(r"\[([0-9A-Fa-f:.]+)\](?::([0-9]{1,5}))?|([0-9.]+)(?::([0-9]{1,5}))?", text)
        try:
            if match is None:
                raise ValueError
            address = str(ip_address(match[1] or match[3]))
        except ValueError:
            raise ImproperlyConfigured(
                f"{name} names {text!r}: write addresses of name servers, like 10.0.0.53 or [fd00::53]:5353."
            ) from None
        found.append((address, int(match[2] or match[4] or 53)))
    return found


def secret_key(value: str) -> str:
    """Return a server's SECRET_KEY; one that could be guessed is refused, without showing it."""
    if len(value) < _SHORTEST_SECRET_KEY or len(set(value)) < _FEWEST_CHARACTERS:
        raise ImproperlyConfigured(
            f"SECRET_KEY could be guessed: set a random one of {_SHORTEST_SECRET_KEY} characters or more, such as "
            "`openssl rand -base64 48` prints. Where this one was in use, put it into SECRET_KEY_FALLBACKS, and run "
            "manage.py seal_again once."
        )
    return value


def choice(name: str, values: Mapping[str, Value]) -> Value:
    """Return what a word stands for, the first if the variable is not set; another word is refused."""
    word = os.environ.get(name, "").strip().lower()
    if word and word not in values:
        raise ImproperlyConfigured(f"{name} is {word!r}: write {' or '.join(values)}.")
    return values[word or next(iter(values))]


def secret(name: str, *, at_least: int) -> str:
    """Return a secret, empty if it is not set; one that could be guessed, or no header could carry, is refused."""
    value = os.environ.get(name, "").strip()
    if value and not re.fullmatch(f"[!-~]{{{at_least},}}", value):
        raise ImproperlyConfigured(f"{name} is too short or holds blanks: write {at_least} letters and digits or more.")
    return value


def hosts(text: str) -> list[str]:
    """Return the host names between the commas; what no request could ever name is refused."""
    names = [host.strip() for host in text.split(",") if host.strip()]
    for host in names:
        if not re.fullmatch(r"\*|\.?[\w-]+(\.[\w-]+)*|\[[0-9A-Fa-f:.]+\]", host):
            raise ImproperlyConfigured(
                f"ALLOWED_HOSTS names {host!r}: write names alone, like rollcall.example.com, without https:// or port."
            )
    return names


def public_host(url: str) -> str:
    """Return the host of PUBLIC_URL as requests name it, an IPv6 address in brackets; one below a path is refused."""
    try:
        host = urlsplit(url).hostname if re.match(r"https?://", url) else None
    except ValueError:
        host = None
    if not host:
        raise ImproperlyConfigured(
            f"PUBLIC_URL is {url!r}: write where people reach this site, such as https://rollcall.example.com."
        )
    if urlsplit(url).path.strip("/") or os.environ.get("SCRIPT_NAME", "").strip("/"):
        raise ImproperlyConfigured(
            f"PUBLIC_URL is {url!r}: Rollcall needs a host name of its own, such as https://rollcall.example.com, and "
            "runs below no path, be it of PUBLIC_URL or SCRIPT_NAME."
        )
    return f"[{host}]" if ":" in host else host


def database(url: str) -> dict[str, Any]:
    """Return Django's connection settings for a libpq URL, unix-socket hosts and options included."""
    if not url.startswith(("postgres://", "postgresql://")):
        raise ImproperlyConfigured("DATABASE_URL must start with postgresql://; Rollcall runs on PostgreSQL only.")
    try:
        parts: dict[str, Any] = dict(conninfo_to_dict(url))
    except ProgrammingError as error:
        raise ImproperlyConfigured(f"DATABASE_URL cannot be read: {str(error).splitlines()[0]}.") from None
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.pop("dbname", ""),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": parts.pop("port", ""),
        "CONN_MAX_AGE": 300,
        "CONN_HEALTH_CHECKS": True,
        # A server that says nothing must not keep whoever asks for ever.
        "OPTIONS": {"connect_timeout": "5", "tcp_user_timeout": "30000", **parts},
    }


def celery_url(redis_url: str) -> str:
    """Return the broker URL for a Redis URL; Celery spells unix sockets in its own way."""
    if not redis_url.startswith("unix://"):
        return redis_url
    parts = urlsplit(redis_url)
    database = parse_qs(parts.query).get("db", ["0"])[0]
    return f"redis+socket://{parts.path}?virtual_host={database}"


def email(url: str) -> dict[str, Any]:
    """Return Django's mail settings for smtp://, smtp+tls:// (STARTTLS) or smtps:// URLs."""
    wrong = ImproperlyConfigured("EMAIL_URL must read smtp://, smtp+tls:// or smtps://user:password@host:port.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise wrong from None
    if parts.scheme not in {"smtp", "smtp+tls", "smtps"} or not parts.hostname:
        raise wrong
    return {
        "EMAIL_BACKEND": "dashboard.outbox.backend.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": port or {"smtp": 25, "smtp+tls": 587, "smtps": 465}[parts.scheme],
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_TIMEOUT": 20,
    }


def sender(name: str, *, is_required: bool) -> str:
    """Return whom mail is from; what is not one address, with or without a name before it, is refused."""
    text = os.environ.get(name, "").strip()
    if not text and is_required:
        required(name, "mail servers ask whom mail is from, such as Rollcall <rollcall@example.com>.")
    text = text or "Rollcall <rollcall@localhost>"
    try:
        validate_email(parseaddr(text)[1])
    except ValidationError:
        raise ImproperlyConfigured(
            f"{name} is {text!r}: write one address, such as Rollcall <rollcall@example.com>."
        ) from None
    return text


def certificates(name: str, *, takes_folder: bool = False) -> str:
    """Return a variable that names a file of trusted certificates; one that cannot be used is refused.

    `takes_folder`: it may also be one of OpenSSL's directories of hashed certificates.
    """
    path = os.environ.get(name, "").strip()
    try:
        if path and not (takes_folder and Path(path).is_dir()):
            ssl.create_default_context(cafile=path)
    except OSError:  # what cannot be read and, as an SSLError, what is no certificate
        raise ImproperlyConfigured(
            f"{name} is {path!r}: name a file of certificates (PEM) that this process may read."
        ) from None
    return path


def own_address() -> str:
    """Return where this machine reaches this site: by PORT, else where `bin/run` served it last, else 8000."""
    if not os.environ.get("PORT") and (kept := embedded.kept_address()):
        return kept
    try:
        return f"http://127.0.0.1:{processes.port(os.environ)}"
    except ValueError as error:
        raise ImproperlyConfigured(str(error)) from None


def knowbe4_address(url: str) -> str:
    """Return the address that overrides the region's; what is none is refused, and what holds a password unshown."""
    if "@" in url:
        raise ImproperlyConfigured(
            "KNOWBE4_BASE_URL holds a user or password before an @: write the address without them."
        )
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if url and (not is_address or re.search(r"\s", url) or len(url) > 200):
        raise ImproperlyConfigured(
            f"KNOWBE4_BASE_URL is {url!r}: it must start with https:// and name a host, in at most 200 characters."
        )
    return url


def administrator(address: str) -> str:
    """Return ADMIN_EMAIL; what is not one address is refused."""
    try:
        if address:
            validate_email(address)
    except ValidationError:
        is_one = False
    else:
        is_one = len(address) <= 254
    if not is_one:
        raise ImproperlyConfigured(f"ADMIN_EMAIL is {address!r}: write one address like ann@example.com.")
    return address
