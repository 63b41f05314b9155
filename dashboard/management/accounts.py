"""Account that a command is about."""

from django.core.management.base import CommandError

from sync.models import Account

EXIT_MISUSE = 2


def find_account(name: str | None) -> Account:
    """Return the account of this name, its own or KnowBe4's, or the only one; CommandError says which there are."""
    accounts = list(Account.objects.select_related("published_run").order_by("name"))
    found = [account for account in accounts if name is None or name in {account.name, account.knowbe4_name}]
    # Its own name is unique; another's may be the same at KnowBe4.
    found = [account for account in found if account.name == name] or found
    if len(found) == 1:
        return found[0]
    if not accounts:
        raise CommandError("There is no account yet: run manage.py prepare first.", returncode=1)
    known = ", ".join(account.name for account in accounts)
    raise CommandError(f"Say which account with --account; there are: {known}.", returncode=EXIT_MISUSE)
