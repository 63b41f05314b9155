"""A staging table: its columns, and how a decoded row fills them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Row = tuple[Any, ...]


@dataclass(frozen=True)
class StageTable:
    """A staging table: its columns with their types, and how a decoded row fills them."""

    name: str
    columns: tuple[tuple[str, str], ...]
    row: Callable[[Any, str], Row]

    @property
    def column_names(self) -> list[str]:
        """The names in the order `row` fills them."""
        return [name for name, _ in self.columns]

    @property
    def types(self) -> list[str]:
        """The Postgres types, in the same order."""
        return [kind for _, kind in self.columns]


# The longest text that Postgres' indexes take, whatever its characters: emails, departments and titles are in some.
LONGEST_INDEXED = 600


def indexed(text: str | None) -> str:
    """Return a text that an index can hold; nobody's email or title is longer."""
    return (text or "")[:LONGEST_INDEXED]
