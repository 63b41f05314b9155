"""Behavior of people in training: most in time, some late, a few never; and what the console does to them."""

from collections.abc import Iterable
from random import Random

from .campaigns import Campaign
from .ledger import Draft, Ledger, Special
from .organization import Person
from .seeded_random import noise
from .timestamps import DAY, FOUNDING, NEVER, add_relative

_THREE_YEARS = 1_096 * DAY


def progress(at: int) -> float:
    """Return how far the company's security culture has come: 0 at the founding, 1 three years later and after."""
    return min(1.0, max(0.0, (at - FOUNDING) / _THREE_YEARS))


class Classroom:
    """Drafts enrollments and holds those that begin after the month being written."""

    def __init__(self, seed: int, ledger: Ledger) -> None:
        self.seed = seed
        self.ledger = ledger
        self._drafts: list[Draft] = []
        self._order = 0

    def mood(self, at: int) -> float:
        """Return what the times add to everyone's diligence: it rises over the years and wavers by quarter."""
        return -0.10 * (1.0 - progress(at)) + 0.03 * (noise(self.seed, "mood", at // (91 * DAY)) - 0.5)

    def write(self, until: int) -> None:
        """Write all drafts made before `until` into the ledger, keep the others for later months."""
        ready = [draft for draft in self._drafts if draft.enrolled < until]
        self._drafts = [draft for draft in self._drafts if draft.enrolled >= until]
        self.ledger.write(ready)

    def enroll(self, rng: Random, campaign: Campaign, people: Iterable[tuple[Person, int]]) -> None:
        """Enroll people, each at their moment, in all of a campaign's content."""
        stops = campaign.stops_at()
        minutes = [content.minutes for content in campaign.contents]
        random = rng.random
        for person, enrolled in people:
            base = add_relative(enrolled, campaign.relative) if campaign.relative else campaign.final_end
            chance = person.diligence + self.mood(enrolled) - (0.14 if campaign.intake == "clickers" else 0.0)
            special: Special | None = None
            started, completed, late = self._pace(rng, enrolled, base, chance)
            if late and random() < 0.08:
                special, completed = self._extension(rng, base, completed)
            for offset, length in enumerate(minutes):
                start, end, own = started, completed, special
                if offset:
                    if random() < 0.05:
                        start, end, _ = self._pace(rng, enrolled, base, chance)
                    elif end < NEVER:
                        end += offset * length * 60
                seconds = int(length * 60 * (0.7 + 0.9 * random()))
                if start > end:
                    start = max(enrolled + 30, end - seconds - int(60 * random()))
                    end = max(end, start + min(seconds, 120))
                if end >= stops:
                    end = NEVER
                    start = start if start < stops else NEVER
                draw = random()
                if draw < 0.025:
                    start, end, seconds, own = self._oddity(rng, draw, campaign, enrolled, start, end, seconds, special)
                score = 60 + int(41 * random()) if campaign.show_scores else -1
                self._order += 1
                self._drafts.append(
                    Draft(
                        enrolled,
                        self._order,
                        person.index,
                        campaign.first_unit + offset,
                        start,
                        end,
                        seconds,
                        score,
                        own,
                    )
                )

    def _pace(self, rng: Random, enrolled: int, due: int, chance: float) -> tuple[int, int, bool]:
        """Return when someone starts (NEVER: just before they finish), when they finish, and whether that is late."""
        random = rng.random
        if due >= NEVER:
            if random() > 0.72:
                return (enrolled + int(20 * DAY * random()) if random() < 0.2 else NEVER), NEVER, False
            return NEVER, self._daytime(rng, enrolled + int(rng.expovariate(1 / (18 * DAY))), enrolled), False
        window = due - enrolled
        early = enrolled + int(window * 0.9 * random()) if random() < 0.3 else NEVER
        if random() < chance:
            draw = random()
            share = draw if draw < 0.55 else 1.0 - 0.3 * random() * random()
            done = self._daytime(rng, enrolled + int(window * share), enrolled)
            done = min(done, due - 60 - int(HOUR_TAIL * random()))
            return (
                (min(early, done - 600) if early < done and done - 600 > enrolled else NEVER),
                max(done, enrolled + 300),
                False,
            )
        draw = random()
        if draw < 0.002:
            return early, NEVER, True
        mean = 7 if draw < 0.6 else 17 if draw < 0.98 else 45
        return early, self._daytime(rng, due + 600 + int(rng.expovariate(1 / (mean * DAY))), due + 600), True

    @staticmethod
    def _daytime(rng: Random, at: int, earliest: int) -> int:
        """Return a moment of office hours on the day of `at`, not before `earliest`."""
        return max(earliest + 300, at // DAY * DAY + 28_800 + int(rng.random() * 36_000))

    @staticmethod
    def _extension(rng: Random, due: int, completed: int) -> tuple[Special, int]:
        """Return an extension, granted mostly before the deadline, and when the task is finished with it."""
        before = rng.random() < 0.8
        granted = due - int(4 * DAY * rng.random()) - 60 if before else due + int(5 * DAY * rng.random()) + 60
        special = Special(granted_at=granted, extended_to=due + rng.choice((7, 14, 21, 30)) * DAY)
        if completed < NEVER and rng.random() < 0.7:
            span = special.extended_to - max(granted, due)
            completed = max(granted, due) + int(span * (0.1 + 0.85 * rng.random()))
        return special, completed

    @staticmethod
    def _oddity(
        rng: Random,
        draw: float,
        campaign: Campaign,
        enrolled: int,
        start: int,
        end: int,
        seconds: int,
        special: Special | None,
    ) -> tuple[int, int, int, Special | None]:
        """Return the enrollment with one thing out of the ordinary, chosen by `draw` below 0.025."""
        finished = end < NEVER
        if draw < 0.004 and campaign.intake != "clickers":
            end = enrolled - rng.randrange(20, 300) * DAY
            return end, end, 0, None
        if draw < 0.012 and finished:
            return end, end, 0, special
        if draw < 0.015:
            special = Special() if special is None else Special(special.granted_at, special.extended_to)
            special.removed_at = enrolled + int(rng.random() * 60 * DAY) + 3_600
            return start, end, seconds, special
        if draw < 0.018 and finished and special is None:
            reset = end + int(rng.random() * 40 * DAY) + 3_600
            again = reset + int(rng.random() * 25 * DAY) + 3_600
            if again >= campaign.stops_at():
                return start, end, seconds, None
            done = again + seconds + 60
            if rng.random() < 0.2 or done >= campaign.stops_at():
                done = NEVER
            return start, end, seconds, Special(reset_at=reset, restarted_at=again, recompleted_at=done)
        return start, end, seconds, special


HOUR_TAIL = 7_200
