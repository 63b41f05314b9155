"""The training program: which campaigns the company plans, months ahead, for ever.

`Program.plan(month)` makes what starts four months later, so campaigns are seen as Created before they begin.
"""

from collections.abc import Sequence
from typing import Any

from .campaigns import Campaign
from .catalog import Catalog, Content
from .departments import Department
from .seeded_random import about, seeded
from .timestamps import DAY, FOUNDING, NEVER, at_hour, month_start, year_month

LEAD = 4
"""Months between planning a campaign and its start."""

REGULAR = 74
"""Campaigns that three years of the regular program bring; more are made up of group requests."""

_BRIEFINGS = (
    ("Training Module", "Payment fraud & invoice scams"),
    ("Video", "Callers who are not who they say"),
    ("Game", "Inbox detective"),
    ("Assessment", "Policyholder data check"),
)
_REQUESTS = (
    ("Payment fraud awareness", ("Finance", "Executive Office"), "Red Flags of Business Email Compromise"),
    ("Secure coding", ("Engineering",), "Secure Coding Basics"),
    ("Privileged access", ("IT Operations",), "Privileged Access Done Right"),
    ("Privacy for insurance professionals", ("Underwriting", "Actuarial", "Legal"), None),
    ("Phone scams", ("Customer Service",), "Voices on the Line: Vishing & Deepfakes"),
    ("Clean desk reminder", ("Facilities", "Field Assessment"), "Clean Desk in Two Minutes"),
    ("Spot the phish refresher", ("Claims",), "Spot the Phish: Links & Attachments"),
    ("Passkeys roll-out", ("Marketing", "People", "Sales"), "Passwords, Passkeys & Multi-Factor Authentication"),
)


