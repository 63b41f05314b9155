"""A staging table: its columns, each with its type and where its value comes from in a decoded row."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Any

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Column:
    """A column: its name, its Postgres type, and the extractor of its value from a decoded row.

    `with_key` is the extractor where the list's key tells something that its rows do not; it takes the key, too.
    """

    name: str
    type: str
    of: Callable[[Any], Any] = lambda item: None
    with_key: Callable[[Any, str], Any] | None = None


def column(name: str, type: str, attribute: str = "") -> Column:  # noqa: A002 - Postgres' own word
    """Return a column of the value that an attribute of the row has: the one of its own name, if none is given."""
    return Column(name, type, attrgetter(attribute or name))


def text(name: str, attribute: str = "") -> Column:
    """Return a column of a text, empty for none."""
    read = attrgetter(attribute or name)
    return Column(name, "text", lambda item: read(item) or "")


def indexed_text(name: str, attribute: str = "") -> Column:
    """Return a column of a text that an index can hold; empty for none."""
    read = attrgetter(attribute or name)
    return Column(name, "text", lambda item: indexed(read(item)))


@dataclass(frozen=True)
class StageTable:
    """A staging table: its name, and its columns in their order."""

    name: str
    entries: tuple[Column, ...]

    @cached_property
    def columns(self) -> tuple[tuple[str, str], ...]:
        """The columns' names and Postgres types."""
        return tuple((entry.name, entry.type) for entry in self.entries)

    @property
    def column_names(self) -> list[str]:
        """The names in the order `row` fills them."""
        return [entry.name for entry in self.entries]

    @property
    def types(self) -> list[str]:
        """The Postgres types, in the same order."""
        return [entry.type for entry in self.entries]

    @cached_property
    def _extractors(self) -> list[Callable[[Any], Any]]:
        return [entry.of for entry in self.entries]

    @cached_property
    def _with_key(self) -> list[tuple[int, Callable[[Any, str], Any]]]:
        return [(place, entry.with_key) for place, entry in enumerate(self.entries) if entry.with_key]

    def row(self, item: Any, key: str) -> Row:
        """Return the values of a decoded row that came in the list `key`."""
        values = [of(item) for of in self._extractors]
        for place, of in self._with_key:
            values[place] = of(item, key)
        return tuple(values)


# The longest text that Postgres' indexes take, whatever its characters: emails, departments and titles are in some.
LONGEST_INDEXED = 600


def indexed(text: str | None) -> str:
    """Return a text that an index can hold; nobody's email or title is longer."""
    return (text or "")[:LONGEST_INDEXED]
