"""People and their groups."""

from collections.abc import Mapping
from datetime import date
from typing import ClassVar

from msgspec import field

from sync.knowbe4.payloads.payload import Integer, Moment, NumberedText, Payload, Small


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
