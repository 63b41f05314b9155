"""The bar over the states of enrollments that tables show in each row."""

from dashboard.charts.svg import Segment, split_bar
from dashboard.metrics import Counts
from dashboard.wording.campaign import split_of


def state_bar(counts: Counts) -> tuple[list[Segment], str]:
    """Return the bar's parts, and the same in words."""
    parts, label = split_of(counts)
    return split_bar(parts), label
