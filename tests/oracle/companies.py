"""Small spiteful companies and questions for Hypothesis: equal moments, edges of days, everything that can be missing.

All moments of a company come from a handful of landmarks and the microseconds beside them, so that what happens at the
same time, on the wrong side of midnight or in the wrong order happens all the time. Hypothesis draws a seed and which
rows there are; each row follows from the seed and its number alone, so a failing company shrinks row by row.
"""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from tests.oracle.counting import STATES
from tests.oracle.organization import Organization, spelled
from tests.oracle.records import Campaign, Changed, Company, Enrollment, Exemption, Failure, Person, Question

ZONES = ("Europe/Berlin", "America/New_York", "Pacific/Auckland", "UTC")
# Leap day, quarter and year edges, and the nights in which the clocks of these zones change.
DAYS = tuple(
    map(
        date.fromisoformat,
        "2024-01-01 2024-02-29 2024-03-01 2024-03-10 2024-03-31 2024-04-01 2024-04-07 2024-07-01 2024-09-29 2024-10-27 "
        "2024-11-03 2024-12-31 2025-01-01 2025-03-09 2025-04-01".split(),
    )
)
TICK = timedelta(microseconds=1)
JITTER = (
    *(timedelta(0),) * 5,
    *(TICK, -TICK, timedelta(hours=1), timedelta(hours=-2), timedelta(hours=9, minutes=30)),
    *(timedelta(days=1), timedelta(days=14), timedelta(days=14, microseconds=1), timedelta(days=40)),
)
BEFORE_ALL, FUTURE = datetime(2019, 5, 5, 5, 5, tzinfo=UTC), datetime(2031, 2, 3, 4, 5, 6, 7, tzinfo=UTC)

DEPARTMENTS = ("", "  ", "Sales", " sales", "SALES ", "Claims", "Claims  East", "claims east", "Audit")
WORDS = ("Not Started", "In Progress", "Past Due", "Passed", "Completed", "passed", "PAST DUE")
STRANGE_WORDS = ("Exempted", "", "Waived")
CAMPAIGN_WORDS = ("In Progress", "In Progress", "Enrolling", "Created", "Completed", "Closed", "Cancelled", "Paused")
TRIGGERS = ("phishing_failure", "phishing_failure", "new_hire", "group_membership", "scheduled", "unknown")
CONTENT_TYPES = ("Training Module", "Training Module", "Policy", "Policy", "Video", "Other")
CAMPAIGN_STATES = ("active", "scheduled", "created", "closed", "cancelled", "archived", "other")
NAMES = ("", "Ida Renn", "Otto Vale")
MOST = 8


class Dice:
    """The chances of one row; `landmarks` are the company's moments."""

    def __init__(self, seed: int, landmarks: Sequence[datetime], *row: object) -> None:
        self.random = random.Random(f"{seed} {row}")
        self.landmarks = landmarks

    def one(self, values: Sequence[Any]) -> Any:
        """Return one of the values."""
        return self.random.choice(values)

    def happens(self, chance: float) -> bool:
        """Return True that often."""
        return self.random.random() < chance

    def moment(self) -> datetime:
        """Return a landmark or a moment beside one."""
        moment: datetime = self.one(self.landmarks) + self.one(JITTER)
        return moment

    def perhaps(self, chance: float) -> datetime | None:
        """Return a moment that often, else None."""
        return self.moment() if self.happens(chance) else None

    def email(self) -> str:
        """Return somebody's address in some spelling, nobody's, or none."""
        known = f"p{self.random.randint(1, MOST)}@brackwater.example"
        return str(self.one((known, known, known, known.upper(), f" {known} ", "", "gone@brackwater.example")))


