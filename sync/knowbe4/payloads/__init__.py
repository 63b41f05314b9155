"""Payloads of KnowBe4, typed: one Struct per resource, with the names its API documentation of September 2025 uses.

Only what a row cannot be understood without is required. Fields KnowBe4 leaves out or sends as null are None; text that
is always there in its samples defaults to "". Names it used before are listed in `renamed` and brought up to date by
`rows`. Status and type words stay exactly as they came. Unknown fields are ignored.
"""

from sync.knowbe4.payloads.account import Account, Admin, RiskScore
from sync.knowbe4.payloads.payload import Integer, Moment, NumberedText, Payload, Small
from sync.knowbe4.payloads.people import Group, GroupReference, User
from sync.knowbe4.payloads.phishing import (
    Category,
    LandingPage,
    PhishingCampaign,
    PhishingCampaignTest,
    Recipient,
    RecipientUser,
    SecurityTest,
    Template,
)
from sync.knowbe4.payloads.training import Campaign, Content, EnrolledUser, Enrollment, Policy, StorePurchase

__all__ = [
    "Account",
    "Admin",
    "Campaign",
    "Category",
    "Content",
    "EnrolledUser",
    "Enrollment",
    "Group",
    "GroupReference",
    "Integer",
    "LandingPage",
    "Moment",
    "NumberedText",
    "Payload",
    "PhishingCampaign",
    "PhishingCampaignTest",
    "Policy",
    "Recipient",
    "RecipientUser",
    "RiskScore",
    "SecurityTest",
    "Small",
    "StorePurchase",
    "Template",
    "User",
]
