"""Whose an email domain is: which account's identity provider may speak for the addresses in it."""

from contextlib import suppress

from config.email_addresses import on_the_wire
from dashboard.models import SingleSignOn
from sync.models import Account


def domain_of(address: str) -> str:
    """Return a domain, or that of an address, in the one spelling of its two (letters of any script, or ASCII)."""
    with suppress(UnicodeError):
        address = on_the_wire(address)
    return address.rpartition("@")[2].lower()


def is_proven(account: Account, domain: str) -> bool:
    """Return whether the domain is this account's: listed in its single sign-on and in no other account's."""
    return _listing(domain) == {account.pk}


def is_of_another(account: Account, domain: str) -> bool:
    """Return whether another account speaks for the domain."""
    return bool(_listing(domain) - {account.pk})


def _listing(domain: str) -> set[int]:
    """Return the accounts in whose single sign-on the domain is listed."""
    wanted = domain_of(domain)
    listed = SingleSignOn.objects.values_list("account_id", "email_domains")
    return {account for account, domains in listed if wanted in map(domain_of, domains)}
