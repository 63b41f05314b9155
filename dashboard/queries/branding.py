"""The logo and the color of an account's reports."""

import logging

from dashboard.access import Scope
from dashboard.logos import refusal
from dashboard.models.branding import Branding

logger = logging.getLogger(__name__)


def branding(scope: Scope) -> Branding:
    """Return the account's branding; the product's own where none was set.

    A stored logo that would not be taken today is left out, and `refusal` says why.
    """
    found = Branding.objects.filter(account=scope.account).first() if scope.account is not None else None
    found = found or Branding()
    if refused := refusal(found.logo):
        logger.warning("The logo of account %s is not drawn: %s", found.account_id, refused)
        found.logo, found.refusal = "", refused
    return found
