"""A field of a list's rows: what it is called, what kind of value it has, what it means, and where the value is."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """Kind of a value.

    An id is a whole number that nobody calculates with. A day is a local day of the account; a moment is told in local
    time to people and in UTC to programs. A number may have decimals; a rate is a `Rate`. A choice is one of a few
    words. Objects are a list of objects with fields of their own.
    """

    TEXT = "text"
    ID = "id"
    INTEGER = "integer"
    NUMBER = "number"
    RATE = "rate"
    DAY = "day"
    MOMENT = "moment"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    OBJECTS = "objects"


# Of a word that is kept as it came.
OWN_WORD = "KnowBe4's own word."


@dataclass(frozen=True)
class Field:
    """One field of a row.

    `label` heads its column in pages and files; `meaning` tells programs and assistants what it is. `sql` names the
    sources that lists of its rows share (`person`, `enrollment`, ...); without it the list's own source has the value
    under the field's name. `of` reads the value from rows that are objects. `orm` is the path to what the mirror holds,
    from the row's own model.

    `words` are all that a choice can be, each with its label; `parts` the fields of each object of a list.
    `api` is its name in the API, where that is another; `is_in_api`: whether the API has it at all.
    """

    name: str
    kind: Kind
    meaning: str = ""
    example: Any = None
    can_be_null: bool = False
    label: Any = ""
    words: Mapping[str, Any] = field(default_factory=dict)
    parts: tuple["Field", ...] = ()
    sql: str = ""
    of: Callable[[Any], Any] | None = None
    orm: str = ""
    api: str = ""
    is_in_api: bool = True


def by_name(*fields: Field) -> dict[str, Field]:
    """Return the fields by name, in their order. ValueError for two of one name."""
    found = {one.name: one for one in fields}
    if len(found) < len(fields):
        raise ValueError("Two fields have one name.")
    return found


def of_api(fields: Mapping[str, Field]) -> tuple[Field, ...]:
    """Return the fields that the API has, named as it names them."""
    return tuple(replace(one, name=one.api or one.name) for one in fields.values() if one.is_in_api)


def selected(fields: Iterable[Field], source: str, **own: str) -> dict[str, str]:
    """Return the SQL of each field by its name, for a `SelectQuery`: `own` are a list's own expressions.

    `source` is the alias of the list's source, which has what no shared source has.
    """
    return {one.name: own.get(one.name) or one.sql or f"{source}.{one.name}" for one in fields}
