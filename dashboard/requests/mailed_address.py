"""Addresses of pages as a mail has them."""

from django.conf import settings

from dashboard.access import Scope
from dashboard.requests.account_paths import named_path, split_path


def mailed_address(path: str, scope: Scope) -> str:
    """Return the address of a page as a mail to the scope's reader has it: it names the account if they have several.

    Opened while they look at another it is then refused with a sentence, where it would lead nowhere.
    """
    plain, account = split_path(path)[1], scope.account
    return settings.PUBLIC_URL + (named_path(account.pk, plain) if account and len(scope.accounts) > 1 else plain)
