"""Counting: who is counted, in which state, and the sums."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tests.oracle.organization import Organization
from tests.oracle.records import Campaign, Company, Enrollment, Exemption, Person, Question

STATES = ("completed", "past_due", "in_progress", "not_started")
MEASURES = (*STATES, "counted", "completed_late", "due", "on_time", "unknown_due", "policies", "acknowledged")
DONE = {"passed", "completed"}
KNOWN = DONE | {"not started", "in progress", "past due"}
CANCELLED = {"cancelled", "canceled"}
BUCKETS = (("1-7", 7), ("8-14", 14), ("15-30", 30), ("31-60", 60), ("61-90", 90))
OLDEST = "over-90"


@dataclass(frozen=True)
class Counts:
    """Sums of one set of enrollments at a moment."""

    counted: int = 0
    completed: int = 0
    completed_late: int = 0
    past_due: int = 0
    in_progress: int = 0
    not_started: int = 0
    due: int = 0
    on_time: int = 0
    unknown_due: int = 0
    policies: int = 0
    acknowledged: int = 0
    people_counted: int = 0
    people_past_due: int = 0
    people_active: int = 0


@dataclass(frozen=True)
class Totals:
    """The headline without exempt enrollments, and everything."""

    net: Counts
    gross: Counts


def has_passed(moment: datetime | None, at: datetime) -> bool:
    """Return whether something had happened at `at`; at that very moment it has."""
    return moment is not None and moment <= at


def state(enrollment: Enrollment, at: datetime) -> str:
    """Return an enrollment's state: the first of the four that applies."""
    if has_passed(enrollment.completed_at, at):
        return "completed"
    if has_passed(enrollment.due_at, at):
        return "past_due"
    if has_passed(enrollment.started_at, at):
        return "in_progress"
    return "not_started"


def campaign_state(campaign: Campaign, at: datetime) -> str:
    """Return a campaign's state in Rollcall's words."""
    if has_passed(campaign.archived_at, at) or has_passed(campaign.removed_at, at):
        return "archived"
    word = campaign.status.lower()
    if word in CANCELLED:
        return "cancelled"
    if word in {"completed", "closed"}:
        return "closed"
    if word in {"enrolling", "in progress"}:
        return "active"
    if word != "created":
        return "other"
    if campaign.start_at is None:
        return "created"
    return "active" if campaign.start_at <= at else "scheduled"


def is_active(person: Person, at: datetime) -> bool:
    """Return whether the person was there at `at`: from the moment they leave, they are not."""
    if has_passed(person.removed_at, at):
        return False
    if person.status == "active":
        return True
    return person.status == "archived" and person.archived_at is not None and person.archived_at > at


def is_eligible(company: Company, enrollment: Enrollment) -> bool:
    """Return whether the enrollment can count at any moment: its person, its word and its campaign allow it."""
    if enrollment.person is None or enrollment.status.lower() not in KNOWN:
        return False
    if enrollment.campaign is None:
        return True
    campaign = company.campaigns[enrollment.campaign]
    return campaign.requirement == "required" and campaign.status.lower() not in CANCELLED


def is_there(enrollment: Enrollment, at: datetime) -> bool:
    """Return whether the enrollment existed at `at`: enrolled, and KnowBe4 still returned it."""
    return enrollment.enrolled_at <= at and not has_passed(enrollment.removed_at, at)


def is_counted(company: Company, enrollment: Enrollment, at: datetime) -> bool:
    """Return whether a current figure at `at` counts the enrollment, gross."""
    return (
        is_eligible(company, enrollment)
        and enrollment.person is not None
        and is_there(enrollment, at)
        and is_active(company.people[enrollment.person], at)
    )


def is_exempt(company: Company, enrollment: Enrollment, at: datetime) -> bool:
    """Return whether an approved exemption covers the enrollment at `at`."""

    def covers(exemption: Exemption) -> bool:
        theirs = enrollment.person is not None and (
            exemption.person == enrollment.person
            or (exemption.group is not None and enrollment.person in company.groups[exemption.group])
        )
        fits = exemption.campaign is None or exemption.campaign == enrollment.campaign
        begun = exemption.starts_at <= at
        over = has_passed(exemption.ends_at, at) or has_passed(exemption.ended_at, at)
        return exemption.is_approved and theirs and fits and begun and not over

    return any(covers(exemption) for exemption in company.exemptions)


