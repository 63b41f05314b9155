"""The facts as KnowBe4 writes them: field by field, in its order, with its nulls."""

from typing import Any

import msgspec

from .facts import (
    AccountFacts,
    CampaignFacts,
    GroupFacts,
    PersonFacts,
    PhishingCampaignFacts,
    PhishingTestFacts,
    PolicyFacts,
    RecipientFacts,
    StorePurchaseFacts,
)
from .timestamps import wire_time

Row = dict[str, Any]
_encode = msgspec.json.Encoder().encode


def encode(value: Any) -> bytes:
    """Return JSON the way Rails writes it (seen live): no spaces, UTF-8, `&`, `<`, `>` escaped, floats with `.0`."""
    return _encode(value).replace(b"&", b"\\u0026").replace(b"<", b"\\u003c").replace(b">", b"\\u003e")


def account(facts: AccountFacts, trial: bool) -> Row:
    """Return the account; a trial lacks three keys (seen live)."""
    row: Row = {
        "name": facts.name,
        "type": "trial" if trial else facts.type,
        "domains": facts.domains,
        "admins": [
            {"id": number, "first_name": first, "last_name": last, "email": email}
            for number, first, last, email in facts.admins
        ],
        "subscription_level": facts.subscription_level,
        "subscription_end_date": facts.subscription_end_date,
        "number_of_seats": facts.number_of_seats,
        "current_risk_score": facts.current_risk_score,
    }
    if trial:
        for key in ("subscription_level", "subscription_end_date", "number_of_seats"):
            del row[key]
    return row


def user(facts: PersonFacts, groups: list[Row] | None = None) -> Row:
    """Return a user; `groups` replaces the plain ids, for `expand=group`."""
    return {
        "id": facts.person_id,
        "employee_number": facts.employee_number,
        "first_name": facts.first_name,
        "last_name": facts.last_name,
        "job_title": facts.job_title,
        "email": facts.email,
        "phish_prone_percentage": facts.phish_prone_percentage,
        "phone_number": facts.phone_number,
        "extension": None,
        "mobile_phone_number": None,
        "location": facts.location,
        "division": facts.division,
        "manager_name": facts.manager_name,
        "manager_email": facts.manager_email,
        "provisioning_managed": facts.provisioning_guid is not None,
        "provisioning_guid": facts.provisioning_guid,
        "groups": list(facts.groups) if groups is None else groups,
        "current_risk_score": facts.current_risk_score,
        "aliases": list(facts.aliases) or None,
        "joined_on": wire_time(facts.joined_at),
        "last_sign_in": wire_time(facts.last_sign_in_at),
        "status": facts.status,
        "organization": None,
        "department": facts.department,
        "language": facts.language,
        "comment": None,
        "employee_start_date": wire_time(facts.employee_start_at),
        "archived_at": wire_time(facts.archived_at),
        "custom_field_1": None,
        "custom_field_2": None,
        "custom_field_3": None,
        "custom_field_4": None,
        "custom_date_1": facts.employee_start_at.date().isoformat() if facts.person_id % 5 == 0 else None,
        "custom_date_2": None,
    }


def group(facts: GroupFacts) -> Row:
    """Return a group."""
    return {
        "id": facts.group_id,
        "name": facts.name,
        "group_type": facts.group_type,
        "provisioning_guid": facts.provisioning_guid,
        "member_count": facts.member_count,
        "current_risk_score": facts.current_risk_score,
        "status": facts.status,
    }


def store_purchase(facts: StorePurchaseFacts) -> Row:
    """Return a store purchase."""
    return {
        "store_purchase_id": facts.store_purchase_id,
        "content_type": "Store Purchase",
        "name": facts.name,
        "description": facts.description,
        "type": facts.type,
        "duration": facts.duration,
        "retired": facts.retired,
        "retirement_date": wire_time(facts.retirement_at),
        "publish_date": wire_time(facts.published_at),
        "publisher": facts.publisher,
        "purchase_date": wire_time(facts.purchased_at),
        "policy_url": facts.policy_url,
    }


def policy(facts: PolicyFacts, nested: bool = False) -> Row:
    """Return a policy; `nested` in a campaign it has `published` instead of `status`."""
    row: Row = {
        "policy_id": facts.policy_id,
        "content_type": "Uploaded Policy",
        "name": facts.name,
        "minimum_time": facts.minimum_time,
        "default_language": facts.default_language,
    }
    return row | ({"published": facts.published} if nested else {"status": int(facts.published)})


