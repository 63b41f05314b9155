"""The people of the company and who reports to whom: joiners, leavers, transfers, new names, re-hires.

History is made month by month, always in the same order, so a month's events never depend on who asks or when.
"""

import random
from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from .departments import LANGUAGES, LOCATIONS, Department
from .names import draw_last_name, draw_name
from .seeded_random import about, office_hours, seeded
from .timestamps import DAY, FOUNDING, NEVER, month_start

FULL_SIZE_MONTH = 36
"""The month (November 2026) in which the company has the number of people it was asked for."""


class Identity(NamedTuple):
    """A name and address from a moment on."""

    since: int
    first_name: str
    last_name: str
    email: str


class Seat(NamedTuple):
    """A place in the company from a moment on. `text` is the department as someone typed it, None when left blank."""

    since: int
    team: "Team"
    leads: bool
    title: str
    location: str
    text: str | None


class Team:
    """A reporting unit. Its leader reports to the parent's leader, unless `loops_to` closes the one loop there is."""

    __slots__ = ("department", "leaders", "level", "loops_to", "parent")

    def __init__(self, department: Department, parent: "Team | None", level: int) -> None:
        self.department = department
        self.parent = parent
        self.level = level
        self.leaders: list[tuple[int, int]] = []
        self.loops_to: Team | None = None

    def leader(self, at: int) -> int | None:
        """Return the index of the person who leads at `at`; who left stays on paper until a successor is named."""
        found = None
        for since, person in self.leaders:
            if since > at:
                break
            found = person
        return found


class Person:
    """Someone the company trains, with everything that ever changes about them as dated lists."""

    __slots__ = (
        "diligence", "employee_number", "gullible", "identities", "index", "language", "manager_style",
        "phone", "provisioned", "seats", "spells", "start_date",
    )  # fmt: skip

    def __init__(self, index: int) -> None:
        self.index = index
        self.identities: list[Identity] = []
        self.seats: list[Seat] = []
        self.spells: list[tuple[int, int]] = []
        self.diligence = self.gullible = 0.0
        self.employee_number: str | None = None
        self.language = LANGUAGES[0]
        self.manager_style = ""
        self.phone: str | None = None
        self.provisioned = True
        self.start_date = 0

    def identity(self, at: int) -> Identity:
        """Return the name at `at`; before they joined, the first one."""
        found = self.identities[0]
        for entry in self.identities[1:]:
            if entry.since > at:
                break
            found = entry
        return found

    def seat(self, at: int) -> Seat:
        """Return the seat at `at`; before they joined, the first one."""
        found = self.seats[0]
        for entry in self.seats[1:]:
            if entry.since > at:
                break
            found = entry
        return found

    def is_active(self, at: int) -> bool:
        """Tell whether they work here at `at`."""
        for since, until in self.spells:  # noqa: SIM110 - asked for everyone in a page, and faster than any()
            if since <= at < until:
                return True
        return False

    def archived_at(self, at: int) -> int:
        """Return since when they are archived at `at`, NEVER while active (a re-hire wipes the date)."""
        return NEVER if self.is_active(at) else max(until for _, until in self.spells if until <= at)


_TITLES = {1: "Chief Executive", 2: "Head of {}", 3: "Director, {}", 4: "Team Lead, {}"}


