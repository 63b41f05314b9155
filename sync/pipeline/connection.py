"""Trying an account's key: whose is it?"""

from datetime import datetime

from django.utils import timezone

from config.sealing import SecretUnreadableError
from sync.knowbe4 import payloads, resources
from sync.knowbe4.errors import KnowBe4Error
from sync.knowbe4.retry import Retry
from sync.models import Account
from sync.pipeline.run import client_for

# Somebody waits for the answer.
IMPATIENT = Retry(attempts=3, max_wait=5.0, lockout=5.0)


def check_connection(account: Account, *, now: datetime | None = None) -> bool:
    """Ask KnowBe4 for the account the key belongs to, note the answer in words, and return whether there was one."""
    try:
        with client_for(account, retry=IMPATIENT) as client:
            found = client.get(resources.ACCOUNT)
    except (KnowBe4Error, SecretUnreadableError, ValueError) as error:
        account.is_connected, account.connection_message = False, str(error)
    else:
        account.is_connected, account.connection_message = True, describe(found)
    account.connection_tested_at = now or timezone.now()
    account.save(update_fields=["is_connected", "connection_message", "connection_tested_at"])
    return account.is_connected


def describe(found: payloads.Account) -> str:
    """Return whom a key belongs to, as a sentence. A trial has neither level nor seats."""
    parts = [found.name, found.subscription_level or found.type or ""]
    if found.number_of_seats is not None:
        parts.append(f"{found.number_of_seats:,} seats")
    return f"Connected: {', '.join(part for part in parts if part)}."
