"""A worker that the kernel kills over a pack."""

import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from config.local.embedded import BASE_DIR
from dashboard import tasks
from dashboard.access import Scope
from dashboard.evidence.jobs import request_pack
from dashboard.files.jobs import name_of, work_of
from dashboard.locks import advisory_lock
from dashboard.models import User
from sync.models import Account
from tests.clock import MOMENT
from tests.sync.faults.processes import environment, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
# A worker that is killed when its pack is written and nobody knows it yet.
KILLED = """
from tests.clock import stand
stand().start()
import os, signal, sys, django
django.setup()
from dashboard import tasks
from dashboard.files import storage
storage.whole = lambda file: os.kill(os.getpid(), signal.SIGKILL)
tasks.make_evidence_pack(pack_id=int(sys.argv[1]))
"""


def test_a_pack_is_begun_anew_and_takes_the_same_place(
    ines: User, company: Account, tmp_path: Path, settings: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    first_day = MOMENT.date() - timedelta(days=30)
    pack = request_pack(Scope.of(ines, chosen=company.pk), first_day, MOMENT.date(), user=ines, at=MOMENT)
    worker = subprocess.run(
        [sys.executable, "-c", KILLED, str(pack.pk)],
        cwd=BASE_DIR,
        env=environment() | {"MADE_FILES_DIR": str(tmp_path)},
        check=False,
        timeout=120,
    )
    assert worker.returncode == -signal.SIGKILL
    pack.refresh_from_db()
    assert (pack.state, pack.begun, pack.number) == ("working", 1, None)
    left = tmp_path / "making" / work_of(pack)
    assert (left / "file").stat().st_size
    assert not (tmp_path / name_of(pack)).exists()

    def is_unlocked() -> bool:
        with advisory_lock(f"evidence {pack.pk}") as is_alone:
            return is_alone

    wait_until(is_unlocked)
    tasks.make_evidence_pack(pack_id=pack.pk)
    pack.refresh_from_db()
    assert (pack.state, pack.begun, pack.number) == ("ready", 2, 1)
    assert (tmp_path / name_of(pack)).stat().st_size == pack.bytes
    assert not left.exists()
