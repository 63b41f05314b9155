"""Conditions that put enrollments and people into a count.

Each rule is a pure function of an enrollment's facts and a moment `as_of`; pages, exports, mail and API call these and
retype nothing. Conditions are `Q` objects on `Enrollment` unless a docstring says otherwise.
"""

from datetime import UTC, datetime, timedelta

from django.db.models import (
    Case,
    DateTimeField,
    Expression,
    F,
    Q,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Least, Lower, Trim
from django.db.models.lookups import In

from dashboard.models.settings import CampaignSetting
from sync.models.people import PersonStatus
from sync.models.training import STANDINGS, has_known_status

Requirement = CampaignSetting.Requirement

# KnowBe4's words, compared without case (KnowBe4's API documentation of September 2025, and seen live).
DONE_STATUSES = tuple(word for word, standing in STANDINGS.items() if standing == "done")
CANCELLED_STATUSES = ("cancelled", "canceled")

DUE_SOON = timedelta(days=14)
# Before anything: when someone left who was never active by what is known.
NEVER = datetime(1900, 1, 1, tzinfo=UTC)


# An enrollment's state at a moment ------------------------------------------------------------------------------


def completed(as_of: datetime) -> Q:
    """Match enrollments finished at `as_of`, late ones too. A completion at that very moment counts."""
    return Q(completed_at__lte=as_of)


def completed_late(as_of: datetime) -> Q:
    """Match enrollments finished at `as_of`, after their due date: completed, and never on time."""
    return completed(as_of) & Q(completed_at__gt=F("due_at"))


def past_due(as_of: datetime) -> Q:
    """Match enrollments whose due date has passed at `as_of` and that were not completed by then.

    Due at that very moment is past due. Without a due date an enrollment is never past due.
    """
    return Q(due_at__lte=as_of) & ~completed(as_of)


def in_progress(as_of: datetime) -> Q:
    """Match enrollments started at `as_of`, neither completed nor past due."""
    return Q(started_at__lte=as_of) & ~completed(as_of) & ~Q(due_at__lte=as_of)


def not_started(as_of: datetime) -> Q:
    """Match enrollments in none of the other three states at `as_of`."""
    return ~completed(as_of) & ~Q(due_at__lte=as_of) & ~Q(started_at__lte=as_of)


def open_until(as_of: datetime, until: datetime | None = None) -> Q:
    """Match enrollments not completed at `as_of` that fall due after it and, where `until` is given, no later."""
    within = Q(due_at__gt=as_of) if until is None else Q(due_at__gt=as_of, due_at__lte=until)
    return within & (Q(completed_at__isnull=True) | Q(completed_at__gt=as_of))


def on_time(as_of: datetime) -> Q:
    """Match enrollments due by `as_of` that were completed no later than their due date."""
    return Q(due_at__lte=as_of, completed_at__lte=F("due_at"))


# Who is counted -------------------------------------------------------------------------------------------------


def active(as_of: datetime, person: str = "") -> Q:
    """Match people active at `as_of`: not gone, and active or archived only later.

    `person` is the path to the person ("person__" from an enrollment). Someone KnowBe4 no longer lists is not active;
    someone archived at an unknown moment is not active either.
    """
    present = Q(**{f"{person}removed_at__isnull": True}) | Q(**{f"{person}removed_at__gt": as_of})
    employed = Q(**{f"{person}status": PersonStatus.ACTIVE}) | Q(
        **{f"{person}status": PersonStatus.ARCHIVED, f"{person}archived_at__gt": as_of}
    )
    return present & employed


def done_status() -> Q:
    """Match enrollments that KnowBe4 calls done today, whatever their dates say."""
    return Q(In(Lower(Trim("reported_status")), DONE_STATUSES))


def known_status() -> Q:
    """Match enrollments whose status word is one Rollcall knows; any other word is in no rate."""
    return has_known_status()


def campaign_counts() -> Q:
    """Match enrollments whose campaign counts for compliance: neither cancelled, nor set to optional or excluded.

    An enrollment whose campaign KnowBe4 does not list counts: new campaigns are required until somebody says
    otherwise. A setting of today applies to every moment.
    """
    return campaign_counts_itself("campaign__")


def campaign_counts_itself(campaign: str = "") -> Q:
    """Match campaigns that count for compliance; `campaign` is the path to one ("campaign__" from an enrollment)."""
    status = Coalesce(Lower(Trim(f"{campaign}reported_status")), Value(""), output_field=TextField())
    requirement = Coalesce(f"{campaign}setting__requirement", Value(Requirement.REQUIRED.value))
    return ~Q(In(status, CANCELLED_STATUSES)) & Q(In(requirement, (Requirement.REQUIRED.value,)))


def eligible() -> Q:
    """Match enrollments that can count at some moment: the part of `counted` that does not depend on time."""
    return Q(person__isnull=False) & known_status() & campaign_counts()


def standing(as_of: datetime) -> Q:
    """Match enrollments that existed at `as_of` and whose person was active then: the part that depends on time."""
    present = Q(removed_at__isnull=True) | Q(removed_at__gt=as_of)
    return Q(enrolled_at__lte=as_of) & present & active(as_of, "person__")


def counted(as_of: datetime) -> Q:
    """Match enrollments that count in current figures at `as_of`."""
    return eligible() & standing(as_of)


def left_at(person: str = "") -> Expression:
    """Return the moment at which someone stopped being active; null: they still are. NEVER: they never were.

    `person` is the path to the person ("person__" from an enrollment).
    """
    ended = Case(
        When(**{f"{person}status": PersonStatus.ACTIVE}, then=None),
        When(**{f"{person}status": PersonStatus.ARCHIVED}, then=Coalesce(f"{person}archived_at", Value(NEVER))),
        default=Value(NEVER),
        output_field=DateTimeField(),
    )
    return Least(f"{person}removed_at", ended)
