"""Names that come again."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from dashboard.triggers.recurrence import Cadence, cadences, stem


def starting(name: str, days: Sequence[str]) -> list[tuple[str, datetime | None]]:
    """Return campaigns of one name, starting at nine o'clock on these days."""
    return [(name, datetime.fromisoformat(f"{day}T09:00:00").replace(tzinfo=UTC)) for day in days]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("Quarterly briefing Q3 2026|Quarterly briefing Q4 2026|quarterly  briefing, 1Q27", "quarterly briefing"),
        ("Security tip May 2026|Security tip – June 2026|Security tip (Sept. '26)", "security tip"),
        ("Sicherheitstipp März 2026|Sicherheitstipp Okt 2026|Sicherheitstipp Mai", "sicherheitstipp"),
        ("Rappel août 2025|Rappel décembre|Rappel T3 2025", "rappel"),
        ("Aviso enero 2026|Aviso Septiembre", "aviso"),
        ("Tip maart|Tip augustus 2026", "tip"),
    ],
)
def test_stem_is_the_name_without_its_date(names: str, expected: str) -> None:
    assert {stem(name) for name in names.split("|")} == {expected}


@pytest.mark.parametrize("name", ["2026", "Q3 2026", "May 2026", "H1", "", "– / –"])
def test_stem_of_a_mere_date_is_empty(name: str) -> None:
    assert stem(name) == ""


@pytest.mark.parametrize(
    ("days", "cadence"),
    [
        (("2026-01-05", "2026-02-02", "2026-03-02"), Cadence.MONTH),
        (("2026-01-12", "2026-04-13", "2026-07-13", "2026-10-12"), Cadence.QUARTER),
        (("2026-01-12", "2026-07-13"), Cadence.HALF_YEAR),
        (("2024-02-05", "2025-02-03"), Cadence.YEAR),
        # One of them came late; the others keep the time.
        (("2022-02-05", "2023-02-03", "2024-02-02", "2025-06-20"), Cadence.YEAR),
    ],
)
def test_cadence_is_the_gap_between_starts(days: tuple[str, ...], cadence: Cadence) -> None:
    assert cadences(starting("Tip 1", days)) == {"tip": cadence}


@pytest.mark.parametrize(
    "days",
    [
        (),
        ("2026-01-05",),
        ("2026-01-05", "2026-02-02"),  # a month apart, once: may be chance
        ("2026-01-05", "2026-01-05"),
        ("2026-01-05", "2026-01-12", "2026-01-19"),
        ("2024-01-05", "2026-01-05"),
        ("2025-01-05", "2025-02-20", "2025-09-01", "2026-09-01"),
    ],
)
def test_other_gaps_are_no_cadence(days: tuple[str, ...]) -> None:
    assert cadences(starting("Tip 1", days)) == {}


def test_campaigns_without_a_start_or_a_name_tell_nothing() -> None:
    assert cadences([("Tip", None), *starting("2026", ("2025-01-05", "2026-01-05"))]) == {}
