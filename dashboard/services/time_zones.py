"""Accounts whose time zone this PostgreSQL or this Python does not know: with it no page could tell days.

Time zones come and go with the machine: `localtime` was offered once, and an older PostgreSQL lacks newer names.
"""

import logging
from typing import Any

from django.db import connection, transaction

from dashboard import audit
from sync.models import Account
from sync.models.account import time_zones

logger = logging.getLogger(__name__)
INSTEAD = "UTC"


def replace_unknown_time_zones(**_kwargs: Any) -> None:
    """Give such accounts UTC, on record, and say so; a receiver of `post_migrate`, safe to repeat."""
    tables = {Account._meta.db_table, audit.AuditEvent._meta.db_table}
    if not tables <= set(connection.introspection.table_names()):
        return
    found = Account.objects.exclude(time_zone=INSTEAD).order_by("pk").values_list("pk", "name", "time_zone")
    for key, name, zone in found:
        if zone in time_zones():
            continue
        with transaction.atomic():
            Account.objects.filter(pk=key).update(time_zone=INSTEAD)
            audit.record(
                audit.Action.ACCOUNT_CHANGED,
                account=Account(pk=key),
                user=None,
                subject=audit.Subject.ACCOUNT,
                subject_id=key,
                details={"fields": ["time_zone"], "from": zone, "to": INSTEAD},
                through=audit.Through.COMMAND,
            )
        logger.warning(
            "%s counted its days in the time zone %r, which this PostgreSQL or Python does not know: it is %s now. "
            "Choose another one under Accounts.",
            name,
            zone,
            INSTEAD,
        )
