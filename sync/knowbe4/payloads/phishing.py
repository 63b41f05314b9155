"""Phishing campaigns, tests and their recipients."""

from collections.abc import Mapping
from typing import ClassVar

from msgspec import field

from sync.knowbe4.payloads.payload import Integer, Moment, Payload, Small
from sync.knowbe4.payloads.people import GroupReference


class PhishingCampaignTest(Payload):
    """A security test as its phishing campaign lists it. `phish_prone_percentage` is a decimal: 0.277 is 27.7 %."""

    pst_id: Integer
    status: str = ""
    start_date: Moment | None = None
    users_count: Small | None = None
    phish_prone_percentage: float | None = None


class PhishingCampaign(Payload):
    """A phishing campaign. `last_phish_prone_percentage` is a decimal: 0.277 is 27.7 %."""

    campaign_id: Integer
    name: str = ""
    groups: list[GroupReference] = field(default_factory=list)
    last_phish_prone_percentage: float | None = None
    last_run: Moment | None = None
    status: str = ""
    hidden: bool = False
    send_duration: str | None = None
    track_duration: str | None = None
    frequency: str | None = None
    difficulty_filter: list[Integer] = field(default_factory=list)
    create_date: Moment | None = None
    psts_count: Small | None = None
    psts: list[PhishingCampaignTest] = field(default_factory=list)


class Category(Payload):
    """A category of phishing mail."""

    category_id: Integer | None = None
    name: str | None = None


class Template(Payload):
    """The mail of a phishing test; id and name may both be null."""

    id: Integer | None = None
    name: str | None = None
    difficulty: Integer | None = None
    type: str | None = None


class LandingPage(Payload):
    """The page someone who clicked was shown."""

    id: Integer | None = None
    name: str | None = None


class SecurityTest(Payload):
    """One run of a phishing campaign. `phish_prone_percentage` is a decimal, `duration` is in days.

    Counts are None where KnowBe4 sent null (a failed run) or had no such count yet.
    """

    renamed: ClassVar[Mapping[str, str]] = {"landing-page": "landing_page"}

    pst_id: Integer
    campaign_id: Integer | None = None
    status: str = ""
    name: str = ""
    groups: list[GroupReference] = field(default_factory=list)
    phish_prone_percentage: float | None = None
    started_at: Moment | None = None
    duration: Small | None = None
    categories: list[Category] = field(default_factory=list)
    template: Template | None = None
    landing_page: LandingPage | None = None
    scheduled_count: Small | None = None
    delivered_count: Small | None = None
    opened_count: Small | None = None
    clicked_count: Small | None = None
    replied_count: Small | None = None
    attachment_open_count: Small | None = None
    macro_enabled_count: Small | None = None
    data_entered_count: Small | None = None
    qr_code_scanned_count: Small | None = None
    vulnerable_plugin_count: Small | None = None
    exploited_count: Small | None = None
    reported_count: Small | None = None
    bounced_count: Small | None = None


class RecipientUser(Payload):
    """The person a phishing mail went to."""

    renamed: ClassVar[Mapping[str, str]] = {
        "active_directory_guid": "provisioning_guid",
        "adi_guid": "provisioning_guid",
    }

    id: Integer
    provisioning_guid: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None


class Recipient(Payload):
    """Result of one person in one security test; the key is (`pst_id`, `recipient_id`).

    `qr_code_scanned` is a moment in spite of its name (KnowBe4's API documentation of September 2025).
    """

    renamed: ClassVar[Mapping[str, str]] = {"vulnerable-plugins_at": "vulnerable_plugins_at"}

    recipient_id: Integer
    pst_id: Integer | None = None
    user: RecipientUser | None = None
    template: Template | None = None
    scheduled_at: Moment | None = None
    delivered_at: Moment | None = None
    opened_at: Moment | None = None
    clicked_at: Moment | None = None
    replied_at: Moment | None = None
    attachment_opened_at: Moment | None = None
    macro_enabled_at: Moment | None = None
    data_entered_at: Moment | None = None
    qr_code_scanned: Moment | None = None
    vulnerable_plugins_at: Moment | None = None
    exploited_at: Moment | None = None
    reported_at: Moment | None = None
    bounced_at: Moment | None = None
    ip: str | None = None
    ip_location: str | None = None
    browser: str | None = None
    browser_version: str | None = None
    os: str | None = None
