"""An old checkout on a newer schema: every process and command refuses it and says what to do."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery.signals import beat_init, celeryd_init
from celery.utils.dispatch import Signal
from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from config import processes
from config.local import embedded
from config.local.process_group import program
from config.schema import applied_migrations, require_known_schema, unknown_migrations

SENTENCE = "The database was migrated by a newer Rollcall (dashboard 9999_of_tomorrow): start that version, or restore"


@pytest.fixture
def newer(transactional_db: None) -> Iterator[None]:
    """Let the test database be one that a newer version migrated."""
    MigrationRecorder(connection).record_applied("dashboard", "9999_of_tomorrow")
    yield
    MigrationRecorder(connection).record_unapplied("dashboard", "9999_of_tomorrow")


def run(*command: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    parts = connection.settings_dict
    database = f"postgresql://{parts['USER']}@/{parts['NAME']}?host={parts['HOST']}"
    environment = {
        **{name: os.environ[name] for name in ("PATH",) if name in os.environ},
        "DATABASE_URL": database,
        "WEB_DATABASE_URL": database.replace(f"{parts['USER']}@", "rollcall_web@"),
        "REDIS_URL": settings.REDIS_URL,
        "SECRET_KEY": "0123456789abcdef" * 2,
        "ALLOWED_HOSTS": "127.0.0.1",
        "ROLLCALL_VAR": str(tmp_path),
    }
    return subprocess.run(
        program(command),
        cwd=embedded.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ("python", "manage.py", "migrate"),
        processes.web("127.0.0.1:0").command,
    ],
    ids=["migrate", "web"],
)
def test_each_process_refuses_a_newer_schema(newer: None, command: tuple[str, ...], tmp_path: Path) -> None:
    done = run(*command, tmp_path=tmp_path)
    assert done.returncode in {1, 3, 4}
    assert SENTENCE in done.stderr + done.stdout
    # What gunicorn writes of its workers' ends comes after it.
    assert "Traceback" not in (done.stderr + done.stdout).partition(SENTENCE)[0]


@pytest.mark.parametrize("start", [celeryd_init, beat_init], ids=["worker", "beat"])
def test_worker_and_beat_end_as_they_start(newer: None, start: Signal, capsys: pytest.CaptureFixture[str]) -> None:
    """By the signal that each sends at its start, whose receivers' errors Celery only logs."""
    with pytest.raises(SystemExit, match=r"^4$"):
        start.send(sender=None)
    assert SENTENCE in capsys.readouterr().err


@pytest.mark.django_db
def test_todays_schema_is_known_and_so_is_what_was_squashed() -> None:
    require_known_schema()
    assert ("dashboard", "0027_erasure") in applied_migrations()
    replaced = [("dashboard", "0002_membership"), ("sync", "0008_searchable_people"), ("gone", "0001_initial")]
    assert unknown_migrations(replaced) == []
    assert unknown_migrations([*replaced, ("sync", "0999_new")]) == [("sync", "0999_new")]
