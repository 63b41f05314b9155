"""The staging tables: what is kept of each KnowBe4 row between reading it and publishing it.

One schema per account holds them, unlogged: they cost no write-ahead log, and a crash of Postgres empties all of
them together, page positions included, so that a run starts afresh rather than from half a list.
"""

from sync.pipeline.tables.people import ACCOUNT, GROUP, PERSON
from sync.pipeline.tables.phishing import CALLBACK, PHISHING_CAMPAIGN, PHISHING_TEST, RECIPIENT
from sync.pipeline.tables.table import Row, StageTable
from sync.pipeline.tables.training import CAMPAIGN, CAMPAIGN_PERCENTAGE, CONTENT, ENROLLMENT

TABLES = (
    ACCOUNT,
    PERSON,
    GROUP,
    CONTENT,
    CAMPAIGN,
    CAMPAIGN_PERCENTAGE,
    ENROLLMENT,
    PHISHING_CAMPAIGN,
    PHISHING_TEST,
    RECIPIENT,
)

__all__ = [
    "ACCOUNT",
    "CALLBACK",
    "CAMPAIGN",
    "CAMPAIGN_PERCENTAGE",
    "CONTENT",
    "ENROLLMENT",
    "GROUP",
    "PERSON",
    "PHISHING_CAMPAIGN",
    "PHISHING_TEST",
    "RECIPIENT",
    "TABLES",
    "Row",
    "StageTable",
]
