"""Search by name."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Search:
    """Search words; none by default.

    `is_lost`: the address names a search that is not kept any more, or is another reader's. It finds nobody.
    """

    text: str = ""
    is_lost: bool = False

    def __bool__(self) -> bool:
        return bool(self.text) or self.is_lost


NOTHING = Search()