class Count:
    """One question asked of one company."""

    def __init__(self, company: Company, question: Question) -> None:
        self.company = company
        self.question = question
        self.at = question.as_of
        self.organization = Organization(company, question.as_of if question.is_then else None)

    # Filters ----------------------------------------------------------------------------------------------------

    def takes_person(self, key: int) -> bool:
        """Return whether the filters on people let the person pass."""
        asked = self.question
        if asked.departments and self.organization.department(key) not in asked.departments:
            return False
        if asked.manager is not None:
            above = self.organization.above(key)
            if asked.manager not in (above if asked.is_whole_line else above[:1]):
                return False
        return not asked.groups or any(key in self.company.groups[group] for group in asked.groups)

    def takes_work(self, enrollment: Enrollment) -> bool:
        """Return whether the filters on campaigns, content and state let the enrollment pass."""
        asked = self.question
        campaign = self.company.campaigns.get(enrollment.campaign) if enrollment.campaign is not None else None
        if asked.campaigns and enrollment.campaign not in asked.campaigns:
            return False
        if asked.campaign_states and (
            campaign is None or campaign_state(campaign, self.at) not in asked.campaign_states
        ):
            return False
        if asked.triggers and (campaign is None or campaign.trigger not in asked.triggers):
            return False
        if asked.content_types and enrollment.content_type not in asked.content_types:
            return False
        return not asked.states or state(enrollment, self.at) in asked.states

    def _passing(self) -> Iterator[Enrollment]:
        for enrollment in self.company.enrollments:
            if enrollment.person is not None and self.takes_person(enrollment.person) and self.takes_work(enrollment):
                yield enrollment

    # Rows -------------------------------------------------------------------------------------------------------

    def rows(self, *, gross: bool) -> list[Enrollment]:
        """Return the enrollments that current figures count."""
        return [
            enrollment
            for enrollment in self._passing()
            if is_counted(self.company, enrollment, self.at)
            and (gross or not is_exempt(self.company, enrollment, self.at))
        ]

    def cohort(self, start: datetime, end: datetime, *, gross: bool) -> list[Enrollment]:
        """Return the enrollments due in [start, end) that a cohort counts.

        Their people were there when they fell due; of what is still to fall due, they are there now.
        """
        found = []
        for enrollment in self._passing():
            due_at, person = enrollment.due_at, enrollment.person
            if due_at is None or person is None or not start <= due_at < end:
                continue
            if not is_eligible(self.company, enrollment) or not is_there(enrollment, self.at):
                continue
            decided_at = min(self.at, due_at)
            if not is_active(self.company.people[person], decided_at):
                continue
            if gross or not is_exempt(self.company, enrollment, decided_at):
                found.append(enrollment)
        return found

    # Figures ----------------------------------------------------------------------------------------------------

    def counts(self, rows: Iterable[Enrollment], people_active: int = 0) -> Counts:
        """Add up the rows, each in its state at the moment asked for."""
        rows = list(rows)
        sums = {name: sum(1 for row in rows if self.is_in(row, name)) for name in MEASURES}
        return Counts(
            **sums,
            people_counted=len({row.person for row in rows}),
            people_past_due=len({row.person for row in rows if self.is_in(row, "past_due")}),
            people_active=people_active,
        )

    def is_in(self, row: Enrollment, measure: str) -> bool:
        """Return whether a counted row is in one of the counts."""
        stands = state(row, self.at)
        is_policy = row.content_type == "Policy"
        if measure in STATES:
            return stands == measure
        return {
            "counted": True,
            "completed_late": stands == "completed" and row.due_at is not None and not met(row),
            "due": has_passed(row.due_at, self.at),
            "on_time": has_passed(row.due_at, self.at) and met(row),
            "unknown_due": row.is_extended,
            "policies": is_policy,
            "acknowledged": is_policy and (row.is_acknowledged or stands == "completed"),
        }[measure]

    def active_people(self) -> list[int]:
        """Return the people who are active and have joined, and whom the filters on people let pass."""
        return [
            person.key
            for person in self.company.people.values()
            if is_active(person, self.at)
            and (person.joined_at is None or person.joined_at <= self.at)
            and self.takes_person(person.key)
        ]

    def totals(self) -> Totals:
        """Return the figures of everything asked for."""
        active = len(self.active_people())
        return Totals(self.counts(self.rows(gross=False), active), self.counts(self.rows(gross=True), active))

    def homes(self, by: str, person: int) -> set[int | str]:
        """Return the groups that a person belongs to: one department, any number of managers or groups."""
        if by == "department":
            return {self.organization.department(person)}
        if by == "manager":
            return {self.organization.manager_or_name(person)}
        if by == "line":
            return set(self.organization.above(person)) or {self.organization.manager_or_name(person)}
        if by == "group":
            return {group for group, members in self.company.groups.items() if person in members}
        raise ValueError(by)

    def groups_of(self, by: str, row: Enrollment) -> set[int | str | None]:
        """Return the groups that an enrollment is counted in."""
        if by == "campaign":
            return {row.campaign}
        if by == "content_type":
            return {row.content_type}
        assert row.person is not None
        return set(self.homes(by, row.person))

    def totals_by(self, by: str) -> dict[int | str | None, Totals]:
        """Return the figures of each group that counts anything: department, manager, line, campaign, ...

        A department is named by its spelling, a manager by their key or, where nobody here has their email, by name.
        Groups of people also say how many are active in them; those of work leave that to be asked of the whole.
        """
        net, gross = self.rows(gross=False), self.rows(gross=True)
        found = {}
        active = self.active_people() if by not in {"campaign", "content_type"} else []
        names = {name for row in gross for name in self.groups_of(by, row)}
        names |= {name for person in active for name in self.homes(by, person)}
        for name in names:
            here = sum(1 for person in active if name in self.homes(by, person))
            found[name] = Totals(
                self.counts((row for row in net if name in self.groups_of(by, row)), here),
                self.counts((row for row in gross if name in self.groups_of(by, row)), here),
            )
        return found

    # Ages and durations -----------------------------------------------------------------------------------------

    def buckets(self, *, gross: bool) -> dict[str, tuple[int, int]]:
        """Return, for each age of past due, the enrollments in it and the people whose oldest is in it."""
        late = [row for row in self.rows(gross=gross) if state(row, self.at) == "past_due"]
        oldest: dict[int, int] = {}
        found = dict.fromkeys([*(name for name, _ in BUCKETS), OLDEST], (0, 0))
        for row in late:
            assert row.due_at is not None and row.person is not None
            days = self.days_past_due(row.due_at)
            name = bucket(days)
            found[name] = (found[name][0] + 1, found[name][1])
            oldest[row.person] = max(days, oldest.get(row.person, 0))
        for days in oldest.values():
            name = bucket(days)
            found[name] = (found[name][0], found[name][1] + 1)
        return found

    def days_past_due(self, due_at: datetime) -> int:
        """Return the local days between, at least 1; a midnight is the end of its day."""
        last = self.at - timedelta(microseconds=1)
        today, then = (moment.astimezone(self.company.zone).date() for moment in (last, due_at))
        return max(1, (today - then).days)

    def days_to_complete(self, *, gross: bool) -> tuple[list[float], int]:
        """Return the days that each finisher took, ascending, and how many are unfinished."""
        rows = self.rows(gross=gross)
        done = [row for row in rows if state(row, self.at) == "completed"]
        days = sorted(
            (row.completed_at - row.enrolled_at) / timedelta(days=1) for row in done if row.completed_at is not None
        )
        return days, len(rows) - len(done)


def met(row: Enrollment) -> bool:
    """Return whether the enrollment was completed no later than it was due."""
    return row.due_at is not None and row.completed_at is not None and row.completed_at <= row.due_at


def bucket(days: int) -> str:
    """Return the name of the age that so many days past due fall in."""
    return next((name for name, most in BUCKETS if days <= most), OLDEST)


def local_midnight(company: Company, day: date) -> datetime:
    """Return the moment at which a local day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=company.zone)


def percentile(values: list[float], share: float) -> float | None:
    """Return the value below which `share` of the sorted values lie, between two by straight line; None of none."""
    if not values:
        return None
    place = (len(values) - 1) * share
    below = int(place)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (place - below)
