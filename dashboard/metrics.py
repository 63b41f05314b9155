"""Every definition: the only home of numbers.

Each rule is a pure function of an enrollment's facts and a moment `as_of`; pages, exports, mail and API call these and
retype nothing. Conditions are `Q` objects on `Enrollment` unless a docstring says otherwise.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import add, sub
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import (
    Case,
    CharField,
    DateTimeField,
    Expression,
    F,
    Q,
    TextChoices,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Least, Lower, Trim
from django.db.models.lookups import In
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dashboard.local_days import day_of
from dashboard.models.settings import CampaignSetting
from dashboard.rate import Rate
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


# Figures --------------------------------------------------------------------------------------------------------


# The same rules said as spans of time, for sums over any moment ------------------------------------------------


@dataclass(frozen=True)
class Span:
    """When an enrollment is in a count: from `begins` until `ends` (without it), where `where` holds.

    `begins` and `ends` name moments of a counted stretch: e it begins, s started, c completed, d due, u it ends, i the
    earlier of c and d, a acknowledged. All are within the stretch: what happened before it began happened as it began,
    what never happens lies at its end. `where` names a flag of the enrollment.
    """

    begins: str
    ends: str
    where: str = ""


# An enrollment counts from its enrollment until it is removed or its person leaves.
SPANS = {
    "counted": Span("e", "u"),
    "completed": Span("c", "u"),
    "completed_late": Span("c", "u", "is_late"),
    "past_due": Span("d", "c"),
    "in_progress": Span("s", "i"),
    "due": Span("d", "u"),
    "on_time": Span("d", "u", "is_on_time"),
    # Extended in KnowBe4 to a date its API does not tell.
    "unknown_due": Span("e", "u", "is_due_unknown"),
    "policies": Span("e", "u", "is_policy"),
    # An acknowledgement has no date of its own: it is taken to have stood all along. Done is acknowledged, too.
    "acknowledged": Span("a", "u", "is_policy"),
}
# In a cohort it counts from its enrollment until it is removed, or until its person leaves before it falls due.
COHORT_SPANS = {
    "enrolled": Span("e", "u"),
    "due": Span("d", "u"),
    "completed": Span("c", "u"),
    "on_time": Span("c", "u", "is_on_time"),
    "due_on_time": Span("d", "u", "is_on_time"),
    "completed_in_month": Span("c", "u", "is_in_month"),
    "completed_in_quarter": Span("c", "u", "is_in_quarter"),
}


class Counts(NamedTuple):
    """How many enrollments, and people, are in each count at one moment. The meaning of each is in `SPANS`.

    People are distinct within what was asked for: they add up only over groups that share nobody. A tuple, for there
    are thousands in an answer by manager.
    """

    counted: int = 0
    completed: int = 0
    completed_late: int = 0
    past_due: int = 0
    in_progress: int = 0
    due: int = 0
    on_time: int = 0
    unknown_due: int = 0
    policies: int = 0
    acknowledged: int = 0
    people_counted: int = 0
    people_past_due: int = 0
    people_active: int = 0

    def __add__(self, other: "Counts") -> "Counts":  # type: ignore[override]  # sums, not a longer tuple
        return Counts._make(map(add, self, other))

    def __sub__(self, other: "Counts") -> "Counts":
        return Counts._make(map(sub, self, other))

    @property
    def not_started(self) -> int:
        """Counted enrollments in none of the other three states."""
        return self.counted - self.completed - self.past_due - self.in_progress

    @property
    def completion_rate(self) -> Rate:
        """Completed out of counted."""
        return Rate(self.completed, self.counted)

    @property
    def on_time_rate(self) -> Rate:
        """Completed by the due date out of those due; enrollments without a known due date are left out."""
        return Rate(self.on_time, self.due)

    @property
    def people_compliant_rate(self) -> Rate:
        """People with nothing past due out of people with something counted."""
        return Rate(self.people_counted - self.people_past_due, self.people_counted)

    @property
    def acknowledgement_rate(self) -> Rate:
        """Policies acknowledged or done out of policies counted."""
        return Rate(self.acknowledged, self.policies)

    @property
    def coverage(self) -> Rate:
        """Active people with something counted out of active people. Whoever is counted is active."""
        return Rate(self.people_counted, self.people_active)


COUNT_NAMES = Counts._fields
NO_COUNTS = Counts()


class Totals(NamedTuple):
    """Counts without what is exempt (net, the headline) and with it (gross); one object where nothing is."""

    net: Counts = NO_COUNTS
    gross: Counts = NO_COUNTS

    def __add__(self, other: "Totals") -> "Totals":  # type: ignore[override]  # sums, not a longer tuple
        gross = self.gross + other.gross
        is_plain = self.net is self.gross and other.net is other.gross
        return Totals(gross if is_plain else self.net + other.net, gross)

    def __sub__(self, other: "Totals") -> "Totals":
        return Totals(self.net - other.net, self.gross - other.gross)

    @property
    def exempt(self) -> int:
        """Counted enrollments under an approved exemption."""
        return self.gross.counted - self.net.counted


# Days past due --------------------------------------------------------------------------------------------------


class Age(TextChoices):
    """How long someone's oldest past-due enrollment has been past due."""

    WEEK = "1-7", _("1–7 days")
    FORTNIGHT = "8-14", _("8–14 days")
    MONTH = "15-30", _("15–30 days")
    TWO_MONTHS = "31-60", _("31–60 days")
    QUARTER = "61-90", _("61–90 days")
    OLDER = "over-90", _("Over 90 days")


