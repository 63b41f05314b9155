"""Workers that are killed, as the kernel kills them, before the claim and after it."""

import os
import signal
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings as django_settings
from django.db import connection

from dashboard import tasks
from dashboard.models import Delivery, Schedule
from dashboard.outbox import occurrences
from tests.dashboard.mail.server import Inbox

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
State = Delivery.State
# What a worker runs, stopped for ever at the function named: it has announced the mail, or claimed it as well.
WORKER = """
from tests.clock import stand
stand().start()
import sys, time
import django
django.setup()
from django.conf import settings
from dashboard.mail import deliveries
from dashboard.outbox import handing_over
def stop(*arguments):
    print("here", flush=True)
    time.sleep(300)
settings.EMAIL_TIMEOUT = 60
setattr(handing_over, sys.argv[1], stop)
deliveries.deliver(int(sys.argv[2]))
"""


def killed_at(function: str, delivery: Delivery, port: int, files: Path) -> None:
    """Have another process deliver it, and kill that where it stops."""
    database = connection.settings_dict
    address = f"postgresql://{database['USER']}@/{database['NAME']}?host={quote(str(database['HOST']), safe='')}"
    environment = {
        **os.environ,
        "DATABASE_URL": address,
        "REDIS_URL": django_settings.REDIS_URL,
        "SECRET_KEY": django_settings.SECRET_KEY,
        "ALLOWED_HOSTS": "localhost",
        "EMAIL_URL": f"smtp://127.0.0.1:{port}",
        "EMAIL_FROM": "reports@rollcall.example",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "MADE_FILES_DIR": str(files),
    }
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, function, str(delivery.pk)],
        cwd=django_settings.BASE_DIR,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "here\n"
        # As long as it lives, nobody else touches the mail.
        tasks.deliver_mail(delivery_id=delivery.pk)
        delivery.refresh_from_db()
        assert delivery.state == (State.HANDING_OVER if function == "_send" else State.WAITING)
    finally:
        os.kill(worker.pid, signal.SIGKILL)
        worker.communicate(timeout=30)


def gone(delivery: Delivery) -> None:
    """Wait until the database has noticed that the worker is gone."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"delivery {delivery.pk}"])
        cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [f"delivery {delivery.pk}"])


@pytest.mark.parametrize(("function", "state", "mails"), [("_announce", State.SENT, 1), ("_send", State.UNKNOWN, 0)])
def test_a_killed_worker_leaves_it_due_or_says_that_nobody_knows(
    server: Inbox,
    schedule: Schedule,
    settings: object,
    tmp_path: Path,
    function: str,
    state: str,
    mails: int,
    now: datetime,
) -> None:
    Schedule.objects.update(since=now - timedelta(days=8))
    (occurrence,) = occurrences.note_due(now)
    one = occurrence.deliveries.order_by("pk").first()
    assert one is not None
    killed_at(function, one, settings.EMAIL_PORT, tmp_path)  # type: ignore[attr-defined]
    gone(one)
    tasks.deliver_mail(delivery_id=one.pk)
    one.refresh_from_db()
    assert (one.state, len(server.mails)) == (state, mails)
    tasks.deliver_mail(delivery_id=one.pk)
    assert len(server.mails) == mails
    if state == State.UNKNOWN:
        assert "stopped in the middle" in one.said
        tasks.deliver_mail(delivery_id=occurrence.deliveries.exclude(pk=one.pk).get().pk)
        assert occurrences.note_trouble(now) == 1
