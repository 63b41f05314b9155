"""Campaigns that come again under one name: every month, quarter, half-year or year."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise

from dashboard.triggers.words import fold


class Cadence(StrEnum):
    """Cadence in which a name comes again."""

    MONTH = "month"
    QUARTER = "quarter"
    HALF_YEAR = "half_year"
    YEAR = "year"


# Days from one start to the next, loosely: campaigns begin on the first Monday, or after the holidays. Two starts a
# year apart say enough; a month apart, two may be chance.
_GAPS = {
    Cadence.MONTH: (20, 45),
    Cadence.QUARTER: (75, 110),
    Cadence.HALF_YEAR: (150, 215),
    Cadence.YEAR: (320, 410),
}
_FEWEST_GAPS = {Cadence.MONTH: 2, Cadence.QUARTER: 2, Cadence.HALF_YEAR: 1, Cadence.YEAR: 1}

_MONTHS = (
    "january february march april may june july august september october november december "
    "jan feb mar apr jun jul aug sep sept oct nov dec "
    "januar februar marz maerz mai juni juli oktober dezember mrz okt dez "
    "janvier fevrier mars avril juin juillet aout septembre octobre novembre decembre "
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre "
    "januari februari maart april mei augustus"
).split()
_ORDINALS = (
    "first second third fourth erste erstes zweite zweites dritte drittes vierte viertes premier deuxieme troisieme "
    "quatrieme primer segundo tercer cuarto eerste tweede derde vierde"
).split()
_DROPPED = frozenset(_MONTHS) | frozenset(_ORDINALS)
_FEWEST_LETTERS = 3


@lru_cache(maxsize=10_000)
def stem(name: str) -> str:
    """Return what is left of a name without numbers, months and quarters; empty when that is nearly nothing.

    "Quarterly briefing Q3 2026" and "Quarterly briefing Q4 2026" have one stem.
    """
    words = [word for word in re.findall(r"[^\W_]+", fold(name)) if not any(letter.isdigit() for letter in word)]
    left = " ".join(word for word in words if word not in _DROPPED)
    return left if len(left) >= _FEWEST_LETTERS else ""


def cadences(campaigns: Iterable[tuple[str, datetime | None]]) -> Mapping[str, Cadence]:
    """Return how often each stem recurs, for pairs of a campaign's name and its start; stems that do not are missing.

    A stem recurs when at least two thirds of the gaps between its starts are of one length, and there are enough of
    them. Starts on one day count once; campaigns without a start tell nothing.
    """
    starts = defaultdict(set)
    for name, start_at in campaigns:
        key = stem(name)
        if key and start_at is not None:
            starts[key].add(start_at.date())
    found = {}
    for key, days in starts.items():
        ordered = sorted(days)
        gaps = [(later - earlier).days for earlier, later in pairwise(ordered)]
        for cadence, (fewest, most) in _GAPS.items():
            fitting = sum(fewest <= gap <= most for gap in gaps)
            if fitting >= _FEWEST_GAPS[cadence] and fitting * 3 >= len(gaps) * 2:
                found[key] = cadence
                break
    return found
