"""A company that becomes another, step by step, in the mirror too; each step tells whom it touched."""

import random
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from dashboard.models import User
from dashboard.models.settings import CampaignSetting, Exemption
from sync.models import Department, Enrollment, GroupMembership, Person
from tests.dashboard.numbers.mirror import (
    SEEN_AT,
    Mirror,
    enrollment_fields,
    exemption_row,
    link_managers,
    person_fields,
)
from tests.oracle import records
from tests.oracle.organization import spelled


@dataclass
class Touched:
    """The rows' ids that a step bears on, as whoever changed them knows it."""

    people: set[int] = field(default_factory=set)
    campaigns: set[int] = field(default_factory=set)
    enrollments: set[int] = field(default_factory=set)


class History:
    """A company on its way from `company` towards `goal`, whose rows carry the same keys."""

    def __init__(
        self,
        company: records.Company,
        goal: records.Company,
        mirror: Mirror,
        deciders: tuple[User, User],
        dice: random.Random,
    ) -> None:
        self.company = company
        self.goal = goal
        self.mirror = mirror
        self.deciders = deciders
        self.dice = dice

    def step(self) -> Touched:
        """Change some rows of one kind and return whom that touched."""
        return self.dice.choice(
            (
                self.change_enrollments,
                self.change_enrollments,
                self.add_enrollments,
                self.change_people,
                self.change_people,
                self.change_members,
                self.decide_on_campaigns,
                self.exempt,
                self.end_exemptions,
                self.merge_departments,
            )
        )()

    def _some(self, keys: list[int]) -> list[int]:
        return self.dice.sample(keys, min(len(keys), self.dice.randint(1, 4)))

    def change_enrollments(self) -> Touched:
        """Let some enrollments become what they are in the goal, another person's included."""
        goal = {row.key: row for row in self.goal.enrollments}
        chosen = set(self._some(sorted({row.key for row in self.company.enrollments} & set(goal))))
        rows = tuple(self._at_home(goal[row.key]) if row.key in chosen else row for row in self.company.enrollments)
        for row in rows:
            if row.key in chosen:
                Enrollment.objects.filter(pk=self.mirror.enrollments[row.key]).update(
                    **enrollment_fields(self.mirror, row)
                )
        self.company = replace(self.company, enrollments=rows)
        return Touched(enrollments={self.mirror.enrollments[key] for key in chosen})

    def add_enrollments(self) -> Touched:
        """Add some of the goal's enrollments that are not there yet."""
        here = {row.key for row in self.company.enrollments}
        chosen = self._some(sorted(row.key for row in self.goal.enrollments if row.key not in here))
        rows = [self._at_home(row) for row in self.goal.enrollments if row.key in chosen]
        made = Enrollment.objects.bulk_create(
            Enrollment(
                account=self.mirror.account,
                knowbe4_id=row.key,
                first_seen_at=SEEN_AT,
                **enrollment_fields(self.mirror, row),
            )
            for row in rows
        )
        self.mirror.enrollments |= {row.knowbe4_id: row.pk for row in made}
        self.company = replace(self.company, enrollments=(*self.company.enrollments, *rows))
        return Touched(enrollments={row.pk for row in made})

    def _at_home(self, row: records.Enrollment) -> records.Enrollment:
        """Return the row, in a campaign and of a person that are here."""
        return replace(
            row,
            person=row.person if row.person in self.company.people else None,
            campaign=row.campaign if row.campaign in self.company.campaigns else None,
        )

    def change_people(self) -> Touched:
        """Let some people become what they are in the goal: they leave, return, or go elsewhere."""
        chosen = self._some(sorted(set(self.company.people) & set(self.goal.people)))
        people = dict(self.company.people)
        for key in chosen:
            texts = {name: getattr(people[key], name) for name in ("email", "past")}
            spelling = spelled(self.goal.people[key].department)
            department = people[key].department if spelling not in self.mirror.departments else None
            people[key] = replace(self.goal.people[key], **texts)
            if department is not None:
                people[key] = replace(people[key], department=department)
            Person.objects.filter(pk=self.mirror.people[key]).update(**person_fields(self.mirror, people[key]))
        before = dict(Person.objects.filter(account=self.mirror.account).values_list("pk", "manager_id"))
        self.company = replace(self.company, people=people)
        rows = list(Person.objects.filter(account=self.mirror.account))
        link_managers(self.company, self.mirror, rows)
        moved = {row.pk for row in rows if before[row.pk] != row.manager_id}
        return Touched(people={self.mirror.people[key] for key in chosen} | moved)

    def change_members(self) -> Touched:
        """Let somebody join or leave a group; whom its exemptions excuse changes with it."""
        if not self.company.groups:
            return Touched()
        group, person = (
            self.dice.choice(sorted(self.company.groups)),
            self.dice.choice(sorted(self.company.people)),
        )
        members = self.company.groups[group] ^ {person}
        GroupMembership.objects.filter(group_id=self.mirror.groups[group], person_id=self.mirror.people[person]).update(
            removed_at=None if person in members else SEEN_AT + timedelta(days=2)
        )
        self.company = replace(self.company, groups={**self.company.groups, group: members})
        return Touched(people={self.mirror.people[person]})

    def decide_on_campaigns(self) -> Touched:
        """Let a campaign count or not, or let KnowBe4 change its state."""
        if not self.company.campaigns:
            return Touched()
        key = self.dice.choice(sorted(self.company.campaigns))
        campaign = self.company.campaigns[key]
        requirement = self.dice.choice(["required", "optional", "excluded"])
        CampaignSetting.objects.update_or_create(
            account=self.mirror.account,
            campaign_id=self.mirror.campaigns[key],
            defaults={"requirement": requirement},
        )
        campaigns = {**self.company.campaigns, key: replace(campaign, requirement=requirement)}
        self.company = replace(self.company, campaigns=campaigns)
        return Touched(campaigns={self.mirror.campaigns[key]})

    def exempt(self) -> Touched:
        """Approve one more exemption of the goal's."""
        key = max((exemption.key for exemption in self.company.exemptions), default=0) + 1
        for exemption in self.goal.exemptions:
            here = (
                (exemption.person is None or exemption.person in self.company.people)
                and (exemption.group is None or exemption.group in self.company.groups)
                and (exemption.campaign is None or exemption.campaign in self.company.campaigns)
            )
            if here and self.dice.random() < 0.6:
                new = replace(exemption, key=key, is_approved=True, ended_at=None)
                exemption_row(self.mirror, new, *self.deciders).save()
                self.company = replace(self.company, exemptions=(*self.company.exemptions, new))
                return Touched(people=self._excused(new))
        return Touched()

    def _excused(self, exemption: records.Exemption) -> set[int]:
        people = {exemption.person} if exemption.person is not None else self.company.groups[exemption.group or 0]
        return {self.mirror.people[key] for key in people if key is not None}

    def end_exemptions(self) -> Touched:
        """End an exemption by hand, some days after it began."""
        running = [
            exemption for exemption in self.company.exemptions if exemption.ended_at is None and exemption.is_approved
        ]
        if not running:
            return Touched()
        ended = self.dice.choice(running)
        ended_at = ended.starts_at + timedelta(days=self.dice.randint(-1, 60))
        rows = Exemption.objects.filter(account=self.mirror.account, starts_at=ended.starts_at, ended_at=None).filter(
            approved_at__isnull=False,
            ends_at=ended.ends_at,
            person=None if ended.person is None else self.mirror.people[ended.person],
            group=None if ended.group is None else self.mirror.groups[ended.group],
            campaign=None if ended.campaign is None else self.mirror.campaigns[ended.campaign],
        )
        first = rows.order_by("pk")[:1].get()
        Exemption.objects.filter(pk=first.pk).update(ended_at=ended_at, ended_by=self.deciders[1])
        exemptions = list(self.company.exemptions)
        exemptions[exemptions.index(ended)] = replace(ended, ended_at=ended_at)
        self.company = replace(self.company, exemptions=tuple(exemptions))
        return Touched(people=self._excused(ended))

    def merge_departments(self) -> Touched:
        """Merge the departments as they are in the goal, or undo every merge."""
        known = {*self.mirror.departments}
        merges = {
            one: other for one, other in self.goal.merges.items() if {one, other} <= known and self.dice.random() < 0.7
        }
        self.company = replace(self.company, merges=merges)
        for key, pk in self.mirror.departments.items():
            end = key
            while end in merges:
                end = merges[end]
            Department.objects.filter(pk=pk).update(merged_into=None if end == key else self.mirror.departments[end])
        return Touched(people=set(self.mirror.people.values()))


def moments_for(facts: list[datetime], dice: random.Random, number: int) -> list[datetime]:
    """Return so many moments in order, from before the first fact until after the last."""
    if not facts:
        facts = [SEEN_AT]
    around = [facts[0] - timedelta(days=1), *facts, facts[-1] + timedelta(days=100)]
    jitter = (timedelta(0), timedelta(microseconds=1), -timedelta(microseconds=1), timedelta(hours=7))
    return sorted(dice.choice(around) + dice.choice(jitter) for _ in range(number))
