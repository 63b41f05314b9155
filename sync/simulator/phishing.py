"""Monthly phishing tests: who got which message, who fell for it, who reported it."""

from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from .behavior import progress
from .organization import Person
from .seeded_random import seeded
from .timestamps import DAY, NEVER, at_hour, year_month

FIRST_RECIPIENT = 1_498_000_000
PER_TEST = 25_000_000
SPACING = 97


class Outcome(NamedTuple):
    """One recipient's events in seconds, NEVER for what does not happen."""

    position: int
    person: int
    scheduled: int
    delivered: int
    opened: int
    clicked: int
    replied: int
    attachment: int
    macro: int
    data: int
    qr: int
    reported: int
    bounced: int

    def failed_at(self) -> int:
        """Return when the recipient first fell for it, NEVER if they did not."""
        return min(self.clicked, self.replied, self.attachment, self.macro, self.data, self.qr)


EVENTS = {
    "delivered_count": 3,
    "opened_count": 4,
    "clicked_count": 5,
    "replied_count": 6,
    "attachment_open_count": 7,
    "macro_enabled_count": 8,
    "data_entered_count": 9,
    "qr_code_scanned_count": 10,
    "reported_count": 11,
    "bounced_count": 12,
}
"""The wire's count of each event, by place in Outcome."""

_KINDS = ("link", "link", "data", "attachment", "reply", "qr", "link", "data")
_TOPICS = (
    ("Parcel held at depot", "Online Services"),
    ("Password expires today", "IT"),
    ("Updated holiday calendar", "Human Resources"),
    ("Shared document: Claims & Payments Q3", "Business"),
    ("Invoice overdue – final notice", "Banking and Finance"),
    ("Scan to renew your parking permit", "Current Events"),
    ("Voicemail from an unknown caller", "Phishing for Sensitive Information"),
)


@dataclass(slots=True, eq=False)
class PhishingTest:
    """One security test. `final` counts every event once all is over."""

    number: int
    campaign: int
    name: str
    start_at: int
    kind: str
    people: "array[int]"
    failed: bool = False
    final: dict[str, int] = field(default_factory=dict)
    final_failures: int = 0

    @property
    def pst_id(self) -> int:
        """Return KnowBe4's id."""
        return 1_904_400 + self.number * 2_311

    @property
    def over_at(self) -> int:
        """Return when tracking ends: three days of sending, three more of waiting."""
        return self.start_at + 10 * DAY

    def topic(self) -> tuple[int, str, str]:
        """Return number, template name and category."""
        place = self.number % len(_TOPICS)
        return place, *_TOPICS[place]

    def recipient_id(self, position: int) -> int:
        """Return the id of the recipient at a position; unique over all tests, past 32 bits in time."""
        return FIRST_RECIPIENT + self.number * PER_TEST + position * SPACING


@dataclass(slots=True, eq=False)
class PhishingCampaign:
    """A year of tests, or a single one."""

    number: int
    name: str
    created_at: int
    frequency: str
    callback: bool = False
    hidden: bool = False
    tests: list[PhishingTest] = field(default_factory=list)

    @property
    def campaign_id(self) -> int:
        """Return KnowBe4's id."""
        return 905_100 + self.number * 733


