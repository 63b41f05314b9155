"""Content, campaigns and enrollments."""

from collections.abc import Mapping
from typing import ClassVar

from msgspec import field

from sync.knowbe4.payloads.payload import Integer, Moment, NumberedText, Payload, Small
from sync.knowbe4.payloads.people import GroupReference


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
