"""The scope that a file was made in, kept with it and held against its reader's at each download."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from dashboard.access import Scope
from dashboard.files.errors import NoAccessError
from dashboard.models import User


def scope_in(account_id: int, user: User, at: datetime) -> Scope:
    """Return the scope in which a file is made for a reader. NoAccessError where they have no role in the account."""
    scope = Scope.of(user, chosen=account_id, at=at)
    if scope.account is None or scope.account.pk != account_id:
        raise NoAccessError(_("You have no role in this account any more."))
    return scope


def kept(scope: Scope, *, has_log: bool = False) -> dict[str, Any]:
    """Return a scope as a file's row keeps it; `has_log` where the file holds events of the audit log."""
    log = {"log": True} if has_log else {}
    if scope.sees_everyone:
        return {"everyone": True, **log}
    return {"departments": sorted(scope.department_keys), "managers": sorted(scope.manager_keys), **log}


def covers(now: Scope, then: dict[str, Any]) -> bool:
    """Return whether a scope still holds everybody that a file was made of, and the audit log where that is in it.

    A file whose scope is not known, made before it was kept, is for those who see everyone.
    """
    if then.get("log") and not now.may_read_audit:
        return False
    if now.sees_everyone:
        return True
    if not then or then.get("everyone"):
        return False
    return now.department_keys >= set(then.get("departments", ())) and now.manager_keys >= set(then.get("managers", ()))