class Phishing:
    """All phishing campaigns and tests up to the month made last."""

    def __init__(self, seed: int, people: Sequence[Person]) -> None:
        self.seed = seed
        self.people = people
        self.campaigns: list[PhishingCampaign] = []
        self.tests: list[PhishingTest] = []
        self.failures: dict[int, list[int]] = {}
        self._starts: list[int] = []
        """Start times of the tests that somebody got, in order."""
        self._drawn: tuple[int, list[Outcome]] | None = None

    def advance(self, month: int, staff: Sequence[int]) -> list[tuple[int, int]]:
        """Run one month's tests on `staff` (indexes). Return each failure as (moment, person)."""
        year, number = year_month(month)
        first = at_hour(year, number, 1, 6)
        yearly = f"Monthly phishing test {year}"
        if not self.campaigns or not any(campaign.name == yearly for campaign in self.campaigns):
            self._campaign(yearly, first, "Monthly")
        regular = next(campaign for campaign in self.campaigns if campaign.name == yearly)
        found = self._test(regular, at_hour(year, number, 7 + month % 5, 8), _KINDS[month % len(_KINDS)], staff)
        if number in (3, 9):
            extra = self._campaign(f"Callback test {year}-{number:02d}", first, "One Time", callback=True)
            found += self._test(extra, at_hour(year, number, 20, 8), "reply", staff[month % 7 :: 25])
        if number == 6:
            broken = self._campaign(f"Executives test {year}", first, "One Time", hidden=True)
            self._test(broken, at_hour(year, number, 18, 8), "link", (), failed=True)
        return found

    def _campaign(
        self, name: str, at: int, frequency: str, callback: bool = False, hidden: bool = False
    ) -> PhishingCampaign:
        campaign = PhishingCampaign(len(self.campaigns), name, at, frequency, callback, hidden)
        self.campaigns.append(campaign)
        return campaign

    def _test(
        self, campaign: PhishingCampaign, start: int, kind: str, staff: Sequence[int], failed: bool = False
    ) -> list[tuple[int, int]]:
        active = [index for index in staff if self.people[index].is_active(start)]
        test = PhishingTest(len(self.tests), campaign.number, campaign.name, start, kind, array("i", active), failed)
        self.tests.append(test)
        if active:
            insort(self._starts, start)
        campaign.tests.append(test)
        drawn = list(self._draw(test))
        # A column at a time: tens of thousands of people get every test.
        columns = list(zip(*drawn, strict=True)) or [()] * len(Outcome._fields)
        test.final = {name: len(drawn) - columns[place].count(NEVER) for name, place in EVENTS.items()}
        failures = [(at, outcome.person) for outcome in drawn if (at := outcome.failed_at()) < NEVER]
        for at, person in failures:
            self.failures.setdefault(person, []).append(at)
        test.final_failures = len(failures)
        return failures

    def _draw(self, test: PhishingTest) -> Iterator[Outcome]:
        rng = seeded(self.seed, "phishing", test.number)
        level = 0.03 * (1.0 + 1.4 * (1.0 - progress(test.start_at)))
        reporting = 0.12 + 0.28 * progress(test.start_at)
        for position, index in enumerate(test.people):
            yield self._outcome(rng, test, position, index, level * self.people[index].gullible, reporting)

    @staticmethod
    def _outcome(
        rng: Random, test: PhishingTest, position: int, index: int, chance: float, reporting: float
    ) -> Outcome:
        random = rng.random
        sent = test.start_at + int(3 * DAY * random())
        draw = random()
        none = NEVER
        if draw > 0.997:
            return Outcome(position, index, sent, none, none, none, none, none, none, none, none, none, sent + 40)
        arrived = sent + 5 + int(50 * random())
        if draw < chance:
            opened = arrived + 60 + int(2 * DAY * random() * random())
            fell = opened + 20 + int(600 * random())
            kind = test.kind
            replied = fell if kind == "reply" else none
            attachment = fell if kind == "attachment" else none
            macro = fell + 30 if kind == "attachment" and random() < 0.4 else none
            qr = fell if kind == "qr" else none
            clicked = fell if kind in ("link", "data") else none
            data = fell + 45 if kind == "data" and random() < 0.45 else none
            reported = fell + 900 if random() < 0.05 else none
            return Outcome(
                position, index, sent, arrived, opened, clicked, replied, attachment, macro, data, qr, reported, none
            )
        opened = arrived + 60 + int(3 * DAY * random() * random()) if draw < 0.6 else none
        reported = arrived + 300 + int(DAY * random()) if random() < reporting else none
        return Outcome(position, index, sent, arrived, opened, none, none, none, none, none, none, reported, none)

    def outcomes(self, test: PhishingTest) -> list[Outcome]:
        """Return everything that will have happened in a test, by position; the test asked for last is kept."""
        if self._drawn is None or self._drawn[0] != test.number:
            self._drawn = (test.number, list(self._draw(test)))
        return self._drawn[1]

    def counts(self, test: PhishingTest, at: int) -> tuple[dict[str, int], int]:
        """Return the count of each event and of people who failed by `at`."""
        if at >= test.over_at:
            return test.final, test.final_failures
        if at < test.start_at:
            return dict.fromkeys(EVENTS, 0), 0
        drawn = self.outcomes(test)
        counts = {name: sum(outcome[place] <= at for outcome in drawn) for name, place in EVENTS.items()}
        return counts, sum(outcome.failed_at() <= at for outcome in drawn)

    def failures_by(self, person: int, at: int) -> int:
        """Return how many tests a person had failed by `at`."""
        return bisect_right(self.failures.get(person, ()), at)

    def tests_by(self, joined: int, at: int) -> int:
        """Return how many regular tests started between two moments."""
        return max(0, bisect_right(self._starts, at) - bisect_left(self._starts, joined))

    @staticmethod
    def status(test: PhishingTest, at: int) -> str:
        """Return KnowBe4's word for a test: Error for one that could not be sent (seen live)."""
        if at < test.start_at:
            return "Created"
        if test.failed:
            return "Error"
        return "Active" if at < test.over_at else "Closed"
