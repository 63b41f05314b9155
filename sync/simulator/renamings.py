"""Departments that are called otherwise from a moment on: renamed, merged into another, or split."""

from datetime import datetime
from typing import NamedTuple

from .seeded_random import noise
from .timestamps import seconds


class Renaming(NamedTuple):
    """From `since` on, `share` of those whose department's text is `old` have `new` instead.

    Texts are compared without case, and with any blanks as one.
    """

    since: int
    old: str
    new: str
    share: float


class Renamings:
    """Renamings of departments, in the order of time; each reads what the one before it left."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._all: list[Renaming] = []

    def rename(self, old: str, new: str, at: datetime, share: float = 1.0) -> None:
        """Call a department otherwise from a moment on. A split is two of them, a merge one to a name in use.

        ValueError for a share outside 0 to 1.
        """
        if not 0 <= share <= 1:
            raise ValueError("A share is 0 to 1.")
        self._all.append(Renaming(seconds(at), old, new, share))
        self._all.sort(key=lambda renaming: renaming.since)

    def apply(self, text: str | None, person: int, at: int) -> str | None:
        """Return the department's text of a person (by index) at a second; blank stays blank."""
        for since, old, new, share in self._all:
            if since > at or text is None or " ".join(text.split()).casefold() != old.casefold():
                continue
            if share >= 1 or noise(self._seed, "renamed", since, person) < share:
                text = new
        return text
