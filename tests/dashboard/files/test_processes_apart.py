"""The containers' own commands: web and worker as users that may write nowhere but where made files are shared."""

import hashlib
import os
import pwd
import re
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import requests
import yaml
from django.conf import settings
from django.test import Client
from django.urls import reverse

from config.celery import app
from config.local import embedded
from config.local.owner import find_owner
from config.local.process_group import program
from dashboard.models import Delivery, EvidencePack, Export, User
from sync.models import Account
from tests.dashboard.conftest import Queue
from tests.dashboard.mail.conftest import make_schedule
from tests.dashboard.mail.server import Inbox, free_port, serving
from tests.sync.faults.processes import environment, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
ROOT = embedded.BASE_DIR
# Without root a mount of one's own makes the tree read-only.
READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
PROBE = """
import sys, pathlib
if sys.version != sys.argv[1]:
    sys.exit("another Python is found there")
for folder in sys.argv[2:]:
    try:
        pathlib.Path(folder, "probe").write_text("")
    except OSError:
        continue
    sys.exit(f"{folder} can be written to")
"""


class Apart:
    """Start programs of this installation where they may write to `shared` and to nothing else of it."""

    def __init__(self, place: Path) -> None:
        self.shared, self.var, self.logs = place / "files", place / "var", place / "logs"
        for folder in (self.shared, self.logs):
            folder.mkdir(mode=0o700)
        (self.var / "static").mkdir(parents=True)
        self.var.chmod(0o555)
        for prefix in self._prefixes(place):
            self.prefix = prefix
            asked = (sys.version, str(ROOT / "config"), str(self.var))
            probe = self.start(sys.executable, "-c", PROBE, *asked, stderr=subprocess.PIPE)
            said = probe.communicate()[1].decode().strip()
            if probe.returncode == 0:
                return
        pytest.skip(f"no unprivileged process with a read-only tree can be had here: {said[-300:]}")

    def _prefixes(self, place: Path) -> list[list[str]]:
        """Return what makes a program such a one; of several the first that works here."""
        if os.geteuid() != 0:
            return [["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", READ_ONLY, str(ROOT)]]
        # Who may enter the directory of the embedded services' sockets, or just anybody.
        owner = find_owner(embedded.VAR_DIR / "postgres") if embedded.is_wanted() else None
        user = owner.uid if owner and owner.uid is not None else pwd.getpwnam("nobody").pw_uid
        place.chmod(0o755)
        os.chown(self.shared, user, -1)
        becomes = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
        # A Python of root's own, which nobody else could start: may read everything then, and write no more.
        return [becomes, [*becomes, "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]]

    def start(self, *command: str, **options: Any) -> subprocess.Popen[Any]:
        return subprocess.Popen([*self.prefix, *command], cwd=ROOT, start_new_session=True, **options)


@pytest.fixture
def apart() -> Iterator[Apart]:
    """Return where web and worker run; not below pytest's folders, which only its user may enter."""
    with TemporaryDirectory(prefix="rollcall-", ignore_cleanup_errors=True) as place:
        yield Apart(Path(place))


@contextmanager
def running(apart: Apart, name: str, variables: dict[str, str], **instead: str) -> Iterator[None]:
    """Run a service of docker-compose.yml; `instead` are options with another value, for a smaller one."""
    command = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"][name]["command"]
    for option, value in instead.items():
        command[command.index(f"--{option}") + 1] = value
    log = apart.logs / name
    with log.open("wb") as output:
        process = apart.start(
            *(sys.executable, "-m", "tests.clock", *program(command)), env=variables, stdout=output, stderr=output
        )
    try:
        yield
    except BaseException as error:
        error.add_note(f"{name} said:\n{log.read_text()[-4000:]}")
        raise
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    assert "Traceback" not in log.read_text()


def signed_in(user: User) -> requests.Session:
    """Return a session of the user's over the network."""
    client, session = Client(), requests.Session()
    client.force_login(user)
    session.cookies[settings.SESSION_COOKIE_NAME] = client.cookies[settings.SESSION_COOKIE_NAME].value
    session.trust_env = False
    return session


def is_(rows: Any, state: str) -> Callable[[], bool]:
    return lambda: rows.filter(state=state).exists()


def test_files_are_made_mailed_and_fetched_by_processes_apart(
    apart: Apart, queue: Queue, company: Account, alice: User, ines: User, now: datetime
) -> None:
    port, inbox = free_port(), Inbox()
    site = f"http://127.0.0.1:{port}"
    schedule = make_schedule(
        company, ines, alice, content="table", what="past_due", format="csv", way="link", since=now - timedelta(days=8)
    )
    export = Export.objects.create(
        account=company, user=alice, table="people", format="xlsx", requested_at=now, rows_total=160,
        parameters={"query": "", "as_of": now.isoformat(), "past_day": None, "columns": ["person", "email"]},
        file_name="people.xlsx",
    )  # fmt: skip
    reader = signed_in(alice)
    with serving(inbox) as mail_port:
        variables = environment() | {
            "DJANGO_SETTINGS_MODULE": "tests.dashboard.files.uncollected",
            "ALLOWED_HOSTS": "127.0.0.1",
            "PUBLIC_URL": site,
            "EMAIL_URL": f"smtp://127.0.0.1:{mail_port}",
            "EMAIL_FROM": "Rollcall <reports@rollcall.example>",
            "MADE_FILES_DIR": str(apart.shared),
            "ROLLCALL_VAR": str(apart.var),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        web = running(apart, "web", variables, bind=f"127.0.0.1:{port}", workers="1")
        with running(apart, "worker", variables, concurrency="1"), web:
            app.send_task("dashboard.tasks.make_export", kwargs={"export_id": export.pk})
            app.send_task("dashboard.tasks.send_due_mail")
            wait_until(lambda: answers(site))
            page = reader.get(site + reverse("evidence"), timeout=30)
            token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
            assert token is not None
            days = {"first_day": "2026-09-01", "last_day": "2026-10-31", "sample_size": "5", "sample_seed": "1"}
            asked = reader.post(page.url, days | {"csrfmiddlewaretoken": token[1]}, timeout=30, allow_redirects=False)
            assert asked.status_code == 302, asked.text
            small = reader.post(
                site + reverse("export", args=["people"]),
                {"format": "xlsx", "csrfmiddlewaretoken": token[1]},
                timeout=30,
            )
            assert small.content.startswith(b"PK")
            wait_until(is_(Export.objects, Export.State.READY))
            wait_until(is_(EvidencePack.objects, EvidencePack.State.READY))
            wait_until(is_(Delivery.objects, Delivery.State.SENT))
            pack, delivery = EvidencePack.objects.get(), Delivery.objects.get(occurrence__schedule=schedule)
            export.refresh_from_db()
            (mail,) = inbox.mails
            body = mail.get_body(("plain",))
            assert body is not None
            for address, made in (
                (site + reverse("export_file", args=[export.pk]), export),
                (site + reverse("evidence_file", args=[pack.pk]), pack),
                (site + reverse("delivery_file", args=[delivery.key]), delivery),
            ):
                answer = reader.get(address, timeout=30)
                assert (answer.status_code, len(answer.content)) == (200, made.bytes), address
                assert hashlib.sha256(answer.content).hexdigest() == made.sha256
                assert int(answer.headers["Content-Length"]) == made.bytes
            assert site + reverse("delivery_file", args=[delivery.key]) in body.get_content()
    with zipfile.ZipFile(apart.shared / "evidence" / f"{pack.key}.zip") as archive:
        assert "quarterly_review.pdf" in archive.namelist()
    found = {str(path.relative_to(apart.shared)) for path in apart.shared.rglob("*") if path.is_file()}
    assert found == {f"exports/{export.key}.xlsx", f"evidence/{pack.key}.zip", f"mail/{delivery.key}.csv"}


def answers(site: str) -> bool:
    with suppress(requests.ConnectionError):
        return requests.get(site + "/sign-in/", timeout=30).ok
    return False
