"""Checking how KnowBe4 answers an account, for the command and for the page."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime

from django.utils import timezone

from config.sealing import SecretUnreadableError
from sync.knowbe4 import regions
from sync.knowbe4.api_check import Report, check_api
from sync.models import Account, ApiCheck
from sync.pipeline.run import NotConnectedError, client_for


def check_account(
    account: Account,
    *,
    find_region: bool = False,
    on_wait: Callable[[float, str], None] | None = None,
    now: datetime | None = None,
) -> Report:
    """Check how KnowBe4 answers the account, within its allowance of requests but the reserve, and keep the report.

    `find_region`: the other regions are asked, too, for a key that the account's own does not accept; not where the
    account has an address of its own. Raises NotConnectedError without a key, SecretUnreadableError under another
    SECRET_KEY, ValueError for a key or an address that cannot be one.
    """
    if not account.api_key:
        raise NotConnectedError(account)
    others = regions.BASE_URLS.keys() - {account.region} if find_region and not account.base_url else set()
    with ExitStack() as opened:
        client = opened.enter_context(client_for(account, on_wait=on_wait, sparing=True))
        elsewhere = {
            region: opened.enter_context(
                client_for(account, on_wait=on_wait, sparing=True, base_url=regions.base_url(region))
            )
            for region in sorted(others)
        }
        report = check_api(client, now=now or timezone.now(), region=account.region, elsewhere=elsewhere)
    _keep(account, report.message, report.as_json())
    return report


def check_and_keep(account: Account) -> None:
    """Check the account, and note why where it cannot be."""
    try:
        check_account(account)
    except (NotConnectedError, SecretUnreadableError, ValueError) as error:
        _keep(account, str(error), {})


def _keep(account: Account, message: str, report: dict[str, object]) -> None:
    values = {"message": message, "report": report, "finished_at": timezone.now()}
    ApiCheck.objects.update_or_create(account=account, defaults=values)
