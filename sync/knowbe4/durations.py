"""KnowBe4's relative durations: a number and a unit, "2 weeks"."""

import re

_DURATION = re.compile(r"\s*(\d{1,4})\s+(day|week|month|year)s?\s*", re.IGNORECASE)

# Ten years: a longer deadline is a slip of the hand, and a far date is one that no calendar here can hold.
LONGEST = {"day": 3_653, "week": 522, "month": 120, "year": 10}


def parse_duration(text: str | None) -> tuple[int | None, int | None]:
    """Return (months, days) of a duration such as "10 days", "2 weeks" or "1 month"; (None, None) for anything else.

    Nothing beyond ten years is believed. Weeks are seven days; months and years stay calendar months, for a month has
    no fixed length.
    """
    match = _DURATION.fullmatch(text or "")
    if match is None:
        return None, None
    number, unit = int(match[1]), match[2].lower()
    if number > LONGEST[unit]:
        return None, None
    if unit in {"month", "year"}:
        return number * (12 if unit == "year" else 1), 0
    return 0, number * (7 if unit == "week" else 1)
