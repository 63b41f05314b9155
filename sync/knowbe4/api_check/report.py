"""Findings of a check, as a file that can be sent on."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sync.knowbe4.api_check.surprises import Effect, Surprise, worst

FORMAT = 1


class Outcome(StrEnum):
    """Outcome of a check."""

    READ = "read"  # everything that could be asked was asked
    KEY_REFUSED = "key refused"
    WRONG_REGION = "wrong region"
    NOT_ALLOWED = "not allowed"  # the key is valid, but has no Reporting API
    UNREACHABLE = "unreachable"
    RATE_LIMITED = "rate limited"


@dataclass(frozen=True)
class Report:
    """The outcome of a check in one sentence, its surprises, and the facts they rest on.

    Nothing in it tells who the account, its people, its campaigns or its groups are.
    """

    outcome: Outcome
    message: str
    checked_at: datetime
    requests: int
    surprises: list[Surprise]
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def effect(self) -> Effect:
        """The gravest effect that a surprise has on a sync."""
        return worst(self.surprises)

    def as_json(self) -> dict[str, Any]:
        """Return the report as the file has it."""
        return {
            "format": FORMAT,
            "checked_at": f"{self.checked_at:%Y-%m-%dT%H:%M}Z",
            "outcome": str(self.outcome),
            "message": self.message,
            "requests": self.requests,
            "surprises": [
                {
                    "kind": surprise.kind,
                    "places": list(surprise.places),
                    "detail": surprise.detail,
                    "effect": str(surprise.effect),
                    "sentence": str(surprise),
                }
                for surprise in self.surprises
            ],
            "facts": self.facts,
        }
