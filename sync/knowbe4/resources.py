"""Every list and object of KnowBe4's Reporting API: where it is, what it holds, how it is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from string import Formatter
from types import MappingProxyType
from typing import Generic, TypeVar

from sync.knowbe4 import payloads

T = TypeVar("T", bound=payloads.Payload)

Value = str | int | bool | None
"""A parameter's value: True and False travel as true and false, None is left out."""

NOTHING: Mapping[str, Value] = MappingProxyType({})


@dataclass(frozen=True)
class Resource(Generic[T]):
    """A list or a single object KnowBe4 serves.

    `name` is what a sentence calls one of it. `many` is False for a single object. `paged` is False for a list that
    comes whole. `params` are sent unless the caller overrides them; `per_page` is at most 500 (KnowBe4's API
    documentation of September 2025). `cap`: KnowBe4 sends no more rows than this, whatever `per_page`, unless
    `uncapped_by` is "true", so that a short page says nothing about the end of the list.
    """

    name: str
    path: str
    payload: type[T]
    many: bool = True
    paged: bool = True
    params: Mapping[str, Value] = field(default_factory=lambda: NOTHING)
    per_page: int = 500
    cap: int | None = None
    uncapped_by: str = ""

    def url_path(self, path_args: Mapping[str, int]) -> str:
        """Return the path with its ids filled in; TypeError when an id is missing, unknown or no whole number."""
        wanted = {name for _, name, _, _ in Formatter().parse(self.path) if name}
        if wanted != set(path_args) or any(type(value) is not int for value in path_args.values()):
            names = ", ".join(sorted(wanted)) or "no ids"
            raise TypeError(f"{self.path} takes {names} as whole numbers, not {', '.join(path_args) or 'none'}.")
        return self.path.format(**path_args)

    def capped_at(self, params: Mapping[str, str]) -> int | None:
        """Return how many rows a reply to `params` is limited to in spite of `per_page`; None when it is not."""
        return None if params.get(self.uncapped_by) == "true" else self.cap


def _one(name: str, path: str, payload: type[T], **more: Mapping[str, Value]) -> Resource[T]:
    return Resource(name, path, payload, many=False, paged=False, **more)  # type: ignore[arg-type]


ACCOUNT = _one("account", "/v1/account", payloads.Account)
ACCOUNT_RISK_HISTORY = Resource("account risk score", "/v1/account/risk_score_history", payloads.RiskScore)

USERS = Resource("user", "/v1/users", payloads.User)
USER = _one("user", "/v1/users/{user_id}", payloads.User)
# Comes whole, up to 1,000 days.
USER_RISK_HISTORY = Resource(
    "user risk score", "/v1/users/{user_id}/risk_score_history", payloads.RiskScore, paged=False
)

GROUPS = Resource("group", "/v1/groups", payloads.Group)
GROUP = _one("group", "/v1/groups/{group_id}", payloads.Group)
GROUP_MEMBERS = Resource("group member", "/v1/groups/{group_id}/members", payloads.User)
GROUP_RISK_HISTORY = Resource("group risk score", "/v1/groups/{group_id}/risk_score_history", payloads.RiskScore)

STORE_PURCHASES = Resource("store purchase", "/v1/training/store_purchases", payloads.StorePurchase)
STORE_PURCHASE = _one("store purchase", "/v1/training/store_purchases/{store_purchase_id}", payloads.StorePurchase)
POLICIES = Resource("policy", "/v1/training/policies", payloads.Policy)
POLICY = _one("policy", "/v1/training/policies/{policy_id}", payloads.Policy)

# With percentages a reply holds ten campaigns at most, whatever per_page (KnowBe4's API documentation of September
# 2025).
CAMPAIGNS = Resource(
    "training campaign",
    "/v1/training/campaigns",
    payloads.Campaign,
    params=MappingProxyType({"exclude_percentages": True}),
    cap=10,
    uncapped_by="exclude_percentages",
)
CAMPAIGN_PERCENTAGES = Resource(
    "training campaign",
    "/v1/training/campaigns",
    payloads.Campaign,
    per_page=10,
    cap=10,
    uncapped_by="exclude_percentages",
)
CAMPAIGN = _one("training campaign", "/v1/training/campaigns/{campaign_id}", payloads.Campaign)

ENROLLMENTS = Resource(
    "enrollment",
    "/v1/training/enrollments",
    payloads.Enrollment,
    params=MappingProxyType(
        {"include_campaign_id": True, "include_store_purchase_id": True, "include_employee_number": True}
    ),
)
ENROLLMENT = _one(
    "enrollment",
    "/v1/training/enrollments/{enrollment_id}",
    payloads.Enrollment,
    params=MappingProxyType({"include_campaign_id": True}),
)

PHISHING_CAMPAIGNS = Resource("phishing campaign", "/v1/phishing/campaigns", payloads.PhishingCampaign)
PHISHING_CAMPAIGN = _one("phishing campaign", "/v1/phishing/campaigns/{campaign_id}", payloads.PhishingCampaign)
CAMPAIGN_SECURITY_TESTS = Resource(
    "phishing security test", "/v1/phishing/campaigns/{campaign_id}/security_tests", payloads.SecurityTest
)
SECURITY_TESTS = Resource("phishing security test", "/v1/phishing/security_tests", payloads.SecurityTest)
SECURITY_TEST = _one("phishing security test", "/v1/phishing/security_tests/{pst_id}", payloads.SecurityTest)
RECIPIENTS = Resource("recipient", "/v1/phishing/security_tests/{pst_id}/recipients", payloads.Recipient)
RECIPIENT = _one("recipient", "/v1/phishing/security_tests/{pst_id}/recipients/{recipient_id}", payloads.Recipient)
