"""Fields and words after KnowBe4's documentation, as far as it is stricter than what the client accepts.

From its API documentation of September 2025, and from what was seen live where that is silent.
"""

import re
from collections.abc import Mapping

from sync.knowbe4 import payloads
from sync.knowbe4.payloads import Payload

Fields = Mapping[type[Payload], frozenset[str]]


def _fields(**by_payload: str) -> Fields:
    return {getattr(payloads, name): frozenset(names.split()) for name, names in by_payload.items()}


NEVER_NULL = _fields(
    User="current_risk_score",
    Group="member_count current_risk_score",
    GroupReference="group_id name",
    StorePurchase="description type publish_date publisher purchase_date",
    Policy="minimum_time default_language status",
    Campaign="duration_type",
    Enrollment="user campaign_name campaign_id enrollment_date time_spent",
    PhishingCampaign=(
        "last_phish_prone_percentage send_duration track_duration frequency difficulty_filter create_date psts_count"
    ),
    PhishingCampaignTest="phish_prone_percentage",
    SecurityTest="campaign_id phish_prone_percentage duration template landing_page",
    Recipient="pst_id user template",
    RiskScore="risk_score",
)
"""Fields that are never null, though the client would take it. Those whose type has no null are not repeated here."""

NOT_ALWAYS_SENT = _fields(
    Campaign="completion_percentage",
    Content=" ".join(payloads.Content.__struct_fields__),
    Enrollment="score",
    Policy="published",
    SecurityTest="vulnerable_plugin_count exploited_count",
    Recipient="vulnerable_plugins_at exploited_at",
    Template="difficulty type",
)
"""Fields that come only when asked for, for some kinds of rows, or no more."""

TRIAL_LACKS = frozenset({"subscription_level", "subscription_end_date", "number_of_seats"})
"""Fields that the account of a trial does not have (seen live)."""


def _words(text: str) -> frozenset[str]:
    return frozenset(word.strip().lower() for word in text.split(","))


_CONTENT_TYPES = _words("Store Purchase, Uploaded Policy")
_ITEM_TYPES = _words(
    "Training Module, Video, Game, Assessment, Policy, Newsletter, Poster, Image, Course, SCORM Video, Video Module,"
    " Mobile-First Training Module, Mobile First, Coaching Content"
)
_PHISHING_STATUSES = _words("Active, Closed, Created, Error, Scheduling, Scheduled, Cancelled, Canceled")

WORDS: Mapping[tuple[type[Payload], str], frozenset[str]] = {
    (payloads.Account, "type"): _words("paid, trial, free"),
    (payloads.Account, "subscription_level"): _words("Free, Trial, Silver, Gold, Platinum, Diamond"),
    (payloads.User, "status"): _words("active, archived"),
    (payloads.Group, "status"): _words("active, archived"),
    (payloads.Group, "group_type"): _words("console_group, smart_group, provisioning_managed_group, adi_managed_group"),
    (payloads.StorePurchase, "content_type"): _CONTENT_TYPES,
    (payloads.StorePurchase, "type"): _ITEM_TYPES,
    (payloads.Policy, "content_type"): _CONTENT_TYPES,
    (payloads.Content, "content_type"): _CONTENT_TYPES,
    (payloads.Content, "type"): _ITEM_TYPES,
    (payloads.Campaign, "status"): _words("Created, Enrolling, In Progress, Completed, Closed, Cancelled, Canceled"),
    (payloads.Campaign, "duration_type"): _words(
        "Specific End Date, Relative End Date, Relative Duration, No End Date"
    ),
    (payloads.Enrollment, "status"): _words("Not Started, In Progress, Completed, Passed, Past Due"),
    (payloads.Enrollment, "content_type"): _CONTENT_TYPES,
    (payloads.PhishingCampaign, "status"): _PHISHING_STATUSES,
    (payloads.PhishingCampaignTest, "status"): _PHISHING_STATUSES,
    (payloads.SecurityTest, "status"): _PHISHING_STATUSES,
    (payloads.Template, "type"): _words("user, system"),
}
"""Fields whose values are words of KnowBe4's own, and the words known, in lower case.

Any other word there is a surprise. It is written only if it `is_publishable`, else told by its form.
"""

_PLAUSIBLE = _words(
    "accepted, acknowledged, active, all, assigned, canceled, cancelled, callback, complete, completed, completed late,"
    " created, custom, date, declined, deleted, disabled, document, draft, email, enabled, ended, enrolled, enrolling,"
    " enterprise, error, excused, exempt, exempted, expired, extended, failed, finished, group, hidden, inactive,"
    " incomplete, invited, late, locked, module, no end date, none, not applicable, not passed, not started, off, on,"
    " open, other, overdue, past due, paused, pending, phishing, platform, processing, published, queued, ready,"
    " relative, removed, required, retired, running, scheduled, sent, skipped, specific date, specify date, started,"
    " stopped, survey, suspended, terminated, training, unknown, unpublished, waived, withdrawn"
)
"""Words that KnowBe4's console or GraphQL API uses, or that its REST API might: nobody is called so."""


def _plain(word: str) -> str:
    return " ".join(re.split(r"[ _-]+", word.lower()))


_PUBLISHABLE = {_plain(word) for words in (*WORDS.values(), _PLAUSIBLE) for word in words}


def is_publishable(word: str) -> bool:
    """Return whether a word is known or plausible as one of KnowBe4's own, in any case, with spaces or underscores."""
    return _plain(word) in _PUBLISHABLE


FIELD_NAME = re.compile(r"[a-z][a-z0-9]{0,39}([_-][a-z0-9]{1,39}){0,9}")
"""Form of a field's name; others are told by their form."""

HEADER_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")

USUAL_HEADERS = _words(
    "date, server, connection, keep-alive, content-type, content-length, content-encoding, transfer-encoding,"
    " cache-control, pragma, expires, etag, vary, age, via, x-request-id, x-runtime, x-cache,"
    " strict-transport-security, x-frame-options, x-content-type-options, x-xss-protection, referrer-policy,"
    " x-permitted-cross-domain-policies, x-download-options, content-security-policy, status, alt-svc, set-cookie"
)
"""Response headers seen live, and those that any web server sends."""
