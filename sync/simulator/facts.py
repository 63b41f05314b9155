"""Facts of the world as they stand at one moment. Times are aware UTC datetimes."""

from datetime import datetime

import msgspec


class EnrollmentFacts(msgspec.Struct, frozen=True):
    """One person's task at a moment.

    `status` is KnowBe4's word. `due_at` is the deadline the console knows, extensions included; `derived_due_at` what
    the API lets one derive (the campaign's end date, or the enrollment date plus the relative duration). Either is
    None without a deadline. `time_spent` is in seconds; `score` None until done or where no test is taken.
    """

    enrollment_id: int
    person_id: int
    campaign_id: int
    content_kind: str
    content_id: int
    module_name: str
    enrolled_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    status: str
    time_spent: int
    policy_acknowledged: bool
    score: float | None
    due_at: datetime | None
    derived_due_at: datetime | None
    extended: bool


class PersonFacts(msgspec.Struct, frozen=True):
    """One person. `department` is the text on the wire, `department_name` the department meant by it."""

    person_id: int
    employee_number: str | None
    first_name: str
    last_name: str
    email: str
    job_title: str
    location: str
    division: str | None
    department: str | None
    department_name: str
    manager_id: int | None
    manager_name: str | None
    manager_email: str | None
    status: str
    joined_at: datetime
    employee_start_at: datetime
    last_sign_in_at: datetime | None
    archived_at: datetime | None
    language: str
    provisioning_guid: str | None
    phone_number: str | None
    aliases: tuple[str, ...]
    groups: tuple[int, ...]
    phish_prone_percentage: float | None
    current_risk_score: float


class GroupFacts(msgspec.Struct, frozen=True):
    """One group; `member_count` counts active people."""

    group_id: int
    name: str
    group_type: str
    provisioning_guid: str | None
    member_count: int
    current_risk_score: float
    status: str


class AccountFacts(msgspec.Struct, frozen=True):
    """The company's account."""

    name: str
    type: str
    domains: tuple[str, ...]
    admins: tuple[tuple[int, str, str, str], ...]
    subscription_level: str
    subscription_end_date: str
    number_of_seats: int
    current_risk_score: float


class StorePurchaseFacts(msgspec.Struct, frozen=True):
    """One bought piece of content; `duration` in minutes."""

    store_purchase_id: int
    name: str
    description: str
    type: str
    duration: int | None
    retired: bool
    retirement_at: datetime | None
    published_at: datetime
    publisher: str
    purchased_at: datetime
    policy_url: str | None


class PolicyFacts(msgspec.Struct, frozen=True):
    """One uploaded policy; `minimum_time` in minutes."""

    policy_id: int
    name: str
    minimum_time: int
    default_language: str
    published: bool


class CampaignFacts(msgspec.Struct, frozen=True):
    """One training campaign. `completion_percentage` is -1 where KnowBe4 finds it too big to compute."""

    campaign_id: int
    name: str
    groups: tuple[tuple[int, str], ...]
    status: str
    content: tuple[StorePurchaseFacts | PolicyFacts, ...]
    duration_type: str
    start_at: datetime | None
    end_at: datetime | None
    relative_duration: str | None
    auto_enroll: bool
    allow_multiple_enrollments: bool
    completion_percentage: int


class PhishingTestFacts(msgspec.Struct, frozen=True):
    """One phishing security test; counts by event, `phish_prone_percentage` a decimal (0.277 is 27.7 %)."""

    pst_id: int
    campaign_id: int
    name: str
    status: str
    groups: tuple[tuple[int, str], ...]
    started_at: datetime | None
    duration: int
    category: tuple[int, str]
    template: tuple[int | None, str | None, int]
    landing_page: tuple[int, str]
    callback: bool
    people_count: int
    scheduled_count: int | None
    counts: dict[str, int]
    phish_prone_percentage: float


class PhishingCampaignFacts(msgspec.Struct, frozen=True):
    """One phishing campaign with its tests."""

    campaign_id: int
    name: str
    status: str
    hidden: bool
    callback: bool
    frequency: str
    created_at: datetime
    last_run_at: datetime | None
    last_phish_prone_percentage: float
    difficulty_filter: tuple[int, ...]
    groups: tuple[tuple[int, str], ...]
    tests: tuple[PhishingTestFacts, ...]


class RecipientFacts(msgspec.Struct, frozen=True):
    """One person in one phishing test; an event that has not happened is None."""

    recipient_id: int
    pst_id: int
    person_id: int
    first_name: str
    last_name: str
    email: str
    provisioning_guid: str | None
    scheduled_at: datetime | None
    delivered_at: datetime | None
    opened_at: datetime | None
    clicked_at: datetime | None
    replied_at: datetime | None
    attachment_opened_at: datetime | None
    macro_enabled_at: datetime | None
    data_entered_at: datetime | None
    qr_code_scanned_at: datetime | None
    reported_at: datetime | None
    bounced_at: datetime | None
    ip: str | None
    ip_location: str | None
    browser: str | None
    browser_version: str | None
    os: str | None
