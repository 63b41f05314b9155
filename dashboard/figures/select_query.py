"""A whole list as one SELECT, for whoever writes it out row by row: an export, a report."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection


@dataclass(frozen=True)
class SelectQuery:
    """A list: the columns it can have, by name as SQL; where they come from; in which order; and the values of all.

    `joins` are sources that only some columns need, by the alias that begins those columns' SQL. One may need another
    that stands before it.
    """

    columns: Mapping[str, str]
    source: str
    order: str
    values: Mapping[str, Any] = field(default_factory=dict)
    joins: Mapping[str, str] = field(default_factory=dict)

    def select(self, names: Iterable[str]) -> str:
        """Return the SELECT of these columns, named so, in this order. KeyError for one that the list has not."""
        wanted = list(names)
        asked = " ".join([*(self.columns[name] for name in wanted), self.order])
        needed: list[str] = []
        for alias, join in reversed([*self.joins.items()]):
            if f"{alias}." in asked:
                needed.insert(0, join)
                asked += join
        listed = ", ".join(f"{self.columns[name]} AS {name}" for name in wanted)
        return f"SELECT {listed} FROM {self.source} {' '.join(needed)} ORDER BY {self.order}"

    def count(self) -> int:
        """Return how many rows there are."""
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {self.source}", self.values)
            return int(cursor.fetchone()[0])