AGE_LIMITS = {
    Age.WEEK: (1, 7),
    Age.FORTNIGHT: (8, 14),
    Age.MONTH: (15, 30),
    Age.TWO_MONTHS: (31, 60),
    Age.QUARTER: (61, 90),
    Age.OLDER: (91, None),
}


def days_past_due(due_at: datetime, as_of: datetime, zone: ZoneInfo) -> int:
    """Return days between the local date of the due date and the day that `as_of` belongs to, at least 1.

    As of a past day, asked for as the midnight that ends it, it is what a reader of that evening would have counted.
    """
    return max(1, (day_of(as_of, zone) - due_at.astimezone(zone).date()).days)


def days_late(due_at: datetime, completed_at: datetime, zone: ZoneInfo) -> int:
    """Return local days between the due date and a later completion, at least 1."""
    return max(1, (completed_at.astimezone(zone).date() - due_at.astimezone(zone).date()).days)


# Campaigns ------------------------------------------------------------------------------------------------------


class CampaignState(TextChoices):
    """Where a campaign stands, in Rollcall's words, in the order lists show them."""

    ACTIVE = "active", pgettext_lazy("campaign", "Active")
    SCHEDULED = "scheduled", pgettext_lazy("campaign", "Scheduled")
    CREATED = "created", pgettext_lazy("campaign", "Created")
    CLOSED = "closed", pgettext_lazy("campaign", "Closed")
    CANCELLED = "cancelled", pgettext_lazy("campaign", "Cancelled")
    ARCHIVED = "archived", pgettext_lazy("campaign", "Archived")
    OTHER = "other", pgettext_lazy("campaign", "Other")


def campaign_state(as_of: datetime) -> Case:
    """Return a campaign's state at `as_of`, as an expression on `Campaign`.

    Archived by an administrator or no longer returned by KnowBe4 goes before KnowBe4's word. A word nobody knows is
    `other`, never guessed.
    """
    word = Lower(Trim("reported_status"))
    return Case(
        When(Q(archived_at__lte=as_of) | Q(removed_at__lte=as_of), then=Value(CampaignState.ARCHIVED.value)),
        When(In(word, CANCELLED_STATUSES), then=Value(CampaignState.CANCELLED.value)),
        When(In(word, ("completed", "closed")), then=Value(CampaignState.CLOSED.value)),
        When(In(word, ("enrolling", "in progress")), then=Value(CampaignState.ACTIVE.value)),
        When(Q(In(word, ("created",))) & Q(start_at__isnull=True), then=Value(CampaignState.CREATED.value)),
        When(Q(In(word, ("created",))) & Q(start_at__gt=as_of), then=Value(CampaignState.SCHEDULED.value)),
        When(In(word, ("created",)), then=Value(CampaignState.ACTIVE.value)),
        default=Value(CampaignState.OTHER.value),
        output_field=CharField(),
    )