class Organization:
    """Everyone who ever worked here, up to the month made last."""

    def __init__(self, seed: int, people: int, departments: Sequence[Department]) -> None:
        self.seed = seed
        self.size = people
        self.departments = departments
        self.people: list[Person] = []
        self.joined: list[int] = []
        self.leave: list[int] = []
        """By person: the first moment they were archived, NEVER if they never were (a quick look for the ledger)."""
        self._active: list[list[int]] = [[] for _ in departments]
        self._squads: list[list[Team]] = [[] for _ in departments]
        self._returning: list[tuple[int, int]] = []
        self._emails: dict[str, int] = {}
        self._root = Team(departments[-1], None, 1)
        self._weights = [department.weight for department in departments]
        self._found()

    def target(self, month: int) -> int:
        """Return how many active people the company wants in a month."""
        grown = min(month / FULL_SIZE_MONTH, 1.0)
        return max(
            len(self.departments), round(self.size * (0.82 + 0.18 * grown + 0.001 * max(0, month - FULL_SIZE_MONTH)))
        )

    def person_count(self, at: int) -> int:
        """Return how many people had ever joined by `at`: they are the first of `people`."""
        return bisect_right(self.joined, at)

    def active_now(self) -> list[int]:
        """Return the indexes of those active at the end of the month made last, in order."""
        return sorted(index for department in self._active for index in department)

    def _found(self) -> None:
        rng = seeded(self.seed, "founding")
        count = self.target(0)
        total = sum(self._weights)
        sizes = [max(1, round(count * weight / total)) for weight in self._weights]
        sizes[0] = max(1, sizes[0] + count - sum(sizes))
        self._hire_leader(rng, self._root, FOUNDING + 9 * 3600)
        sizes[-1] -= 1
        for department, size in zip(self.departments, sizes, strict=True):
            head = Team(department, self._root, 2)
            if size < 1:
                self._squads[department.number].append(head)
                continue
            self._hire_leader(rng, head, self._founding_time())
            left = size - 1
            if left <= 8:
                self._squads[department.number].append(head)
            divisions = [head] if left <= 20 else []
            while not divisions or (len(divisions) * 60 < left and divisions[0] is not head):
                division = Team(department, head, 3)
                divisions.append(division)
                self._hire_leader(rng, division, self._founding_time())
                left -= 1
            squads: list[Team] = []
            while left > 8 and len(squads) * 10 < left:
                squad = Team(department, divisions[len(squads) % len(divisions)], 4)
                squads.append(squad)
                self._hire_leader(rng, squad, self._founding_time())
                left -= 1
            self._squads[department.number] = squads or self._squads[department.number] or [divisions[0]]
            for _ in range(max(0, left)):
                self._hire(rng, department, self._founding_time())
        for squads in self._squads:
            looping = next(
                (squad for squad in squads if squad.level == 4 and squad.parent and squad.parent.level == 3), None
            )
            if looping is not None and looping.parent is not None:
                looping.parent.loops_to = looping
                break

    def _founding_time(self) -> int:
        return FOUNDING + 9 * 3600 + min(len(self.people), 20_000)

    def _hire_leader(self, rng: random.Random, team: Team, at: int) -> None:
        person = self._hire(rng, team.department, at, team)
        team.leaders.append((at, person.index))

    def _hire(self, rng: random.Random, department: Department, at: int, leads: Team | None = None) -> Person:
        person = Person(len(self.people))
        first, last = draw_name(rng)
        person.identities.append(Identity(at, first.text, last.text, self._address(first.ascii, last.ascii)))
        team = leads or rng.choice(self._squads[department.number])
        person.seats.append(self._seat(rng, at, team, leads is not None, rng.choice(LOCATIONS)))
        person.spells.append((at, NEVER))
        person.diligence = min(0.995, max(0.3, rng.gauss(department.diligence, 0.08)))
        person.gullible = department.gullible * rng.choice((0.3, 0.6, 1.0, 1.0, 1.6, 2.2))
        person.employee_number = None if rng.random() < 0.03 else f"BW{100_000 + len(self.people) * 7}"
        person.language = rng.choice(LANGUAGES)
        person.manager_style = rng.choices(("", "blank", "name_only", "upper", "title"), (94, 1, 1, 2, 2))[0]
        person.phone = f"+1 555 01{rng.randrange(100):02d}" if rng.random() < 0.4 else None
        person.provisioned = rng.random() < 0.93
        day = at // DAY * DAY
        person.start_date = day if at > FOUNDING + DAY else day - rng.randrange(30, 4_000) * DAY
        self.people.append(person)
        self.joined.append(at)
        self.leave.append(NEVER)
        self._active[department.number].append(person.index)
        return person

    def _seat(self, rng: random.Random, at: int, team: Team, leads: bool, location: str) -> Seat:
        department = team.department
        title = _TITLES[team.level].format(department.head) if leads else rng.choice(department.titles)
        text: str | None = department.name
        draw = rng.random()
        if draw < 0.012:
            text = None if draw < 0.008 else ""
        elif department.spellings and draw < 0.07:
            text = rng.choice(department.spellings)
        return Seat(at, team, leads, title, location, text)

    def _address(self, first: str, last: str) -> str:
        local = f"{first}.{last}"
        taken = self._emails[local] = self._emails.get(local, 0) + 1
        return f"{local}@brackwater.example" if taken == 1 else f"{local}{taken}@brackwater.example"

    def advance(self, month: int) -> list[Person]:
        """Make one month's events, in order after the month before it. Return the month's joiners."""
        rng = seeded(self.seed, "people", month)
        first, last = month_start(month), month_start(month + 1)
        first = max(first, FOUNDING + 2 * DAY)
        count = sum(map(len, self._active))
        back = [entry for entry in self._returning if entry[0] < last]
        self._returning = [entry for entry in self._returning if entry[0] >= last]
        leavers = min(about(rng, count * 0.011), count - 2)
        self._part(rng, first, last, leavers)
        self._move(rng, first, last, about(rng, count * 0.006))
        for _ in range(about(rng, count * 0.0015)):
            self._rename(rng, self._anyone(rng), office_hours(rng, first, last))
        for at, index in back:
            self._return(rng, self.people[index], max(at, first))
        wanted = max(0, self.target(month) - sum(map(len, self._active)))
        times = sorted(office_hours(rng, first, last) for _ in range(wanted))
        departments = rng.choices(self.departments, self._weights, k=wanted)
        return [self._hire(rng, department, at) for department, at in zip(departments, times, strict=True)]

    def _anyone(self, rng: random.Random) -> Person:
        while True:
            members = self._active[rng.choices(range(len(self._active)), self._weights)[0]]
            if members:
                return self.people[rng.choice(members)]

    def _part(self, rng: random.Random, first: int, last: int, count: int) -> None:
        for _ in range(count):
            person = self._anyone(rng)
            at = office_hours(rng, first, last)
            since, until = person.spells[-1]
            if until != NEVER or since >= at or person.seats[-1].since >= at or person.seats[-1].team is self._root:
                continue
            self._leave(rng, person, at, last)

    def _leave(self, rng: random.Random, person: Person, at: int, last: int) -> None:
        seat = person.seats[-1]
        members = self._active[seat.team.department.number]
        members.remove(person.index)
        person.spells[-1] = (person.spells[-1][0], at)
        self.leave[person.index] = min(self.leave[person.index], at)
        if rng.random() < 0.08:
            self._returning.append((office_hours(rng, at + 60 * DAY, at + 270 * DAY), person.index))
        if not seat.leads:
            return
        staff = [index for index in members if not self.people[index].seats[-1].leads]
        staff = [index for index in staff if self.people[index].seats[-1].since < at]
        if staff:
            heir = self.people[rng.choice(staff)]
            when = min(at + rng.randrange(1, 25) * DAY, last - 1)
            heir.seats.append(self._seat(rng, when, seat.team, True, heir.seats[-1].location))
            seat.team.leaders.append((when, heir.index))

    def _move(self, rng: random.Random, first: int, last: int, count: int) -> None:
        for _ in range(count):
            person = self._anyone(rng)
            seat = person.seats[-1]
            at = office_hours(rng, first, last)
            if seat.leads or seat.since >= at or person.spells[-1][0] >= at:
                continue
            here = seat.team.department.number
            there = here if rng.random() < 0.5 else rng.choices(range(len(self._squads)), self._weights)[0]
            location = rng.choice(LOCATIONS) if rng.random() < 0.4 else seat.location
            person.seats.append(self._seat(rng, at, rng.choice(self._squads[there]), False, location))
            self._active[here].remove(person.index)
            self._active[there].append(person.index)

    def _rename(self, rng: random.Random, person: Person, at: int) -> None:
        old = person.identities[-1]
        if old.since >= at or not person.is_active(at):
            return
        last = draw_last_name(rng)
        local = old.email.partition("@")[0].partition(".")[0]
        person.identities.append(Identity(at, old.first_name, last.text, self._address(local, last.ascii)))

    def _return(self, rng: random.Random, person: Person, at: int) -> None:
        seat = person.seats[-1]
        team = rng.choice(self._squads[seat.team.department.number])
        person.seats.append(self._seat(rng, at, team, False, seat.location))
        person.spells.append((at, NEVER))
        self._active[team.department.number].append(person.index)

    def manager(self, person: Person, at: int) -> Person | None:
        """Return whom a person reports to at `at`; None at the top or where no one was ever named."""
        seat = person.seat(at)
        team: Team | None = seat.team
        if seat.leads:
            team = seat.team.loops_to or seat.team.parent
        leader = team.leader(at) if team else None
        if leader is None or leader == person.index:
            return None
        return self.people[leader]
