"""KnowBe4's own completion percentage beside ours, campaign by campaign, and the rows that explain the difference.

KnowBe4 counts every enrollment it lists, whoever's it is; its figure is a whole number from 0 to 100, or -1 when it is
too big to compute (KnowBe4's API documentation of September 2025). How it rounds is not documented: taken here is down.
It is read in full passes only, before the enrollments, so what was completed since explains a difference, too.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import BooleanField, Case, Count, Q, QuerySet, TextChoices, Value, When
from django.utils.translation import gettext_lazy as _

from dashboard import metrics
from dashboard.access import Scope
from dashboard.queries.left_out import COUNTED, Reason, with_reason
from dashboard.rate import Rate
from sync.models import Campaign, Enrollment, SyncRun


class Since(TextChoices):
    """Reasons that the two differ, beside what one counts and the other leaves out."""

    ENROLLED_LATER = "enrolled_later", _("Enrolled after the moment asked for")
    COMPLETED_LATER = "completed_later", _("Completed after the moment asked for")
    NO_LONGER_DONE = "no_longer_done", _("Completed then, not done by KnowBe4's word now")
    REMOVED_SINCE = "removed_since", _("Counted then, no longer returned by KnowBe4")
    COMPLETED_SINCE_READ = "completed_since_read", _("Completed after KnowBe4's figure was read")


# Everything that can tell the two figures apart, in the order it is told.
REASONS: tuple[Reason | Since, ...] = (*Reason, *Since)


@dataclass(frozen=True)
class Difference:
    """Rows that one figure counts otherwise than the other: how many, and how many of them are done in KnowBe4."""

    reason: Reason | Since
    enrollments: int
    done: int


@dataclass
class Reconciliation:
    """One campaign. `theirs` is KnowBe4's figure, None when it gave none or -1.

    `as_theirs` counts as KnowBe4 does, from what the last sync published; `ours` is the completion rate net of
    exemptions at the moment asked for. `done_since_read` were completed after KnowBe4's figure was read, and are in
    `as_theirs` already.
    """

    campaign: Campaign
    theirs: int | None
    as_theirs: Rate = Rate(0, 0)  # noqa: RUF009 - frozen
    ours: Rate = Rate(0, 0)  # noqa: RUF009 - frozen
    done_since_read: int = 0
    differences: list[Difference] = field(default_factory=list)

    @property
    def expected(self) -> int | None:
        """KnowBe4's rate by the published data: a whole number, rounded down; None without enrollments."""
        rate = self.as_theirs
        return rate.numerator * 100 // rate.denominator if rate.denominator else None

    @property
    def is_explained(self) -> bool:
        """Whether the rows told account for KnowBe4's figure, or it gave none."""
        if self.theirs is None:
            return True
        if self.expected is None:
            return self.theirs == 0
        earlier = (self.as_theirs.numerator - self.done_since_read) * 100 // self.as_theirs.denominator
        return earlier <= self.theirs <= self.expected


def reconciliations(scope: Scope, *, as_of: datetime, campaigns: Iterable[int] | None = None) -> list[Reconciliation]:
    """Return a row for each campaign KnowBe4 lists (of the keys given, if any), by name.

    None at all unless every person is in scope: KnowBe4's figure counts everybody.
    """
    if scope.account is None or not scope.sees_everyone:
        return []
    wanted = scope.campaigns().filter(removed_at__isnull=True)
    if campaigns is not None:
        wanted = wanted.filter(pk__in=list(campaigns))
    found = {row.pk: Reconciliation(row, _theirs(row)) for row in wanted.order_by("name", "pk")}
    counts: dict[int, dict[str, Difference]] = {pk: {} for pk in found}
    for pk, *row in _counts(scope, list(found), as_of):
        _add(found[pk], counts[pk], *row)
    for pk, reconciliation in found.items():
        reconciliation.differences = [counts[pk][reason.value] for reason in REASONS if reason.value in counts[pk]]
    return list(found.values())


