"""Format of the log's lines: without anybody's address, without secret links, and without the values of rows.

Nothing logs them on purpose. This is for texts that come from elsewhere: a database's detail of what it refused, an
address line, another library's message.
"""

import logging
import re

ADDRESS = re.compile(r"[^\s@<>\"'(),;:=/]+@[^\s@<>\"'(),;:=/]+\.[^\s@<>\"'(),;:=/]+")
# Postgres quotes the row it refuses.
DETAIL = re.compile(r"^(\s*DETAIL:).*$", re.MULTILINE)
# Links that let their bearer in: what follows is the secret.
SECRET = re.compile(r"(/invitation/++|/domain/++|/password/reset/++(?!sent/|done/))[^/\s\"'?]+", re.IGNORECASE)
# The same in a link that was mangled on its way, and any other token.
TOKEN = re.compile(r"(?<=/)[A-Za-z0-9_~:=%-]{40,}")
QUERY = re.compile(r"(\s/[^\s?]*)\?[^\s\"]+")


def clean(text: str) -> str:
    """Return a text of the log without addresses, details of rows, query strings and secret links."""
    text = TOKEN.sub("(left out)", SECRET.sub(r"\1(left out)", DETAIL.sub(r"\1 (left out)", text)))
    return QUERY.sub(r"\1?(left out)", ADDRESS.sub("(address)", text))


class Formatter(logging.Formatter):
    """Writes a record, its exception too, without addresses, details of rows, query strings and secret links."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line or lines."""
        return clean(super().format(record))