def person(key: int, dice: Dice) -> Person:
    """Return one person, with up to two changes behind them that lead to what they are now."""
    kinds = {
        "department": lambda: dice.one(DEPARTMENTS),
        "manager_email": dice.email,
        "manager_name": lambda: dice.one(NAMES),
    }
    texts = {name: kind() for name, kind in kinds.items()}
    past, later = [], dict(texts)
    for at in sorted({dice.moment() for _ in range(dice.one((0, 1, 1, 2)))}, reverse=True):
        name = dice.one((*sorted(kinds), "manager_email"))
        past.append(Changed(at, name, kinds[name](), later[name]))
        later[name] = past[-1].old
    status = dice.one(("active",) * 6 + ("archived",) * 3 + ("unlisted",))
    return Person(
        key=key,
        email=f"p{key}@brackwater.example",
        status=status,
        joined_at=dice.perhaps(0.3),
        archived_at=dice.perhaps(0.85) if status == "archived" else None,
        removed_at=dice.perhaps(0.1),
        past=tuple(reversed(past)),
        **texts,
    )


def campaign(key: int, dice: Dice) -> Campaign:
    """Return one campaign."""
    return Campaign(
        key=key,
        status=dice.one(CAMPAIGN_WORDS),
        start_at=dice.perhaps(0.7),
        archived_at=dice.perhaps(0.1),
        removed_at=dice.perhaps(0.1),
        requirement=dice.one(("required",) * 6 + ("optional", "excluded")),
        trigger=dice.one(TRIGGERS),
    )


def enrollment(key: int, dice: Dice, people: int, campaigns: int) -> Enrollment:
    """Return one enrollment; its moments come in any order, and often fall together."""
    enrolled_at = min(dice.moment() for _ in range(3))
    due_at = dice.perhaps(0.8)
    return Enrollment(
        key=key,
        person=dice.random.randint(1, MOST) % people + 1 if dice.happens(0.95) else None,
        campaign=dice.random.randint(1, MOST) % campaigns + 1 if campaigns and dice.happens(0.9) else None,
        enrolled_at=enrolled_at,
        status=dice.one(WORDS) if dice.happens(0.95) else dice.one(STRANGE_WORDS),
        content_type=dice.one(CONTENT_TYPES),
        started_at=dice.one((enrolled_at, dice.perhaps(0.6))),
        completed_at=dice.one((due_at, dice.perhaps(0.6), dice.perhaps(0.6), None)),
        due_at=due_at,
        removed_at=dice.perhaps(0.1) if dice.happens(0.9) else enrolled_at,
        is_extended=due_at is None and dice.happens(0.5),
        is_acknowledged=dice.happens(0.3),
    )


def exemption(key: int, dice: Dice, people: int, campaigns: int, groups: int) -> Exemption:
    """Return one exemption; it ends after it begins, and may be ended by hand at any time."""
    starts_at, ends_at = dice.moment(), dice.perhaps(0.6)
    if ends_at is not None and ends_at <= starts_at:
        starts_at, ends_at = ends_at, starts_at + TICK
    for_group = groups > 0 and dice.happens(0.4)
    return Exemption(
        key=key,
        starts_at=starts_at,
        person=None if for_group else dice.random.randint(1, MOST) % people + 1,
        group=dice.random.randint(1, MOST) % groups + 1 if for_group else None,
        campaign=dice.random.randint(1, MOST) % campaigns + 1 if campaigns and dice.happens(0.4) else None,
        ends_at=ends_at,
        ended_at=dice.perhaps(0.25),
        is_approved=dice.happens(0.75),
    )


def merges(dice: Dice) -> dict[str, str]:
    """Return up to two spellings merged into others, in a chain too; never in a circle."""
    order = sorted({spelled(text) for text in DEPARTMENTS} - {""}, key=lambda _: dice.random.random())
    places = dice.random.sample(range(len(order) - 1), dice.one((0, 1, 2)))
    return {order[place]: order[dice.random.randint(place + 1, len(order) - 1)] for place in places}


def landmarks(seed: int, zone: ZoneInfo) -> list[datetime]:
    """Return the company's few moments: local midnights of days on which days are counted wrong."""
    chosen = random.Random(f"{seed} landmarks").sample(DAYS, 4)
    return [datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC) for day in chosen]


