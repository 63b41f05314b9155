"""What KnowBe4 sends, typed: one Struct per resource, with the names its API documentation of September 2025 uses.

Only what a row cannot be understood without is required. Fields KnowBe4 leaves out or sends as null are None; text that
is always there in its samples defaults to "". Names it used before are listed in `renamed` and brought up to date by
`rows`. Status and type words stay exactly as they came. Unknown fields are ignored.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta, Struct, field

Integer = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
"""A whole number that Postgres' BIGINT holds; anything larger rejects the row."""

Small = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
"""A count, a percentage or a length of time that Postgres' INTEGER holds; anything larger rejects the row."""

Moment = Annotated[datetime, Meta(tz=True)]
"""A moment with its zone; KnowBe4 sends UTC."""

if TYPE_CHECKING:
    NumberedText = str
else:
    NumberedText = str | int
"""Text that KnowBe4 also sends as a number; readers always find text."""


class Payload(Struct, gc=False):
    """A row of KnowBe4's API."""

    renamed: ClassVar[Mapping[str, str]] = {}
    """KnowBe4's earlier key -> today's."""


# Account


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


# People and groups


class User(Payload, kw_only=True):
    """A person KnowBe4 trains. `phish_prone_percentage` is a percent: 14.235 is 14.2 %."""

    renamed: ClassVar[Mapping[str, str]] = {
        "adi_manageable": "provisioning_managed",
        "adi_guid": "provisioning_guid",
        "active_directory_guid": "provisioning_guid",
    }

    id: Integer
    employee_number: NumberedText | None = None
    first_name: str | None = None
    last_name: str | None = None
    job_title: str | None = None
    email: str = ""
    phish_prone_percentage: float | None = None
    phone_number: str | None = None
    extension: str | None = None
    mobile_phone_number: str | None = None
    location: str | None = None
    division: str | None = None
    manager_name: str | None = None
    manager_email: str | None = None
    provisioning_managed: bool = False
    provisioning_guid: str | None = None
    groups: list[Integer] = field(default_factory=list)
    current_risk_score: float | None = None
    aliases: list[str] | None = None
    joined_on: Moment | None = None
    last_sign_in: Moment | None = None
    status: str
    organization: str | None = None
    department: str | None = None
    language: str | None = None
    comment: str | None = None
    employee_start_date: Moment | None = None
    archived_at: Moment | None = None
    custom_field_1: str | None = None
    custom_field_2: str | None = None
    custom_field_3: str | None = None
    custom_field_4: str | None = None
    custom_date_1: date | None = None
    custom_date_2: date | None = None

    def __post_init__(self) -> None:
        if type(self.employee_number) is int:
            self.employee_number = str(self.employee_number)


class Group(Payload, kw_only=True):
    """A group of people. The pseudo group of all users (id 0) is not among them."""

    renamed: ClassVar[Mapping[str, str]] = {"adi_guid": "provisioning_guid"}

    id: Integer
    name: str = ""
    group_type: str = ""
    provisioning_guid: str | None = None
    member_count: Small | None = None
    current_risk_score: float | None = None
    status: str


class GroupReference(Payload):
    """A group as campaigns and tests name it. Id 0 is all users; rows without an id occur."""

    group_id: Integer | None = None
    name: str | None = None


# Training


class StorePurchase(Payload):
    """A module bought in KnowBe4's store. `duration` is in minutes."""

    renamed: ClassVar[Mapping[str, str]] = {"store_purchased_id": "store_purchase_id"}

    store_purchase_id: Integer
    content_type: str = ""
    name: str = ""
    description: str | None = None
    type: str | None = None
    duration: Small | None = None
    retired: bool = False
    retirement_date: Moment | None = None
    publish_date: Moment | None = None
    publisher: str | None = None
    purchase_date: Moment | None = None
    policy_url: str | None = None


class Policy(Payload):
    """A policy the customer uploaded. `minimum_time` is in minutes; `status` is a number or a word, kept as text."""

    renamed: ClassVar[Mapping[str, str]] = {"id": "policy_id"}

    policy_id: Integer
    content_type: str = ""
    name: str = ""
    minimum_time: Small | None = None
    default_language: str | None = None
    status: NumberedText | None = None
    published: bool | None = None

    def __post_init__(self) -> None:
        if type(self.status) is int:
            self.status = str(self.status)


class Content(Payload):
    """An item of a campaign: a store purchase if `store_purchase_id` is set, a policy if `policy_id` is."""

    renamed: ClassVar[Mapping[str, str]] = {"store_purchased_id": "store_purchase_id", "id": "policy_id"}

    store_purchase_id: Integer | None = None
    policy_id: Integer | None = None
    content_type: str = ""
    name: str = ""
    description: str | None = None
    type: str | None = None
    duration: Small | None = None
    retired: bool = False
    retirement_date: Moment | None = None
    publish_date: Moment | None = None
    publisher: str | None = None
    purchase_date: Moment | None = None
    policy_url: str | None = None
    minimum_time: Small | None = None
    default_language: str | None = None
    status: NumberedText | None = None
    published: bool | None = None

    def __post_init__(self) -> None:
        if type(self.status) is int:
            self.status = str(self.status)
        if self.store_purchase_id is not None:
            self.policy_id = None


class Campaign(Payload, kw_only=True):
    """A training campaign.

    `completion_percentage` is 0 to 100; None when it was not asked for and -1 when KnowBe4 could not compute it.
    `end_date` is None for relative and open ends; `relative_duration` reads like "2 weeks".
    """

    renamed: ClassVar[Mapping[str, str]] = {"modules": "content"}

    campaign_id: Integer
    name: str = ""
    groups: list[GroupReference] = field(default_factory=list)
    status: str
    content: list[Content] = field(default_factory=list)
    duration_type: str | None = None
    start_date: Moment | None = None
    end_date: Moment | None = None
    relative_duration: str | None = None
    auto_enroll: bool = False
    allow_multiple_enrollments: bool = False
    completion_percentage: Small | None = None


class EnrolledUser(Payload):
    """The person of an enrollment, as far as the list tells."""

    id: Integer
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    employee_number: NumberedText | None = None

    def __post_init__(self) -> None:
        if type(self.employee_number) is int:
            self.employee_number = str(self.employee_number)


class Enrollment(Payload, kw_only=True):
    """One person's assignment of one content item in one campaign. `time_spent` is in seconds.

    KnowBe4 sends no due date. Completion may lie before enrollment (credit carried over), `user` may be null, and
    `campaign_id` and `store_purchase_id` are there only when asked for (the latter never for policies).
    """

    renamed: ClassVar[Mapping[str, str]] = {"store_purchased_id": "store_purchase_id"}

    enrollment_id: Integer
    content_type: str = ""
    module_name: str = ""
    user: EnrolledUser | None = None
    campaign_name: str | None = None
    campaign_id: Integer | None = None
    store_purchase_id: Integer | None = None
    enrollment_date: Moment | None = None
    start_date: Moment | None = None
    completion_date: Moment | None = None
    status: str
    time_spent: Small | None = None
    policy_acknowledged: bool = False
    score: float | None = None


# Phishing


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
    """What one person did in one security test; the key is (`pst_id`, `recipient_id`).

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
