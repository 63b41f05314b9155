"""Size of the company that an account is filled with."""

from dataclasses import dataclass

from sync.simulator import Company

CAMPAIGNS = 250
"""Number that the simulator aims for over three years, deleted ones too; KnowBe4 still lists some 240 of them."""
DEPARTMENTS = 120
PEOPLE_A_DEPARTMENT = 40


@dataclass(frozen=True)
class Size:
    """Active people and, roughly, enrollments of a company with 240 campaigns and 120 departments.

    Departments are fewer where that would leave them with less than 40 people each.
    """

    people: int = 50_000
    enrollments: int = 1_000_000
    seed: int = 7

    def company(self) -> Company:
        """Return the company. ValueError when there are too few people to make one."""
        return Company(
            self.seed,
            self.people,
            enrollments=self.enrollments,
            campaigns=CAMPAIGNS,
            departments=max(1, min(DEPARTMENTS, self.people // PEOPLE_A_DEPARTMENT)),
        )
