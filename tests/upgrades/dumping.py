"""A dump of today's database with something in every table of ours: `python -m tests.upgrades.dumping 0.1.0`.

Made once for each release, before its migrations change, and kept beside this file: the tests of upgrading start from
it. It is plain SQL that any client can run as the owner of an empty database, in a cluster with the role of the pages.
"""

import gzip
import os
import re
import subprocess
import sys
from datetime import date
from decimal import Decimal

import django
from django.apps import apps
from django.core.management import call_command
from django.db import connection

from config.local import embedded
from tests.clock import MOMENT, stand
from tests.databases import new_database
from tests.upgrades.dumps import dump_path


def main(version: str) -> None:
    """Migrate a new database, fill it, write its dump and drop it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    embedded.ensure_running()
    django.setup()
    with new_database("rollcall_dumped"), stand():
        call_command("migrate", verbosity=0)
        fill()
        dump_path(version).write_bytes(gzip.compress(dump().encode(), mtime=0))


def fill() -> None:
    """Put an invented company as a first sync leaves it, and at least one row, into every table of ours."""
    from allauth.account.models import EmailAddress  # noqa: PLC0415 - models are there once Django is set up

    from dashboard import audit, models, rollups  # noqa: PLC0415
    from sync.filling import Size, fill  # noqa: PLC0415
    from sync.models import ContentItem, Department  # noqa: PLC0415
    from tests.dashboard.canary import build  # noqa: PLC0415

    canary = build(MOMENT)
    account, ines = canary.account, canary.readers["administrator"]
    claims, sales = Department.objects.filter(account=account, name__in=["Claims", "Sales"]).order_by("name")
    content = ContentItem.objects.filter(account=account).get()
    campaign = canary.keys["campaign"][0]
    models.AccountSetting.objects.create(account=account, target_rate=Decimal("92.5"))
    models.Branding.objects.create(account=account, color="#123456")
    models.CampaignSetting.objects.create(account=account, campaign_id=campaign, requirement="optional")
    models.InferredTrigger.objects.get_or_create(
        account=account, campaign_id=campaign, defaults={"trigger": "scheduled", "rule": "name", "evidence": "annual"}
    )
    models.DepartmentMerge.objects.create(account=account, department=sales, into=claims)
    models.ContentLicense.objects.create(
        account=account, content=content, ends_on=date(2027, 3, 31), entered_by=ines, entered_at=MOMENT
    )
    models.ApiToken.objects.create(
        account=account, user=ines, name="Warehouse", token_digest="0" * 64, prefix="rollcall_0000", created_at=MOMENT,
        expires_at=MOMENT.replace(year=2027),
    )  # fmt: skip
    provider = models.SingleSignOn.objects.create(
        account=account, name="Directory", email_domains=["marked.example"], server_url="https://id.example",
        client_id="rollcall",
    )  # fmt: skip
    models.SingleSignOnRole.objects.create(single_sign_on=provider, group="Heads", role="department_head")
    EmailAddress.objects.create(user=ines, email=ines.email, verified=True, primary=True)
    models.Exemption.objects.filter(pk=canary.keys["exemption"][0]).update(approved_by=ines, approved_at=MOMENT)
    rollups.rebuild(account, at=MOMENT)
    for action in (audit.Action.SIGNED_IN, audit.Action.VIEWED_PERSON, audit.Action.EXPORTED):
        audit.record(action, account=account, user=ines, at=MOMENT, details={"rows": 3})
    fill(Size(people=40, enrollments=250), at=MOMENT)
    empty = [
        model._meta.label
        for app in ("sync", "dashboard")
        for model in apps.get_app_config(app).get_models()
        if not model._base_manager.exists()
    ]
    if empty:
        raise SystemExit(f"Nothing is in {', '.join(empty)}: give them a row in `fill`.")


def dump() -> str:
    """Return the database as SQL, without psql's own commands and the owner's name."""
    program, name = embedded.find_binaries().postgres / "pg_dump", connection.settings_dict["NAME"]
    where = (f"--host={embedded.socket_dir()}", "--username=rollcall", f"--dbname={name}")
    how = ("--no-owner", "--column-inserts", "--rows-per-insert=200")
    text = subprocess.run([program, *where, *how], capture_output=True, check=True, text=True).stdout
    return re.sub(r"(?m)^\\(un)?restrict .*\n", "", text)


if __name__ == "__main__":
    main(sys.argv[1])
