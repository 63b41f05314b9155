"""State of a campaign at a moment."""

from datetime import datetime

from django.db.models import Case, CharField, Q, TextChoices, Value, When
from django.db.models.functions import Lower, Trim
from django.db.models.lookups import In
from django.utils.translation import pgettext_lazy

from dashboard.metrics.rules import CANCELLED_STATUSES


class CampaignState(TextChoices):
    """State of a campaign, in Rollcall's words, in the order lists show them."""

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
