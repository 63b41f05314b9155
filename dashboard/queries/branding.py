"""The logo and the color of an account's reports."""

from dashboard.access import Scope
from dashboard.models.branding import Branding


def branding(scope: Scope) -> Branding:
    """Return the account's branding; the product's own where none was set."""
    found = Branding.objects.filter(account=scope.account).first() if scope.account is not None else None
    return found or Branding()
