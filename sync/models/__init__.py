"""Mirror of what KnowBe4 holds, and the runs that brought it here.

Facts are stored as they came beside what is derived from them. Nothing is deleted: rows that KnowBe4 no longer
returns get `removed_at`. Every row belongs to an account, and every index leads with it.
"""

from sync.models.account import Account
from sync.models.api_check import ApiCheck
from sync.models.console import ConsoleImport
from sync.models.people import Department, Group, GroupMembership, Person
from sync.models.phishing import PhishingCampaign, PhishingResult, PhishingTest
from sync.models.runs import Change, QuarantinedRow, SyncRun
from sync.models.training import Campaign, ContentItem, Enrollment

__all__ = [
    "Account",
    "ApiCheck",
    "Campaign",
    "Change",
    "ConsoleImport",
    "ContentItem",
    "Department",
    "Enrollment",
    "Group",
    "GroupMembership",
    "Person",
    "PhishingCampaign",
    "PhishingResult",
    "PhishingTest",
    "QuarantinedRow",
    "SyncRun",
]