@st.composite
def companies(draw: st.DrawFn, *, enrollments: int = 36) -> Company:
    """Draw a company of up to so many enrollments and eight people; `drawn_again` makes it anew."""
    numbers = st.lists(st.integers(0, 99), unique=True, min_size=enrollments // 4, max_size=enrollments)
    return drawn_again(
        draw(st.integers(0, 2**32)),
        draw(st.sampled_from(ZONES)),
        (draw(st.integers(1, MOST)), draw(st.integers(0, 4)), draw(st.integers(0, 2))),
        (draw(st.integers(0, 4)), draw(st.integers(0, 4))),
        sorted(draw(numbers)),
    )


def drawn_again(
    seed: int, zone: str, sizes: tuple[int, int, int], events: tuple[int, int], numbers: list[int]
) -> Company:
    """Return the company of a seed: `sizes` are people, campaigns and groups, `events` exemptions and failed tests."""
    moments = landmarks(seed, ZoneInfo(zone))
    people, campaigns, groups = sizes
    staff = range(1, people + 1)

    def dice(*row: object) -> Dice:
        return Dice(seed, moments, *row)

    return Company(
        zone=ZoneInfo(zone),
        people={key: person(key, dice("person", key)) for key in staff},
        campaigns={key: campaign(key, dice("campaign", key)) for key in range(1, campaigns + 1)},
        groups={
            key: frozenset(one for one in staff if dice("member", key, one).happens(0.5))
            for key in range(1, groups + 1)
        },
        enrollments=tuple(enrollment(key, dice("work", key), people, campaigns) for key in numbers),
        exemptions=tuple(exemption(key, dice("leave", key), people, campaigns, groups) for key in range(events[0])),
        failures=tuple(
            Failure(key, dice("who", key).random.randint(1, MOST) % people + 1, dice("failure", key).moment())
            for key in range(events[1])
        ),
        merges=merges(dice("merges")),
        drawn=f"drawn_again({seed}, {zone!r}, {sizes}, {events}, {numbers})",
    )


def moments_of(company: Company) -> list[datetime]:
    """Return every moment at which something about the company's enrollments, people or exemptions happens."""
    rows = [*company.enrollments, *company.people.values(), *company.exemptions, *company.campaigns.values()]
    names = "enrolled_at started_at completed_at due_at removed_at archived_at joined_at starts_at ends_at ended_at"
    found = {getattr(row, name, None) for row in rows for name in names.split()}
    found |= {change.at for one in company.people.values() for change in one.past}
    return sorted(moment for moment in found if moment is not None)


def question(company: Company, seed: int) -> Question:
    """Return a moment (a fact's own, one beside it, a day's edge, long ago, far ahead) and up to three filters."""
    facts = moments_of(company) or [BEFORE_ALL]
    dice = Dice(seed, facts)
    own = max(dice.one(facts), dice.one(facts)) + dice.one((timedelta(0), timedelta(0), TICK, -TICK))
    midnight = datetime.combine(own.astimezone(company.zone).date(), time.min, tzinfo=company.zone).astimezone(UTC)
    as_of = dice.one((own, own, own, midnight, dice.moment(), facts[-1] + TICK, FUTURE, FUTURE, BEFORE_ALL))
    asked = Question(as_of=as_of, is_then=dice.happens(0.4), is_whole_line=dice.happens(0.6))
    organization = Organization(company)
    some: dict[str, Sequence[Any]] = {
        "departments": sorted({organization.department(key) for key in company.people}),
        "campaigns": sorted(company.campaigns),
        "content_types": sorted(set(CONTENT_TYPES)),
        "campaign_states": CAMPAIGN_STATES,
        "triggers": sorted(set(TRIGGERS)),
        "groups": sorted(company.groups),
        "states": STATES,
    }
    for name in sorted(
        {
            *dice.random.sample(sorted(some), dice.one((0, 0, 1, 1, 2, 3))),
            dice.one(("manager", "", "")),
        }
        - {""}
    ):
        if name == "manager":
            asked = replace(asked, manager=dice.one(sorted(company.people)))
        elif some[name]:
            chosen = dice.random.sample(some[name], min(len(some[name]), dice.one((1, 2, 3))))
            asked = replace(asked, **{name: frozenset(chosen)})  # type: ignore[arg-type]
    return asked