def _groups(groups: tuple[tuple[int, str], ...]) -> list[Row]:
    return [{"group_id": number, "name": name} for number, name in groups]


def campaign(facts: CampaignFacts, percentage: bool) -> Row:
    """Return a training campaign; the percentage is left out with `exclude_percentages=true`."""
    row: Row = {
        "campaign_id": facts.campaign_id,
        "name": facts.name,
        "groups": _groups(facts.groups),
        "status": facts.status,
        "content": [
            policy(item, nested=True) if isinstance(item, PolicyFacts) else store_purchase(item)
            for item in facts.content
        ],
        "duration_type": facts.duration_type,
        "start_date": wire_time(facts.start_at),
        "end_date": wire_time(facts.end_at),
        "relative_duration": facts.relative_duration,
        "auto_enroll": facts.auto_enroll,
        "allow_multiple_enrollments": facts.allow_multiple_enrollments,
    }
    if percentage:
        row["completion_percentage"] = facts.completion_percentage
    return row


def phishing_campaign(facts: PhishingCampaignFacts) -> Row:
    """Return a phishing campaign, with the keys and order seen live."""
    return {
        "campaign_id": facts.campaign_id,
        "name": facts.name,
        "groups": _groups(facts.groups),
        "last_phish_prone_percentage": facts.last_phish_prone_percentage,
        "last_run": wire_time(facts.last_run_at),
        "status": facts.status,
        "hidden": facts.hidden,
        "send_duration": "3 Business Days",
        "track_duration": "3 Days",
        "frequency": facts.frequency,
        "difficulty_filter": list(facts.difficulty_filter),
        "create_date": wire_time(facts.created_at),
        "psts_count": len(facts.tests),
        "psts": [
            {
                "pst_id": test.pst_id,
                "status": test.status,
                "start_date": wire_time(test.started_at),
                "users_count": test.people_count or None,
                "phish_prone_percentage": test.phish_prone_percentage,
            }
            for test in facts.tests
        ],
    }


def _template(template: tuple[int | None, str | None, int]) -> Row:
    number, name, difficulty = template
    return {"id": number, "name": name, "difficulty": difficulty, "type": "USER"}


def security_test(facts: PhishingTestFacts) -> Row:
    """Return a phishing security test."""
    number, category = facts.category
    page, page_name = facts.landing_page
    return {
        "campaign_id": facts.campaign_id,
        "pst_id": facts.pst_id,
        "status": facts.status,
        "name": facts.name,
        "groups": _groups(facts.groups),
        "phish_prone_percentage": facts.phish_prone_percentage,
        "started_at": wire_time(facts.started_at),
        "duration": facts.duration,
        "categories": [{"category_id": number, "name": category}],
        "template": _template(facts.template),
        "landing_page": {"id": page, "name": page_name},
        "scheduled_count": facts.scheduled_count,
        **facts.counts,
    }


def recipient(facts: RecipientFacts, template: tuple[int | None, str | None, int]) -> Row:
    """Return one recipient; `qr_code_scanned` has no `_at`, yet is a timestamp."""
    return {
        "recipient_id": facts.recipient_id,
        "pst_id": facts.pst_id,
        "user": {
            "id": facts.person_id,
            "provisioning_guid": facts.provisioning_guid,
            "first_name": facts.first_name,
            "last_name": facts.last_name,
            "email": facts.email,
        },
        "template": _template(template),
        "scheduled_at": wire_time(facts.scheduled_at),
        "delivered_at": wire_time(facts.delivered_at),
        "opened_at": wire_time(facts.opened_at),
        "clicked_at": wire_time(facts.clicked_at),
        "replied_at": wire_time(facts.replied_at),
        "attachment_opened_at": wire_time(facts.attachment_opened_at),
        "macro_enabled_at": wire_time(facts.macro_enabled_at),
        "data_entered_at": wire_time(facts.data_entered_at),
        "qr_code_scanned": wire_time(facts.qr_code_scanned_at),
        "reported_at": wire_time(facts.reported_at),
        "bounced_at": wire_time(facts.bounced_at),
        "ip": facts.ip,
        "ip_location": facts.ip_location,
        "browser": facts.browser,
        "browser_version": facts.browser_version,
        "os": facts.os,
    }
