"""Training content of the company: modules, videos, games, assessments, newsletters, posters and policies."""

from typing import NamedTuple

from .timestamps import DAY, FOUNDING, NEVER


class Content(NamedTuple):
    """One piece of content. `key` 0 to n in the order bought; `minutes` how long it takes; `done` its finished word."""

    key: int
    content_id: int
    is_policy: bool
    name: str
    kind: str
    minutes: int
    done: str
    bought_at: int
    retired_at: int
    description: str


_DONE = {"Video": "Completed", "Newsletter": "Completed", "Poster": "Completed", "Policy": "Completed"}


class Catalog:
    """Everything bought or uploaded so far; a title is bought once, the first time a campaign is planned with it."""

    def __init__(self) -> None:
        self.items: list[Content] = []
        self._by_name: dict[str, Content] = {}
        for name, kind, minutes in _LIBRARY:
            self.get(name, kind, minutes, FOUNDING + DAY // 2)

    def get(self, name: str, kind: str, minutes: int, at: int) -> Content:
        """Return the content of that name, bought at `at` if it is new. Yearly titles retire after two years."""
        found = self._by_name.get(name)
        if found is not None:
            return found
        key = len(self.items)
        policy = kind == "Policy"
        number = 21_400 + key * 13 if policy else 3_180_200 + key * 417
        yearly = name[-4:].isdigit() and not policy
        description = f"<p>{name}: what to look out for &amp; what to do.</p>" if key % 3 == 0 else f"{name}."
        content = Content(
            key, number, policy, name, kind, minutes, _DONE.get(kind, "Passed"), at,
            at + 730 * DAY if yearly else NEVER, description,
        )  # fmt: skip
        self.items.append(content)
        self._by_name[name] = content
        return content


_LIBRARY = (
    ("Security Awareness Fundamentals", "Training Module", 35),
    ("Handling Sensitive Information Securely", "Training Module", 20),
    ("Spot the Phish: Links & Attachments", "Training Module", 15),
    ("Passwords, Passkeys & Multi-Factor Authentication", "Training Module", 12),
    ("Red Flags of Business Email Compromise", "Training Module", 18),
    ("Secure Coding Basics", "Training Module", 45),
    ("Privileged Access Done Right", "Training Module", 25),
    (
        "Privacy, Data Protection & Records Retention for Insurance Professionals: Collecting, Sharing, Keeping & "
        "Destroying Policyholder Information (Extended Edition)",
        "Training Module",
        40,
    ),
    ("After the Click: Phishing Remediation", "Training Module", 10),
    ("Welcome to Brackwater: Security Essentials", "Training Module", 30),
    ("The Inside Track, Episode 1: The New Starter", "Video", 8),
    ("Voices on the Line: Vishing & Deepfakes", "Video", 9),
    ("Clean Desk in Two Minutes", "Video", 2),
    ("Danger Zone: The Game", "Game", 10),
    ("Password Panic", "Game", 8),
    ("Security Culture Survey", "Assessment", 10),
    ("Security Awareness Proficiency Assessment", "Assessment", 20),
    ("Acceptable use policy", "Policy", 5),
    ("Code of conduct policy", "Policy", 6),
    ("Information handling policy", "Policy", 8),
)
