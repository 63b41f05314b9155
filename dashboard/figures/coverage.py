"""Coverage: whether tallies can answer a question, and from where to sum them. Every reading of them asks here.

A filter that no tally is kept by sends the question to the facts: of a new one that holds without a line here.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from dashboard.figures.selection import COLUMNS, Basis, Selection
from dashboard.metrics import INTERVALS
from dashboard.rollups.buckets import Horizon, is_midnight, is_month_start
from dashboard.rollups.tallies import PEOPLE, TALLY_GRAINS, TallyGrain

TICK = timedelta(microseconds=1)


def holds(selection: Selection, key: str, columns: Collection[str]) -> bool:
    """Return whether rows kept by these columns can be narrowed to what is selected, and summed by the key."""
    if selection.basis != Basis.NOW or (key and key not in columns):
        return False
    return selection.narrowed_by <= {name for name, column in COLUMNS.items() if column in columns}


def covering(selection: Selection, key: str) -> TallyGrain | None:
    """Return the smallest grain of tallies that holds what is selected, by the key; None where only facts do."""
    return next((grain for grain in TALLY_GRAINS if holds(selection, key, grain.keys)), None)


def covering_people(selection: Selection, key: str) -> TallyGrain | None:
    """Return that grain if its distinct people add up, too: those of campaigns only one by one."""
    grain = covering(selection, key)
    if grain is None or not grain.people:
        return None
    is_one = key == "campaign_id" or (selection.campaigns is not None and len(selection.campaigns) == 1)
    is_by_content = selection.content_types is not None or key == "content_type"
    return grain if "campaign_id" not in grain.people or (is_one and not is_by_content) else None


def kept_counts(selection: Selection, key: str) -> frozenset[str]:
    """Return the names of the counts that tallies hold of what is selected, by the key; none where only facts do."""
    grain = covering(selection, key)
    if grain is None:
        return frozenset()
    people = PEOPLE[:2] if covering_people(selection, key) else ()
    # Nobody is one campaign's: active people are kept beside those of no campaign alone.
    active = PEOPLE[2:] if grain.people and "campaign_id" not in grain.people else ()
    return frozenset((*INTERVALS, *people, *active))


def starts(
    selection: Selection,
    moments: Sequence[datetime],
    *,
    keeps_days: bool = True,
    keeps_months: bool = True,
    with_active: bool = True,
) -> list[datetime | None] | None:
    """Return, for each moment, the last one at which is kept what stood (None: nothing did): sums begin there.

    None where tallies are not there, are not that fine, or do not reach back so far: before the first enrollment
    nothing is counted but active people, if they are wanted.
    """
    state, zone = selection.state, selection.zone
    if state is None or state.tallies_from is None or state.time_zone != selection.account.time_zone:
        return None
    for at in moments:
        if at >= state.horizon:
            continue
        is_kept = is_midnight(at, zone) and (keeps_days or at >= state.days_from or is_month_start(at, zone))
        if not is_kept or (with_active and at < state.tallies_from):
            return None
    months = Horizon(state.horizon, state.days_from, zone).months_since(state.tallies_from - TICK)
    kept = [*(months if keeps_months else ()), state.horizon]
    return [max((start for start in kept if start <= at), default=None) for at in moments]
