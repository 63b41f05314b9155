"""A department that KnowBe4 renamed is continued under its new name, in one act; or the two are kept apart."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from dashboard import metrics
from dashboard.models import DepartmentRename, User
from dashboard.queries.renames import open_renames, renamed_in
from dashboard.services.deciding import RefusedError, deciding
from dashboard.services.departments import merge, unmerge
from sync.models import Account, Person


@transaction.atomic
def note_renames(account: Account, *, run_id: int, at: datetime) -> int:
    """Note what a publication seems to have renamed, once each; return how many are new."""
    found = renamed_in(account, run_id=run_id, at=at)
    known = set(
        DepartmentRename.objects.filter(account=account, decided_at=None).values_list("department_id", "into_id")
    )
    new = [one for one in found if (one.department_id, one.into_id) not in known]
    return len(DepartmentRename.objects.bulk_create(new))


def continue_department(rename: DepartmentRename, *, by: User, at: datetime) -> None:
    """Count both names as one, under the new one; whatever is bound to the old name follows.

    A name that is itself counted as part of a department stays so, and the new one becomes a part of that, too; one
    that was renamed back gets its first name again. RefusedError when somebody decided it meanwhile, and where others
    came to the old name: of several names that move on in one sync, or one that is used anew, both would be mixed.
    """
    with deciding(rename.account):
        old, new = _taken(rename).department, rename.into
        here = Person.objects.filter(metrics.active(at), department=old).count()
        if here > rename.active - rename.people:
            raise RefusedError(
                _(
                    "Others are in %(old)s now, who would be counted in %(new)s, too. Are they two? Then change the "
                    "roles and filters of %(old)s by hand. Are they one? Then merge them on the page of %(old)s."
                )
                % {"old": old, "new": new}
            )
        reason = _("KnowBe4 renamed it.")
        if old.merged_into_id is not None and old.merged_into_id != new.pk:
            merge(new, old, by=by, at=at, reason=reason)
        else:
            if new.merged_into_id == old.pk:
                unmerge(new, by=by, at=at, reason=reason)
            merge(old, new, by=by, at=at, reason=reason)
        _decide(rename, by=by, at=at, is_continued=True)


def keep_apart(rename: DepartmentRename, *, by: User, at: datetime) -> None:
    """Say that the new name is another department. RefusedError when somebody decided it meanwhile."""
    with deciding(rename.account):
        _decide(_taken(rename), by=by, at=at, is_continued=False)


def _taken(rename: DepartmentRename) -> DepartmentRename:
    """Return the rename as it is now."""
    found = open_renames(rename.account).filter(pk=rename.pk).first()
    if found is None:
        raise RefusedError(_("This was decided already."))
    return found


def _decide(rename: DepartmentRename, *, by: User, at: datetime, is_continued: bool) -> None:
    rename.decided_by, rename.decided_at, rename.is_continued = by, at, is_continued
    rename.save(update_fields=["decided_by", "decided_at", "is_continued"])
