"""The Celery application: `celery -A config worker` and `celery -A config beat`. Tasks import `app` from here."""

import os
import warnings
from typing import Any

from celery import Celery
from celery.exceptions import SecurityWarning
from celery.signals import beat_init, celeryd_init, worker_ready

from config import broker, heartbeats
from config.local import embedded
from config.schema import exit_on_newer_schema

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# Root's worker is warned about for the sake of pickled messages; ours are JSON.
warnings.simplefilter("ignore", SecurityWarning)

broker.use()
app = Celery("rollcall", task_cls="dashboard.task_queue:AskedTaskBase")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["consumer"].add(heartbeats.Signing)


@celeryd_init.connect
@beat_init.connect
def use_services(**_: Any) -> None:
    """Count a worker or beat among the users of the embedded services, before it connects.

    It ends here where a newer Rollcall has migrated the database.
    """
    if embedded.is_wanted():
        embedded.ensure_running()
    exit_on_newer_schema()


@beat_init.connect
def sign_as_beat(**_: Any) -> None:
    """Have beat tell that it ticks."""
    heartbeats.sign_as_beat()


@worker_ready.connect
def take_up(**_: Any) -> None:
    """Queue at once what a worker that was killed left: its sync goes on, its files are removed or begun anew."""
    for task in ("sync.tasks.start_due_syncs", "dashboard.tasks.keep_exports", "dashboard.tasks.keep_evidence"):
        app.send_task(task, expires=60)
