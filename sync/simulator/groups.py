"""The groups and who is in them: departments, locations and the smart groups."""

from typing import NamedTuple

from .departments import LOCATIONS, Department
from .organization import Organization, Person
from .phishing import Phishing
from .timestamps import DAY


class Group(NamedTuple):
    """A group; `status` is active or archived."""

    group_id: int
    name: str
    group_type: str
    guid: str | None
    status: str


NEW_HIRES, CLICKERS, MANAGERS, LEGACY = 2_470_100, 2_470_200, 2_470_300, 2_470_400


class Groups:
    """The fixed set of groups; membership is worked out from the person at the moment asked."""

    def __init__(self, departments: tuple[Department, ...], organization: Organization, phishing: Phishing) -> None:
        self._organization = organization
        self._phishing = phishing
        self.all = (
            *(
                Group(2_410_000 + department.number * 211, department.name, "console_group", None, "active")
                for department in departments
            ),
            *(
                Group(
                    2_450_000 + number * 307,
                    f"Site: {name}",
                    "provisioning_managed_group",
                    f"grp-63f6{number:04d}",
                    "active",
                )
                for number, name in enumerate(LOCATIONS)
            ),
            Group(NEW_HIRES, "New hires (first 90 days)", "smart_group", None, "active"),
            Group(CLICKERS, "Phishing clickers (90 days)", "smart_group", None, "active"),
            Group(MANAGERS, "People managers", "smart_group", None, "active"),
            Group(LEGACY, "Contractors & temps (old)", "console_group", None, "archived"),
        )
        self._sites = {name: 2_450_000 + number * 307 for number, name in enumerate(LOCATIONS)}

    def of(self, person: Person, at: int) -> tuple[int, ...]:
        """Return the ids of a person's groups at `at`."""
        seat = person.seat(at)
        found = [2_410_000 + seat.team.department.number * 211, self._sites[seat.location]]
        if person.spells[0][0] + 90 * DAY > at and person.start_date >= person.spells[0][0] - DAY:
            found.append(NEW_HIRES)
        index = person.index
        if index in self._phishing.failures and self._phishing.failures_by(index, at) > self._phishing.failures_by(
            index, at - 90 * DAY
        ):
            found.append(CLICKERS)
        if seat.leads:
            found.append(MANAGERS)
        return tuple(found)

    def counts(self, at: int) -> dict[int, int]:
        """Return how many active people each group has at `at`."""
        counts: dict[int, int] = {}
        people = self._organization.people
        for index in range(self._organization.person_count(at)):
            if people[index].is_active(at):
                for group in self.of(people[index], at):
                    counts[group] = counts.get(group, 0) + 1
        return counts
