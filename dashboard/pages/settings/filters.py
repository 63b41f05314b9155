"""The bar of filters above lists of settings: words to choose from, and a search."""

from collections.abc import Iterable, Sequence
from typing import Any

from dashboard.requests.filter_choices import Choice, Control, FilterBar
from dashboard.requests.searches import PARAMETER
from dashboard.scoped_request import ScopedRequest

Offer = tuple[str, Any, Sequence[tuple[str, Any]]]


def filter_bar(
    request: ScopedRequest, offers: Iterable[Offer], *, target: str, everything: Any, searched: bool = False
) -> FilterBar:
    """Return the bar for these filters: each a name in the address, a label and its values with their words.

    `everything` is the word for "not set". A search and a campaign are cleared with the filters; `searched` is
    whether they narrow the list.
    """
    controls = []
    for name, label, values in offers:
        chosen = request.GET.get(name, "")
        choices = [Choice("", str(everything), not chosen)]
        choices += [Choice(str(value), str(words), str(value) == chosen) for value, words in values]
        controls.append(Control(name, str(label), tuple(choices), bool(chosen), _address(request, {name})))
    mine = {"name", "page", *(control.name for control in controls)}
    kept = tuple((name, value) for name, values in request.GET.lists() if name not in mine for value in values if value)
    kind = SearchedBar if searched else FilterBar
    return kind(tuple(controls), kept, _address(request, {*mine, "campaign", PARAMETER}), target)


class SearchedBar(FilterBar):
    """A bar beside a search that finds less than everything."""

    @property
    def is_narrowed(self) -> bool:
        """Always: the search narrows."""
        return True


def _address(request: ScopedRequest, without: Iterable[str]) -> str:
    left = request.GET.copy()
    for name in (*without, "page"):
        left.pop(name, None)
    return f"?{left.urlencode()}"
