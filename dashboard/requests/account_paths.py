"""Paths that name an account: `/account-3/people/` is the page of people in account 3."""

import re
from functools import lru_cache

from django.urls import get_script_prefix, reverse

_NAMED = re.compile(r"/account-([0-9]{1,18})(/.*)", re.DOTALL)
# The assistants' address, as people write it down.
ASSISTANTS_PATHS = ("/mcp", "/mcp/")
# Programs name their account by a token.
_NEVER_NAMED = ("/api/", "/mcp")


def split_path(path: str) -> tuple[int | None, str]:
    """Return the key of the account that a path names, and the path without it."""
    match = _NAMED.fullmatch(path)
    if match is None or match[2].startswith(_NEVER_NAMED):
        return None, path
    return int(match[1]), match[2]


def named_path(account_id: int, path: str) -> str:
    """Return the path, or address on this site, as one of the account."""
    return f"/account-{account_id}{path}"


def address_of(name: str, *keys: object) -> str:
    """Return the address of a page as `reverse` does, remembered: pages have a hundred links to a few views."""
    return _remembered(get_script_prefix(), name, keys)


@lru_cache(maxsize=20_000)
def _remembered(_prefix: str, name: str, keys: tuple[object, ...]) -> str:
    return reverse(name, args=keys)


def unnamed_address(name: str, **parts: str) -> str:
    """Return the address of a page without an account in it: of the sign-in, and of what outsiders open."""
    return split_path(reverse(name, kwargs=parts))[1]
