"""The invented company: a world that is a pure function of its shape, its seed and the moment asked for."""

import threading
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain
from math import ceil

from . import snapshot
from .behavior import Classroom
from .campaigns import Campaign
from .departments import build_departments
from .facts import (
    AccountFacts,
    CampaignFacts,
    EnrollmentFacts,
    GroupFacts,
    PersonFacts,
    PhishingCampaignFacts,
    PhishingTestFacts,
    PolicyFacts,
    RecipientFacts,
    StorePurchaseFacts,
)
from .groups import Groups
from .ledger import Ledger
from .organization import Organization, Person
from .phishing import Phishing
from .program import REGULAR, Program
from .renamings import Renamings
from .seeded_random import seeded
from .timestamps import DAY, FOUNDING, NEVER, moment, moment_or_none, month_index, month_start, seconds

NATURAL = 28.0
"""Enrollments a person of the full-size company brings about in the first three years, before any thinning."""


class Company:
    """A company with a KnowBe4 account.

    `people` are active in November 2026; `enrollments` and `campaigns` steer how much three years bring (roughly; left
    out: the regular program; more enrollments than it has room for cut its content into parts), `departments` is 1
    to 126. Every method takes an aware moment and answers as of then; before the founding (1 November 2023) lists are
    empty. Safe to ask from several threads.
    """

    def __init__(
        self,
        seed: int = 7,
        people: int = 1842,
        *,
        enrollments: int | None = None,
        campaigns: int | None = None,
        departments: int = 14,
        name: str = "Brackwater Mutual",
    ) -> None:
        if people < departments + 6:
            raise ValueError(f"A company of {departments} departments needs at least {departments + 6} people.")
        self.seed = seed
        self.size = people
        self.name = name
        self.lock = threading.RLock()
        self.departments = build_departments(departments)
        self.organization = Organization(seed, people, self.departments)
        requests = max(0.0, (campaigns - REGULAR) / 37) if campaigns else 0.2
        share, request_share, parts = _shares(people, enrollments, requests, departments)
        self.program = Program(seed, self.departments, requests, request_share, share, parts)
        self.phishing = Phishing(seed, self.organization.people)
        self.renamings = Renamings(seed)
        self.ledger = Ledger(self.organization, self.program.units)
        self.groups_kept = Groups(self.departments, self.organization, self.phishing)
        self._classroom = Classroom(seed, self.ledger)
        self._month = -1
        self.horizon = FOUNDING
        """History is made up to here."""
        self._by_person: tuple[int, dict[int, list[int]]] = (0, {})
        self._group_counts: tuple[int, dict[int, int]] = (-1, {})

    def reach(self, at: int) -> None:
        """Make history up to and including the month of `at`."""
        if at < self.horizon:
            return
        with self.lock:
            while self._month < month_index(at):
                self._month += 1
                self._advance(self._month)
                self.horizon = month_start(self._month + 1)

    def _advance(self, month: int) -> None:
        first, last = month_start(month), month_start(month + 1)
        before = self.organization.active_now()
        joiners = self.organization.advance(month)
        self.program.plan(month)
        people = self.organization.people
        candidates = before + [person.index for person in joiners]
        homes: list[list[int]] = [[] for _ in self.departments]
        for index in candidates:
            homes[people[index].seat(first).team.department.number].append(index)
        failures = self.phishing.advance(month, candidates)
        leave, joined = self.organization.leave, self.organization.joined
        for campaign in self.program.campaigns:
            if campaign.initial and first <= campaign.start_at < last:
                self._launch(campaign, candidates if campaign.audience is None else _of(homes, campaign.audience))
            if not campaign.intake or campaign.start_at >= last:
                continue
            rng = seeded(self.seed, "intake", campaign.number, month)
            if campaign.intake == "joiners":
                arrivals = [(person, joined[person.index] + rng.randrange(2, 30) * 3_600) for person in joiners]
            else:
                arrivals = [
                    (people[index], at + rng.randrange(1, 48) * 3_600 + rng.randrange(3_600)) for at, index in failures
                ]
            taken = [entry for entry in arrivals if campaign.takes_in(entry[1])]
            if campaign.share < 1.0:
                taken = [entry for entry in taken if rng.random() < campaign.share]
            taken = [(person, at) for person, at in taken if leave[person.index] > at or person.is_active(at)]
            self._classroom.enroll(rng, campaign, taken)
        self._classroom.write(last)

    def _launch(self, campaign: Campaign, audience: list[int]) -> None:
        """Enroll the audience, by index, at the start, over the first quarter of an hour."""
        rng = seeded(self.seed, "launch", campaign.number)
        people, leave, joined, start = (
            self.organization.people,
            self.organization.leave,
            self.organization.joined,
            campaign.start_at,
        )
        chosen: list[Person] = []
        spare: list[Person] = []
        for index in audience:
            person = people[index]
            if joined[index] > start or not (leave[index] > start or person.is_active(start)):
                continue
            (chosen if campaign.share >= 1.0 or rng.random() < campaign.share else spare).append(person)
        chosen += spare[: max(0, campaign.minimum - len(chosen))]
        step = 900 / max(1, len(chosen))
        self._classroom.enroll(
            rng, campaign, [(person, start + int(place * step)) for place, person in enumerate(chosen)]
        )

    def _second(self, at: datetime) -> int:
        second = seconds(at)
        self.reach(second)
        return second

    def account(self, at: datetime) -> AccountFacts:
        """Return the account; before the founding it is there, but empty."""
        return snapshot.account(self, self._second(at))

    def people(self, at: datetime) -> list[PersonFacts]:
        """Return everyone who ever joined, active and archived, by id."""
        second = self._second(at)
        return [snapshot.person(self, person, second) for person in self.staff(second)]

    def person(self, person_id: int, at: datetime) -> PersonFacts | None:
        """Return one person, None for an id unknown at `at`."""
        second = self._second(at)
        index = snapshot.person_index(person_id)
        known = index is not None and index < self.organization.person_count(second)
        return snapshot.person(self, self.organization.people[index], second) if known and index is not None else None

    def groups(self, at: datetime) -> list[GroupFacts]:
        """Return all groups, archived ones too; the pseudo group All Users is none of them (seen live)."""
        second = self._second(at)
        return snapshot.groups(self, second, self.group_counts(second)) if second >= FOUNDING else []

    def store_purchases(self, at: datetime) -> list[StorePurchaseFacts]:
        """Return what had been bought by `at`."""
        second = self._second(at)
        items = self.program.catalog.items
        return [snapshot.purchase(item, second) for item in items if not item.is_policy and item.bought_at <= second]

    def policies(self, at: datetime) -> list[PolicyFacts]:
        """Return the policies uploaded by `at`."""
        second = self._second(at)
        return [
            snapshot.policy(item) for item in self.program.catalog.items if item.is_policy and item.bought_at <= second
        ]

    def campaigns(self, at: datetime, percentages: bool = True) -> list[CampaignFacts]:
        """Return the campaigns there are at `at`; without `percentages` (slow to count) they are all 0."""
        second = self._second(at)
        return [snapshot.campaign(self, entry, second, percentages) for entry in self.living_campaigns(second)]

    def enrollments(self, at: datetime) -> Iterator[EnrollmentFacts]:
        """Yield every enrollment KnowBe4 returns at `at`, by id."""
        second = self._second(at)
        return (self._facts(ordinal, second) for ordinal in self.ledger.living(second))

    def enrollment(self, enrollment_id: int, at: datetime) -> EnrollmentFacts | None:
        """Return one enrollment; None when it is not made yet, was removed, or never existed."""
        second = self._second(at)
        ordinal = self.ledger.ordinal_of(enrollment_id)
        if ordinal is None or not self.ledger.exists(ordinal, second):
            return None
        return self._facts(ordinal, second)

    def removed_at(self, enrollment_id: int, at: datetime) -> datetime | None:
        """Return when an enrollment vanished, None if it had not by `at`."""
        second = self._second(at)
        ordinal = self.ledger.ordinal_of(enrollment_id)
        gone = NEVER if ordinal is None else self.ledger.removed_at(ordinal)
        return moment(gone) if gone <= second else None

    def enrollment_count(self, at: datetime) -> int:
        """Return how many enrollments KnowBe4 returns at `at`."""
        second = self._second(at)
        return self.ledger.count(second) - sum(
            gone <= second and self.ledger.enrolled[ordinal] <= second for gone, ordinal in self.ledger.removals
        )

    def phishing_campaigns(self, at: datetime) -> list[PhishingCampaignFacts]:
        """Return all phishing campaigns, callback ones too."""
        second = self._second(at)
        return [
            snapshot.phishing_campaign(self, entry, second)
            for entry in self.phishing.campaigns
            if entry.created_at <= second
        ]

    def phishing_tests(self, at: datetime) -> list[PhishingTestFacts]:
        """Return all security tests; one is seen two days before it starts."""
        second = self._second(at)
        return [
            snapshot.phishing_test(self, test, second)
            for test in self.phishing.tests
            if test.start_at - 2 * DAY <= second
        ]

    def recipients(self, pst_id: int, at: datetime) -> list[RecipientFacts]:
        """Return a test's recipients, empty before its start. An unknown id raises KeyError."""
        second = self._second(at)
        test = next(
            (test for test in self.phishing.tests if test.pst_id == pst_id and test.start_at - 2 * DAY <= second), None
        )
        if test is None:
            raise KeyError(pst_id)
        if second < test.start_at:
            return []
        return [snapshot.recipient(self, test, outcome, second) for outcome in self.phishing.outcomes(test)]

    def risk_score_history(self, at: datetime, key: str, full: bool, joined: int = FOUNDING) -> list[tuple[str, float]]:
        """Return (date, score) per day, newest first, at most 1000: half a year back, or all of it if `full`."""
        second = self._second(at)
        first = max(FOUNDING, joined, 0 if full else second - 183 * DAY) // DAY
        return [
            (moment(day * DAY).date().isoformat(), snapshot.risk(self.seed, key, day * DAY))
            for day in range(second // DAY, first - 1, -1)
        ][:1000]

    def _facts(self, ordinal: int, second: int) -> EnrollmentFacts:
        ledger = self.ledger
        campaign, content = ledger.units[ledger.unit[ordinal]]
        state = ledger.state(ordinal, second)
        score = ledger.score[ordinal]
        done = state.completed < NEVER
        return EnrollmentFacts(
            enrollment_id=ledger.id_of(ordinal),
            person_id=snapshot.person_id(ledger.person[ordinal]),
            campaign_id=campaign.campaign_id,
            content_kind=content.kind,
            content_id=content.content_id,
            module_name=content.name,
            enrolled_at=moment(ledger.enrolled[ordinal]),
            started_at=moment_or_none(state.started),
            completed_at=moment_or_none(state.completed),
            status=state.status,
            time_spent=state.spent,
            policy_acknowledged=content.is_policy and done,
            score=float(score) if score >= 0 and done else None,
            due_at=moment_or_none(state.due),
            derived_due_at=moment_or_none(state.derived),
            extended=state.extended,
        )

    def staff(self, second: int) -> list[Person]:
        """Return everyone who had joined by a second, by id."""
        return self.organization.people[: self.organization.person_count(second)]

    def living_campaigns(self, second: int) -> list[Campaign]:
        """Return the campaigns there are at a second."""
        return [campaign for campaign in self.program.campaigns if campaign.exists(second)]

    def group_counts(self, second: int) -> dict[int, int]:
        """Return active members by group id; the last answer is kept."""
        kept_at, kept = self._group_counts
        if kept_at != second:
            kept = self.groups_kept.counts(second)
            self._group_counts = (second, kept)
        return kept

    def ordinals_of_person(self, index: int) -> list[int]:
        """Return the ledger places of one person, in order."""
        with self.lock:
            done, places = self._by_person
            person = self.ledger.person
            for ordinal in range(done, len(person)):
                places.setdefault(person[ordinal], []).append(ordinal)
            self._by_person = (len(person), places)
            return places.get(index, [])


def _of(homes: list[list[int]], departments: Iterable[int]) -> list[int]:
    """Return who is at home in one of the departments, in order."""
    return sorted(chain.from_iterable(homes[number] for number in departments))


def _shares(people: int, enrollments: int | None, requests: float, departments: int) -> tuple[float, float, int]:
    """Return the part of everyone, and of a requested group, to enroll so that three years bring about `enrollments`.

    Without a target both are whole. A target above what the whole program brings cuts all content into so many
    parts, each of which is an enrollment: the third number, otherwise 1.
    """
    audience = people * (0.10 if departments <= 14 else 12 / departments) * 0.9
    asked = requests * 36 * audience
    if enrollments is None:
        return 1.0, 1.0, 1
    parts = max(1, ceil(enrollments / (people * NATURAL + asked)))
    enrollments //= parts
    rolling = 6.0 * people
    request_share = min(1.0, 0.15 * enrollments / asked) if asked else 1.0
    if enrollments - asked * request_share > people * NATURAL:
        # Everyone is in everything already: requests bring what is missing.
        request_share = min(1.0, (enrollments - people * NATURAL) / asked)
    rest = enrollments - asked * request_share - rolling
    return min(1.0, max(0.02, rest / (people * (NATURAL - 6.0)))), request_share, parts