def rows(scope: Scope, campaign: int, reason: Reason | Since, *, as_of: datetime) -> QuerySet[Enrollment, Any]:
    """Return exactly the enrollments of one of a campaign's differences; none unless every person is in scope."""
    if scope.account is None or not scope.sees_everyone:
        return Enrollment.objects.none()
    return _sorted_out(scope, [campaign], as_of).filter(_condition(reason))


def _theirs(campaign: Campaign) -> int | None:
    figure = campaign.completion_percentage
    return figure if figure is not None and 0 <= figure <= 100 else None


def _condition(reason: Reason | Since) -> Q:
    """Match, among rows sorted out, those of one difference."""
    conditions: dict[Reason | Since, Q] = {
        Since.ENROLLED_LATER: Q(is_listed=True, is_later=True),
        Since.COMPLETED_LATER: Q(is_listed=True, is_later=False, reason=COUNTED, is_done=True, was_done=False),
        Since.NO_LONGER_DONE: Q(is_listed=True, is_later=False, reason=COUNTED, is_done=False, was_done=True),
        Since.REMOVED_SINCE: Q(is_listed=False, is_later=False, reason=COUNTED),
        Since.COMPLETED_SINCE_READ: Q(is_listed=True, is_done=True, is_since_read=True),
    }
    return conditions.get(reason, Q(is_listed=True, is_later=False, reason=reason.value))


def _flag(condition: Q) -> Case:
    return Case(When(condition, then=Value(True)), default=Value(False), output_field=BooleanField())


def _sorted_out(scope: Scope, campaigns: list[int], as_of: datetime) -> QuerySet[Enrollment, Any]:
    """Annotate the campaigns' enrollments with all that tells the two figures apart."""
    read_at = _read_at(scope)
    counted = with_reason(scope.enrollments().filter(campaign__in=campaigns), as_of, keeps_later=True)
    return counted.annotate(
        is_listed=_flag(Q(removed_at__isnull=True)),
        is_later=_flag(Q(enrolled_at__gt=as_of)),
        is_done=_flag(metrics.done_status()),
        was_done=_flag(metrics.completed(as_of)),
        is_since_read=_flag(Q(completed_at__gt=read_at) if read_at else Q(pk__in=[])),
    )


def _read_at(scope: Scope) -> datetime | None:
    """Return when the last full pass that was published began: KnowBe4's figures are read in no other."""
    full = scope.runs().filter(kind=SyncRun.Kind.FULL, state=SyncRun.State.PUBLISHED)
    return full.order_by("-number").values_list("started_at", flat=True).first()


_KEYS = ("campaign_id", "reason", "is_listed", "is_later", "is_done", "was_done", "is_since_read")


def _counts(scope: Scope, campaigns: list[int], as_of: datetime) -> Iterable[tuple[Any, ...]]:
    found = _sorted_out(scope, campaigns, as_of).order_by()
    return found.values_list(*_KEYS).annotate(count=Count("pk"))


def _add(
    whole: Reconciliation,
    differences: dict[str, Difference],
    reason: str,
    is_listed: bool,
    is_later: bool,
    is_done: bool,
    was_done: bool,
    is_since_read: bool,
    count: int,
) -> None:
    """Add rows that are alike to a campaign's figures and to the differences that they are part of."""
    done = count if is_done else 0

    def differ(why: Reason | Since) -> None:
        before = differences.get(why.value, Difference(why, 0, 0))
        differences[why.value] = Difference(why, before.enrollments + count, before.done + done)

    if is_listed:
        whole.as_theirs = Rate(whole.as_theirs.numerator + done, whole.as_theirs.denominator + count)
        if is_done and is_since_read:
            whole.done_since_read += count
            differ(Since.COMPLETED_SINCE_READ)
    is_ours = reason == COUNTED and not is_later
    if is_ours:
        whole.ours = Rate(whole.ours.numerator + (count if was_done else 0), whole.ours.denominator + count)
    if is_listed and is_later:
        differ(Since.ENROLLED_LATER)
    elif is_listed and not is_ours:
        differ(Reason(reason))
    elif is_listed and is_done != was_done:
        differ(Since.COMPLETED_LATER if is_done else Since.NO_LONGER_DONE)
    elif not is_listed and is_ours:
        differ(Since.REMOVED_SINCE)
