"""Time zones that PostgreSQL or Python lacks: neither offered nor accepted, and replaced where an account has one."""

import logging
from io import StringIO
from zoneinfo import available_timezones

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection
from django.test import Client

from dashboard.models import AuditEvent
from sync.models import Account, SyncRun
from sync.models.account import time_zones, validate_time_zone
from tests import factories


@pytest.mark.django_db
def test_zones_of_one_side_alone_are_neither_offered_nor_accepted() -> None:
    assert "Europe/Berlin" in time_zones()
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_timezone_names")
        known = {name for (name,) in cursor.fetchall()}
    one_sided = {"localtime", "Europe/Atlantis"} | (available_timezones() - known)
    for name in one_sided:
        assert name not in time_zones()
        with pytest.raises(ValidationError, match="is not a time zone"):
            validate_time_zone(name)


@pytest.mark.parametrize("zone", ["localtime", "Europe/Atlantis"])
def test_an_account_with_a_zone_that_is_not_known_gets_utc_at_the_next_migrate(
    as_alice: Client,
    as_ines: Client,
    account: Account,
    published: SyncRun,
    zone: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    other = factories.AccountFactory(time_zone="Europe/Paris")
    Account.objects.filter(pk=account.pk).update(time_zone=zone)
    with caplog.at_level(logging.WARNING):
        call_command("migrate", verbosity=0, stdout=StringIO())
    account.refresh_from_db()
    other.refresh_from_db()
    assert (account.time_zone, other.time_zone) == ("UTC", "Europe/Paris")
    assert f"{account.name} counted its days in the time zone {zone!r}" in caplog.text
    event = AuditEvent.objects.get(action="account_changed", subject_id=account.pk)
    assert event.details == {"fields": ["time_zone"], "from": zone, "to": "UTC"}
    for path in ("/", "/trends/", "/review/", "/sync/"):
        assert as_alice.get(path, follow=True).status_code == 200, path
    assert as_ines.get("/audit/").status_code == 200
    call_command("migrate", verbosity=0, stdout=StringIO())
    assert AuditEvent.objects.filter(action="account_changed").count() == 1
