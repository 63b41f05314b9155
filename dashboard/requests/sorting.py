"""Order of a list in its address, and the heads of its columns, which lead to every order.

`sort=name` rises, `sort=-name` falls. Older addresses say which way beside it: `sort=name&order=desc`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Generic, TypeVar

from django.core.exceptions import BadRequest
from django.http import QueryDict

_Sort = TypeVar("_Sort", bound=StrEnum)
_WAYS = {"": None, "asc": False, "desc": True}


@dataclass(frozen=True)
class Order(Generic[_Sort]):
    """Order of a list: by one of its words, rising or falling."""

    by: _Sort
    is_descending: bool = False


def order_in(query: QueryDict, usual: Order[_Sort]) -> Order[_Sort]:
    """Return the order that an address asks for, the usual one if none. BadRequest for what orders nothing."""
    text, way = query.get("sort") or "", query.get("order") or ""
    if way not in _WAYS:
        raise BadRequest("order is asc or desc")
    try:
        by = type(usual.by)(text.removeprefix("-")) if text else usual.by
    except ValueError:
        raise BadRequest("sort is not one of the columns") from None
    is_descending = text.startswith("-") if text else usual.is_descending
    told = _WAYS[way]
    return Order(by, is_descending if told is None else told)


@dataclass(frozen=True)
class Column:
    """A column of a table on a page: its label, its class, and what it is called where the list is ordered by it.

    `sort` is None where nothing is ordered by it. What `starts_high` begins with the largest, or the latest, when it is
    chosen anew. `order` is how the list is ordered by it (`aria-sort`), empty unless it is; `asks_for` what its link
    asks for, empty without one.
    """

    label: Any
    sort: StrEnum | None = None
    css: str = ""
    starts_high: bool = False
    order: str = ""
    asks_for: str = ""

    @property
    def icon(self) -> str:
        """The arrow of the column the list is ordered by; none for the others."""
        return {"ascending": "up", "descending": "down"}.get(self.order, "")


def ordered(columns: Iterable[Column], order: Order[Any]) -> list[Column]:
    """Return the columns as the heads of a list in this order: a click on the one it goes by turns it round."""
    return [_ordered(column, order) for column in columns]


def _ordered(column: Column, order: Order[Any]) -> Column:
    if column.sort is None:
        return column
    is_current = column.sort == order.by
    falls = not order.is_descending if is_current else column.starts_high
    return replace(
        column,
        order=("descending" if order.is_descending else "ascending") if is_current else "",
        asks_for=f"-{column.sort}" if falls else str(column.sort),
    )
