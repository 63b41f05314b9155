"""Draws each thing of the world as facts at a moment."""

from datetime import datetime
from typing import TYPE_CHECKING

from .campaigns import Campaign
from .catalog import Content
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
from .organization import Person
from .phishing import Outcome, PhishingCampaign, PhishingTest
from .seeded_random import noise
from .timestamps import DAY, FOUNDING, HOUR, NEVER, moment, moment_or_none

if TYPE_CHECKING:
    from .company import Company

BIG_CAMPAIGN = 3_000
"""Enrollments from which KnowBe4 gives up counting a percentage here."""
_FIRST_PERSON, _PERSON_STEP = 33_204_117, 611
_AGENTS = (
    ("Chrome", "142.0.0", "mac"),
    ("Edge", "141.0.1", "Windows 11"),
    ("Safari", "18.2", "iOS"),
    (None, None, None),
)


def person_id(index: int) -> int:
    """Return KnowBe4's id of a person."""
    return _FIRST_PERSON + index * _PERSON_STEP + index * 389 % 613 % 600


def person_index(number: int) -> int | None:
    """Return whose id this is, None for no one's."""
    index = (number - _FIRST_PERSON) // _PERSON_STEP
    return index if index >= 0 and person_id(index) == number else None


def risk(seed: int, key: str, at: int) -> float:
    """Return a risk score of 0 to 100 that drifts slowly and falls over the years; a new one each day."""
    at -= at % DAY
    week, day = divmod(at // DAY, 7)
    before, after = noise(seed, "risk", key, week), noise(seed, "risk", key, week + 1)
    level = 24 + 14 * noise(seed, "risk level", key) - min(8.0, (at - FOUNDING) / (150 * DAY))
    return round(level + 6 * (before + (after - before) * day / 7), 3)


def account(company: "Company", at: int) -> AccountFacts:
    """Return the account of the company."""
    admins = [person for person in company.staff(at)[:400] if person.seats[0].leads][:3]
    identities = [(person_id(person.index), person.identity(at)) for person in admins]
    return AccountFacts(
        name=company.name,
        type="paid",
        domains=("brackwater.example",),
        admins=tuple((number, entry.first_name, entry.last_name, entry.email) for number, entry in identities),
        subscription_level="Diamond",
        subscription_end_date=f"{moment(max(at, FOUNDING)).year + 1}-10-31",
        number_of_seats=(int(company.size * 1.08) + 49) // 50 * 50,
        current_risk_score=risk(company.seed, "account", at),
    )


def person(company: "Company", who: Person, at: int) -> PersonFacts:
    """Return a person as of `at`."""
    identity, seat = who.identity(at), who.seat(at)
    active = who.is_active(at)
    boss = company.organization.manager(who, at)
    manager_name = manager_email = None
    if boss is not None and who.manager_style != "blank":
        entry = boss.identity(at)
        manager_name = f"{entry.first_name} {entry.last_name}"
        styles = {"upper": entry.email.upper(), "title": entry.email.title(), "name_only": None}
        manager_email = styles.get(who.manager_style, entry.email)
    joined = who.spells[0][0]
    tests = company.phishing.tests_by(joined, at)
    fails = company.phishing.failures_by(who.index, at)
    aliases = tuple(entry.email for entry in who.identities if entry.since <= at and entry.email != identity.email)
    seen = at // DAY * DAY - int(9 * noise(company.seed, "seen", who.index, at // (10 * DAY)) * DAY) + 30_000
    return PersonFacts(
        person_id=person_id(who.index),
        employee_number=who.employee_number,
        first_name=identity.first_name,
        last_name=identity.last_name,
        email=identity.email,
        job_title=seat.title,
        location=seat.location,
        division=None if who.index % 3 else "Operations & Services",
        department=company.renamings.apply(seat.text, who.index, at),
        department_name=seat.team.department.name,
        manager_id=person_id(boss.index) if boss is not None else None,
        manager_name=manager_name,
        manager_email=manager_email,
        status="active" if active else "archived",
        joined_at=moment(joined),
        employee_start_at=moment(who.start_date),
        last_sign_in_at=moment(seen) if active and seen > joined and who.index % 11 else None,
        archived_at=moment_or_none(who.archived_at(at)),
        language=who.language,
        provisioning_guid=_guid(who),
        phone_number=who.phone,
        aliases=aliases,
        groups=company.groups_kept.of(who, at) if active else (),
        phish_prone_percentage=round(100.0 * fails / tests, 3) if tests else None,
        current_risk_score=risk(company.seed, f"user {who.index}", at),
    )


def groups(company: "Company", at: int, counts: dict[int, int]) -> list[GroupFacts]:
    """Return all groups with their counts."""
    return [
        GroupFacts(
            group.group_id,
            group.name,
            group.group_type,
            group.guid,
            counts.get(group.group_id, 0),
            risk(company.seed, f"group {group.group_id}", at),
            group.status,
        )
        for group in company.groups_kept.all
    ]


def purchase(content: Content, at: int) -> StorePurchaseFacts:
    """Return a bought piece of content."""
    retired = content.retired_at <= at
    return StorePurchaseFacts(
        store_purchase_id=content.content_id,
        name=content.name,
        description=content.description,
        type=content.kind,
        duration=content.minutes if content.kind != "Poster" else None,
        retired=retired,
        retirement_at=moment(content.retired_at) if retired else None,
        published_at=moment(content.bought_at // DAY * DAY - 90 * DAY - content.key * HOUR),
        publisher=("KnowBe4", "The Security Awareness Company", "Popcorn Training")[content.key % 3],
        purchased_at=moment(content.bought_at),
        policy_url=None,
    )


def policy(content: Content) -> PolicyFacts:
    """Return an uploaded policy."""
    return PolicyFacts(content.content_id, content.name, content.minutes, "en-us", True)


def campaign(company: "Company", plan: Campaign, at: int, percentages: bool) -> CampaignFacts:
    """Return a campaign as of `at`."""
    return CampaignFacts(
        campaign_id=plan.campaign_id,
        name=plan.name,
        groups=plan.groups,
        status=plan.status(at),
        content=tuple(policy(item) if item.is_policy else purchase(item, at) for item in plan.contents),
        duration_type=plan.duration_type,
        start_at=moment_or_none(plan.start_at),
        end_at=moment_or_none(plan.end(at)),
        relative_duration=plan.relative,
        auto_enroll=plan.intake == "joiners" or plan.intake == "clickers",
        allow_multiple_enrollments=plan.allow_multiple,
        completion_percentage=_percentage(company, plan, at) if percentages else 0,
    )


def _percentage(company: "Company", plan: Campaign, at: int) -> int:
    """Return the share done as a whole number, 0 without enrollments, -1 when there are too many."""
    ledger = company.ledger
    if len(plan.ordinals) > BIG_CAMPAIGN and ledger.enrolled[plan.ordinals[BIG_CAMPAIGN]] <= at:
        return -1
    living = [ordinal for ordinal in plan.ordinals if ledger.exists(ordinal, at)]
    done = sum(ledger.state(ordinal, at).completed < NEVER for ordinal in living)
    return done * 100 // len(living) if living else 0


def phishing_test(company: "Company", test: PhishingTest, at: int) -> PhishingTestFacts:
    """Return a security test as of `at`; one that failed to send has null counts and template (seen live)."""
    counts, failures = company.phishing.counts(test, at)
    place, topic, category = test.topic()
    delivered = counts["delivered_count"]
    return PhishingTestFacts(
        pst_id=test.pst_id,
        campaign_id=company.phishing.campaigns[test.campaign].campaign_id,
        name=test.name,
        status=company.phishing.status(test, at),
        groups=((0, "All Users"),),
        started_at=moment(test.start_at) if test.start_at <= at and not test.failed else None,
        duration=3,
        category=(4_200 + place, category),
        template=(None, None, 1) if test.failed else (11_400 + place, topic, 1 + place % 5),
        landing_page=(1_843, "Oops! You clicked"),
        callback=company.phishing.campaigns[test.campaign].callback,
        people_count=len(test.people),
        scheduled_count=None if test.failed else len(test.people),
        counts=counts,
        phish_prone_percentage=round(failures / delivered, 3) if delivered else 0.0,
    )


def phishing_campaign(company: "Company", plan: PhishingCampaign, at: int) -> PhishingCampaignFacts:
    """Return a phishing campaign with the tests seen by `at`."""
    seen = [phishing_test(company, test, at) for test in plan.tests if test.start_at - 2 * DAY <= at]
    begun = [test for test in seen if test.status in ("Active", "Closed")]
    word = "Active"
    if plan.frequency == "One Time":
        word = seen[-1].status if seen else "Created"
    elif at >= plan.tests[0].start_at + 400 * DAY:
        word = "Closed"
    return PhishingCampaignFacts(
        campaign_id=plan.campaign_id,
        name=plan.name,
        status=word,
        hidden=plan.hidden,
        callback=plan.callback,
        frequency=plan.frequency,
        created_at=moment(plan.created_at),
        last_run_at=begun[-1].started_at if begun else None,
        last_phish_prone_percentage=begun[-1].phish_prone_percentage if begun else 0.0,
        difficulty_filter=(1, 2, 3, 4, 5),
        groups=((0, "All Users"),),
        tests=tuple(seen),
    )


def recipient(company: "Company", test: PhishingTest, outcome: Outcome, at: int) -> RecipientFacts:
    """Return one recipient of a test; what has not happened by `at` is None."""
    who = company.organization.people[outcome.person]
    identity = who.identity(at)
    seen = outcome.failed_at() <= at
    browser, version, system = _AGENTS[outcome.person % 4] if seen else (None, None, None)
    return RecipientFacts(
        recipient_id=test.recipient_id(outcome.position),
        pst_id=test.pst_id,
        person_id=person_id(outcome.person),
        first_name=identity.first_name,
        last_name=identity.last_name,
        email=identity.email,
        provisioning_guid=_guid(who),
        scheduled_at=_seen(outcome.scheduled, at),
        delivered_at=_seen(outcome.delivered, at),
        opened_at=_seen(outcome.opened, at),
        clicked_at=_seen(outcome.clicked, at),
        replied_at=_seen(outcome.replied, at),
        attachment_opened_at=_seen(outcome.attachment, at),
        macro_enabled_at=_seen(outcome.macro, at),
        data_entered_at=_seen(outcome.data, at),
        qr_code_scanned_at=_seen(outcome.qr, at),
        reported_at=_seen(outcome.reported, at),
        bounced_at=_seen(outcome.bounced, at),
        ip=f"203.0.113.{outcome.person % 250 + 1}" if seen else None,
        ip_location="Brackwater, NY" if seen and outcome.person % 3 else None,
        browser=browser,
        browser_version=version,
        os=system,
    )


def _guid(who: Person) -> str | None:
    """Return the id of the directory a person comes from, None for those added by hand."""
    return f"usr-63f6{(who.index + 1) * 2_654_435_761 % 0xFFFFFFFFFF:010x}" if who.provisioned else None


def _seen(event: int, at: int) -> datetime | None:
    """Return an event's moment once it has happened."""
    return moment(event) if event <= at else None
