"""Base of every row of KnowBe4's API."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta, Struct

Integer = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
"""A whole number that Postgres' BIGINT holds; anything larger rejects the row."""

Small = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
"""A count, a percentage or a length of time that Postgres' INTEGER holds; anything larger rejects the row."""

Moment = Annotated[datetime, Meta(tz=True)]
"""A moment with its zone; KnowBe4 sends UTC."""

if TYPE_CHECKING:
    NumberedText = str
else:
    NumberedText = str | int
"""Text that KnowBe4 also sends as a number; readers always find text."""


class Payload(Struct, gc=False):
    """A row of KnowBe4's API."""

    renamed: ClassVar[Mapping[str, str]] = {}
    """KnowBe4's earlier key -> today's."""