class Program:
    """All campaigns planned so far, in order of planning."""

    def __init__(
        self,
        seed: int,
        departments: Sequence[Department],
        requests: float,
        size: float,
        share: float,
        parts: int = 1,
    ) -> None:
        self.seed = seed
        self.departments = departments
        self.catalog = Catalog()
        self.campaigns: list[Campaign] = []
        self.units: list[tuple[Campaign, Content]] = []
        self._requests = requests
        self._request_share = size
        self._share = share
        self._parts = parts
        for month in range(LEAD):
            self._plan(month)

    def plan(self, month: int) -> None:
        """Plan what starts LEAD months after `month`; call it for each month in order."""
        self._plan(month + LEAD)

    def _add(
        self, name: str, titles: Sequence[tuple[str, str, int]], start: int, *, lead: int = 40, **rest: Any
    ) -> Campaign:
        rest.setdefault("created_at", max(FOUNDING + DAY, min(start, NEVER) - lead * DAY))
        contents = tuple(
            self.catalog.get(part, kind, minutes, rest["created_at"] - 3_600)
            for title, kind, minutes in titles
            for part in self._cut(title)
        )
        campaign = Campaign(len(self.campaigns), name, contents, start_at=start, **rest)
        campaign.first_unit = len(self.units)
        self.units.extend((campaign, content) for content in contents)
        self.campaigns.append(campaign)
        return campaign

    def _cut(self, title: str) -> list[str]:
        """Return the titles that a piece of content is done in: its own, and those of its further parts."""
        return [title, *(f"{title}, part {number}" for number in range(2, self._parts + 1))]

    def _everyone(
        self, name: str, titles: Sequence[tuple[str, str, int]], start: int, end: int, **rest: Any
    ) -> Campaign:
        rest.setdefault("closed_at", end + 110 * DAY)
        return self._add(name, titles, start, end_at=end, share=self._share, **rest)

    def group(self, department: Department) -> tuple[int, str]:
        """Return the id and name of a department's console group."""
        return 2_410_000 + department.number * 211, department.name

    def _for(self, names: Sequence[str]) -> dict[str, Any]:
        chosen = [department for department in self.departments if department.name.startswith(tuple(names))]
        chosen = chosen or list(self.departments[:1])
        return {
            "audience": frozenset(department.number for department in chosen),
            "groups": tuple(self.group(department) for department in chosen),
        }

    def _plan(self, index: int) -> None:
        year, month = year_month(index)
        self._regular(year, month)
        self._occasional(year, month, index)
        self._requested(year, month, index)

    def _regular(self, year: int, month: int) -> None:
        core = ("Security Awareness Fundamentals", "Training Module", 35)
        sensitive = ("Handling Sensitive Information Securely", "Training Module", 20)
        if (year, month) == (2023, 11):
            self._everyone(
                "Autumn awareness 2023",
                [core],
                at_hour(2023, 11, 6),
                at_hour(2023, 12, 8, 23),
                created_at=FOUNDING + DAY,
            )
        if month == 2:
            titles = [(f"Security Awareness Essentials {year}", "Training Module", 35), sensitive]
            end = at_hour(year, 3, 17, 23)
            moved = (end - 3 * DAY, end + 14 * DAY) if year % 4 == 1 else None
            self._everyone(
                f"Annual awareness {year}",
                titles,
                at_hour(year, 2, 3),
                end,
                moved=moved,
                intake="joiners",
                closed_at=end + 110 * DAY,
                closed_word="Closed",
                lead=105,
                show_scores=True,
            )
        if month == 4:
            self._policy(
                f"Acceptable use policy {year}", "Acceptable use policy", at_hour(year, 4, 3), at_hour(year, 5, 1, 23)
            )
        if month == 1:
            name = "Code of conduct policy"
            self._policy(f"{name} {year}", name, at_hour(year, 1, 9), at_hour(year, 2, 6, 23), lead=80)
        if month == 7:
            titles = (
                [("Working Safely Anywhere", "Video", 12), core]
                if year % 2
                else [("Spot the Phish: Links & Attachments", "Training Module", 15)]
            )
            self._everyone(
                f"Mid-year awareness {year}",
                titles[:1],
                at_hour(year, 7, 8),
                at_hour(year, 8, 14, 23),
                intake="joiners",
            )
        if month == 8:
            self._policy(
                f"Information handling policy {year}",
                "Information handling policy",
                at_hour(year, 8, 17),
                at_hour(year, 9, 18, 23),
            )
        if month == 10:
            titles = [(f"Autumn Awareness: Scams of {year}", "Training Module", 25)]
            self._everyone(
                f"Autumn awareness {year}", titles, at_hour(year, 9, 28), at_hour(year, 10, 30, 23), intake="joiners"
            )
        if month in (1, 4, 7, 10):
            self._quarterly(year, month)
        if month in (1, 7) or (year, month) == (2023, 11):
            self._rolling(year, month)

    def _policy(self, name: str, title: str, start: int, end: int, lead: int = 40) -> None:
        self._everyone(name, [(title, "Policy", 6)], start, end, effort=0.3, lead=lead, closed_word="Completed")

    def _quarterly(self, year: int, month: int) -> None:
        quarter = (month + 2) // 3
        kind, topic = _BRIEFINGS[(year * 4 + quarter) % 4]
        briefing = f"{topic} ({year} Q{quarter})"
        start, end = at_hour(year, month, 12), at_hour(year, month + 1, 20, 23)
        front = ("Claims", "Customer Service")
        self._everyone(
            f"Quarterly briefing Q{quarter} {year}",
            [(briefing, kind, 12)],
            start,
            end,
            show_scores=kind == "Assessment",
            **self._for(front),
        )
        letter = (f"Security Matters, Issue {year}-{quarter}", "Newsletter", 4)
        if quarter in (1, 3):
            self._add(
                f"Security Matters newsletter {year}-{quarter}",
                [letter],
                start,
                **self._for(("Executive Office", "Marketing")),
                effort=0.2,
                closed_at=start + 180 * DAY,
                closed_word="Closed",
            )

    def _rolling(self, year: int, month: int) -> None:
        half = 1 if month == 1 else 2
        start = at_hour(year, month, 1, 6) if month != 11 else FOUNDING + 3 * DAY
        stop = at_hour(year + (half == 2), 1 if half == 2 else 7, 1, 6)
        basics = [
            ("Welcome to Brackwater: Security Essentials", "Training Module", 30),
            ("The Inside Track, Episode 1: The New Starter", "Video", 8),
            ("Code of conduct policy", "Policy", 6),
        ]
        hires = (2_470_100, "New hires (first 90 days)")
        self._add(
            f"New hire onboarding, H{half} {year}",
            basics,
            start,
            relative="30 days" if half == 1 else "1 month",
            intake="joiners",
            initial=False,
            groups=(hires,),
            intake_until=stop,
            closed_at=stop + 110 * DAY,
            closed_word="Closed",
            end_at=NEVER,
        )
        remedial = [("After the Click: Phishing Remediation", "Training Module", 10)]
        self._add(
            f"Phishing remediation, H{half} {year}",
            remedial,
            start,
            relative="2 weeks",
            intake="clickers",
            initial=False,
            groups=((2_470_200, "Phishing clickers (90 days)"),),
            intake_until=stop,
            closed_at=stop + 110 * DAY,
            closed_word="Closed",
            allow_multiple=True,
        )

    def _occasional(self, year: int, month: int, index: int) -> None:
        if month == 10:
            game = [("Danger Zone: The Game", "Game", 10)] if year % 2 else [("Password Panic", "Game", 8)]
            self._add(
                f"Cybersecurity month game {year}",
                game,
                at_hour(year, 10, 1),
                share=0.18 * self._share,
                end_at=at_hour(year, 10, 31, 23),
                closed_at=at_hour(year, 11, 30),
                effort=0.4,
            )
        if month == 5:
            titles = [("Security Awareness Proficiency Assessment", "Assessment", 20)]
            self._everyone(
                f"Proficiency assessment {year}",
                titles,
                at_hour(year, 5, 12),
                at_hour(year, 6, 16, 23),
                show_scores=True,
                **self._for(("Engineering", "IT Operations", "Finance", "Legal")),
            )
        if month == 6:
            poster = [(f"Think Before You Click (Poster Set {year})", "Poster", 1)]
            self._add(
                f"Poster campaign {year}",
                poster,
                at_hour(year, 6, 2),
                **self._for(("Facilities",)),
                effort=0.2,
                closed_at=at_hour(year, 12, 1),
                closed_word="Closed",
            )
        if month == 9 and year % 2 == 0:
            survey = [("Security Culture Survey", "Assessment", 10)]
            self._add(
                f"Security culture survey {year}",
                survey,
                at_hour(year, 9, 7),
                share=0.3 * self._share,
                end_at=at_hour(year, 10, 9, 23),
                closed_at=at_hour(year, 11, 30),
                effort=0.5,
                show_scores=True,
            )
        if month == 5 and year % 2 == 0:
            start = at_hour(year, 5, 18)
            self._add(
                "Travel season awareness",
                [("Travelling Securely", "Video", 9)],
                start,
                end_at=at_hour(year, 6, 12, 23),
                cancelled_at=start + 6 * DAY,
                **self._for(("Sales", "Executive Office")),
            )
        if month == 11 and year % 2 == 0:
            start = at_hour(year, 11, 2)
            self._add(
                "Use of AI tools policy",
                [(f"Use of AI tools policy {year}", "Policy", 7)],
                start,
                end_at=at_hour(year, 11, 27, 23),
                share=self._share,
                effort=0.3,
                closed_at=at_hour(year + 1, 2, 15),
                closed_word="Closed",
            )
        if month == 3:
            start = at_hour(year, 3, 10)
            self._add(
                f"Pilot: do not use ({year})",
                [("Clean Desk in Two Minutes", "Video", 2)],
                start,
                end_at=start + 30 * DAY,
                deleted_at=start + 20 * DAY,
                minimum=12,
                **self._for(("IT Operations",)) | {"share": 0.05},
            )
        if month == 12:
            self._add(
                f"Draft: supplier security {year + 1}",
                [("Working With Suppliers & Partners", "Training Module", 15)],
                NEVER,
                created_at=month_start(index) - 20 * DAY if index > 2 else FOUNDING + 20 * DAY,
                deleted_at=at_hour(year + 1, 11, 1),
            )

    def _requested(self, year: int, month: int, index: int) -> None:
        rng = seeded(self.seed, "requests", index)
        for number in range(about(rng, self._requests)):
            name, departments, title = rng.choice(_REQUESTS)
            start = at_hour(year, month, rng.randrange(1, 24))
            if title is None:
                content = self.catalog.items[7]
            else:
                content = next(item for item in self.catalog.items if item.name == title)
            fitting = [department for department in self.departments if department.name.startswith(departments)]
            chosen = fitting if len(self.departments) <= 14 else rng.sample(self.departments, 12)
            suffix = f", {year}-{month:02d}" + (f" ({number + 1})" if number else "")
            open_end = rng.random() < 0.2
            manager = rng.random() < 0.4
            self._add(
                f"{name}{suffix}" if not manager else f"Manager request: {name.lower()}{suffix}",
                [(content.name, content.kind, content.minutes)],
                start,
                lead=rng.randrange(4, 30),
                end_at=NEVER if open_end else start + rng.choice((14, 21, 28, 35)) * DAY + 14 * 3_600,
                share=min(1.0, self._request_share * (0.5 if manager else 1.0)),
                minimum=3,
                closed_at=NEVER if open_end and rng.random() < 0.5 else start + rng.randrange(90, 200) * DAY,
                closed_word=rng.choice(("Completed", "Closed")),
                cancelled_at=start + 5 * DAY if rng.random() < 0.04 else NEVER,
                audience=frozenset(department.number for department in chosen or self.departments[:1]),
                groups=tuple(self.group(department) for department in chosen or self.departments[:1]),
            )
