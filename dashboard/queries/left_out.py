"""Reasons for an enrollment to be in no figure: each left out has exactly one, the first that applies."""

from datetime import datetime
from typing import Any

from django.db.models import Case, CharField, Exists, F, OuterRef, Q, QuerySet, TextChoices, TextField, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Least, Lower, Trim
from django.db.models.lookups import In
from django.utils.translation import gettext_lazy as _

from dashboard import metrics
from dashboard.models import CampaignSetting, ExemptSpan
from sync.models import Enrollment
from sync.models.training import DueSource

Requirement = CampaignSetting.Requirement


class Reason(TextChoices):
    """Reason for not being in a denominator. Enrollments get the first that applies, in this order."""

    NO_PERSON = "no_person", _("KnowBe4 names no person")
    UNKNOWN_STATUS = "unknown_status", _("Status that Rollcall does not know")
    CANCELLED = "cancelled", _("Campaign cancelled")
    EXCLUDED = "excluded", _("Campaign excluded")
    OPTIONAL = "optional", _("Campaign optional")
    REMOVED = "removed", _("No longer returned by KnowBe4")
    LEFT = "left", _("Person not active")
    LEFT_BEFORE_DUE = "left_before_due", _("Person left before the due date")
    EXEMPT = "exempt", _("Exempt")
    UNKNOWN_DUE = "unknown_due", _("Extended in KnowBe4, due date not known")
    NO_DEADLINE = "no_deadline", _("No deadline")
    NOT_DUE_YET = "not_due_yet", _("Not due yet")
    NO_POLICY = "no_policy", _("Not a policy")
    UNFINISHED = "unfinished", _("Not completed")
    # Of people.
    NOT_JOINED = "not_joined", _("Not joined yet")
    NOTHING_COUNTED = "nothing_counted", _("No enrollment that counts")
    FAILED_LATELY = "failed_lately", _("Failed less than 14 days ago")


# An enrollment that is left out for none of the reasons.
COUNTED = ""


def with_reason(
    enrollments: QuerySet[Enrollment],
    as_of: datetime,
    *further: tuple[Reason, Q],
    is_cohort: bool = False,
    keeps_later: bool = False,
) -> QuerySet[Any, Any]:
    """Annotate enrollments made by `as_of` with `reason`: why they are in no net figure; `COUNTED` when they are.

    `further` conditions leave out some of those that count (what is not due yet is in no on-time rate). In a cohort
    someone's leaving matters up to the due date, and so does an exemption; an unknown due date is in no cohort. With
    `keeps_later` enrollments made after `as_of` stay, though none of the reasons is about that.
    """
    decided_at: Combinable = Least("due_at", Value(as_of)) if is_cohort else Value(as_of)
    if is_cohort:
        gone = (Reason.LEFT_BEFORE_DUE, Q(left_at__lte=F("decided_at")))
        undated: list[tuple[Reason, Q]] = [(Reason.UNKNOWN_DUE, is_due_unknown())]
    else:
        gone, undated = (Reason.LEFT, Q(left_at__lte=as_of)), []
    exempt = ExemptSpan.objects.filter(enrollment_id=OuterRef("pk"), during__contains=OuterRef("decided_at"))
    reasons: list[tuple[Reason, Q]] = [
        (Reason.NO_PERSON, Q(person__isnull=True)),
        (Reason.UNKNOWN_STATUS, ~metrics.known_status()),
        *_of_campaign("campaign__"),
        (Reason.REMOVED, Q(removed_at__lte=as_of)),
        *undated,
        gone,
        (Reason.EXEMPT, Q(Exists(exempt))),
        *further,
    ]
    made = enrollments if keeps_later else enrollments.filter(enrolled_at__lte=as_of)
    return made.annotate(
        left_at=metrics.left_at("person__"),
        decided_at=decided_at,
        reason=Case(
            *(When(condition, then=Value(reason.value)) for reason, condition in reasons),
            default=Value(COUNTED),
            output_field=CharField(),
        ),
    )


def reason_of_campaign() -> Case:
    """Return, for campaigns, why their enrollments are in no figure; `COUNTED` where they are."""
    cases = (When(condition, then=Value(reason.value)) for reason, condition in _of_campaign())
    return Case(*cases, default=Value(COUNTED), output_field=CharField())


def _of_campaign(campaign: str = "") -> list[tuple[Reason, Q]]:
    word = Coalesce(Lower(Trim(f"{campaign}reported_status")), Value(""), output_field=TextField())
    return [
        (Reason.CANCELLED, Q(In(word, metrics.CANCELLED_STATUSES))),
        (Reason.EXCLUDED, Q(**{f"{campaign}setting__requirement": Requirement.EXCLUDED})),
        (Reason.OPTIONAL, ~metrics.campaign_counts_itself(campaign)),
    ]


def not_due(as_of: datetime) -> tuple[tuple[Reason, Q], ...]:
    """Return why enrollments that count are in no on-time rate."""
    return (
        (Reason.UNKNOWN_DUE, is_due_unknown()),
        (Reason.NO_DEADLINE, Q(due_at__isnull=True)),
        (Reason.NOT_DUE_YET, Q(due_at__gt=as_of)),
    )


def is_due_unknown() -> Q:
    """Match what was extended in KnowBe4 to a date that its API does not tell."""
    return Q(due_at__isnull=True, due_source=DueSource.HIDDEN_EXTENSION)
