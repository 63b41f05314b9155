"""Facts from the mirror: one row per enrollment that can count, with all it is filtered and grouped by."""

from typing import Any

from django.db.models import BigIntegerField, Case, F, Func, QuerySet, SmallIntegerField, Value, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce, Least

from dashboard import metrics
from dashboard.models import CONTENT_TYPE_CODES
from sync.models import Account, Enrollment
from sync.models.training import DueSource

COLUMNS = (
    "enrollment_id account_id person_id department_id manager_id campaign_id content_type enrolled_at started_at "
    "completed_at due_at removed_at left_at until is_due_unknown is_acknowledged"
).split()


def department_key(person: str = "") -> Case:
    """Return the department a person counts in: the one theirs is merged into, else theirs; 0 for a blank one."""
    home = f"{person}department"
    return Case(
        When(**{f"{home}__merged_into__key": ""}, then=Value(0)),
        When(**{f"{home}__merged_into__isnull": False}, then=F(f"{home}__merged_into_id")),
        When(**{f"{home}__key": ""}, then=Value(0)),
        default=Coalesce(f"{home}_id", 0),
        output_field=BigIntegerField(),
    )


# A negative number for a manager's name, the same for all its spellings, 0 for a blank one; two names share one once
# in 10^18. SQL, over the name's text.
NAME_KEY = (
    "CASE WHEN btrim({0}) = '' THEN 0"
    " ELSE -1 - (hashtextextended(lower(btrim({0})), 0) & x'1fffffffffffffff'::bigint) END"
)


class _NameKey(Func):
    template = NAME_KEY.format("%(expressions)s")
    output_field = BigIntegerField()


def manager_key(person: str = "") -> Case:
    """Return whom a person reports to: the manager's key, a negative one for a bare name, 0 for nobody."""
    return Case(
        When(**{f"{person}manager__isnull": False}, then=F(f"{person}manager_id")),
        default=_NameKey(F(f"{person}manager_name")),
        output_field=BigIntegerField(),
    )


def of_mirror(account: Account, *, affected: bool) -> QuerySet[Enrollment, Any]:
    """Return the facts of the account's eligible enrollments as the mirror has them now, in the order of COLUMNS.

    `affected`: only of those in the temporary table of that name.
    """
    enrollments = Enrollment.objects.filter(metrics.eligible(), account=account)
    if affected:
        enrollments = enrollments.filter(pk__in=RawSQL("SELECT enrollment_id FROM affected", []))
    left_at = metrics.left_at("person__")
    code = Case(
        *(When(content__content_type=kind, then=Value(code)) for kind, code in CONTENT_TYPE_CODES.items()),
        default=Value(0),
        output_field=SmallIntegerField(),
    )
    return enrollments.order_by().values_list(
        "pk",
        "account_id",
        "person_id",
        department_key("person__"),
        manager_key("person__"),
        Coalesce("campaign_id", 0, output_field=BigIntegerField()),
        code,
        "enrolled_at",
        "started_at",
        "completed_at",
        "due_at",
        "removed_at",
        left_at,
        Least("removed_at", left_at),
        Case(When(due_source=DueSource.HIDDEN_EXTENSION, then=Value(True)), default=Value(False)),
        "policy_acknowledged",
    )
