"""The scope that a file was made in, kept with it and held against its reader's at each download."""

from typing import Any

from dashboard.access import Scope


def kept(scope: Scope) -> dict[str, Any]:
    """Return a scope as a file's row keeps it."""
    if scope.sees_everyone:
        return {"everyone": True}
    return {"departments": sorted(scope.department_keys), "managers": sorted(scope.manager_keys)}


def covers(now: Scope, then: dict[str, Any]) -> bool:
    """Return whether a scope still holds everybody that a file was made of.

    A file whose scope is not known, made before it was kept, is for those who see everyone.
    """
    if now.sees_everyone:
        return True
    if not then or then.get("everyone"):
        return False
    return now.department_keys >= set(then.get("departments", ())) and now.manager_keys >= set(then.get("managers", ()))
