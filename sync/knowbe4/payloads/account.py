"""The account a key belongs to."""

from datetime import date

from msgspec import field

from sync.knowbe4.payloads.payload import Integer, Payload, Small


class Admin(Payload):
    """An administrator of the KnowBe4 console."""

    id: Integer
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None


class Account(Payload):
    """The account a key belongs to. A trial has no subscription fields and no seats (seen live)."""

    name: str
    type: str = ""
    domains: list[str] = field(default_factory=list)
    admins: list[Admin] = field(default_factory=list)
    subscription_level: str | None = None
    subscription_end_date: date | None = None
    number_of_seats: Small | None = None
    current_risk_score: float | None = None


class RiskScore(Payload):
    """One day of a risk score history (account, group or user). KnowBe4 sends the day alone or as a timestamp."""

    date: date
    risk_score: float | None = None
