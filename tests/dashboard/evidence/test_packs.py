"""Evidence packs: made by a worker, the same bytes for the same data, checked by other programs, chained."""

import csv
import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from dashboard import audit, tasks
from dashboard.access import Scope
from dashboard.audit.chain import anchor
from dashboard.evidence import jobs, sample
from dashboard.figures.counts import figures
from dashboard.figures.selection import Filters
from dashboard.files.jobs import MOST_BEGUN, forget_expired, name_of
from dashboard.models import EvidencePack, Membership, User
from sync.models import Account, Department, Enrollment, Person
from tests.clock import MOMENT
from tests.dashboard.sealing import seal

State = EvidencePack.State


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any) -> Path:
    """Return where the packs of these tests are."""
    settings.MEDIA_ROOT = tmp_path
    return tmp_path / "evidence"


def ask(user: User, account: Account, **wanted: Any) -> EvidencePack:
    now = MOMENT
    scope = Scope.of(user, chosen=account.pk)
    first, last = wanted.pop("days", (now.date() - timedelta(days=80), now.date()))
    return jobs.request_pack(scope, first, last, user=user, at=wanted.pop("at", now), **wanted)


def made(pack: EvidencePack) -> EvidencePack:
    tasks.make_evidence_pack(pack_id=pack.pk)
    pack.refresh_from_db()
    assert pack.state == State.READY, pack.error
    return pack


def content(pack: EvidencePack) -> bytes:
    return Path(default_storage.path(name_of(pack))).read_bytes()


def extracted(pack: EvidencePack, to: Path) -> Path:
    with zipfile.ZipFile(default_storage.path(name_of(pack))) as archive:
        assert archive.testzip() is None
        archive.extractall(to)
    return to


def verify(folder: Path, *arguments: str, elsewhere: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the pack's own program as an auditor would: nothing of ours in reach."""
    return subprocess.run(
        [sys.executable, "-I", "verify.py", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin"},
    )


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def manifest_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_bytes())
    return found


def test_the_log_is_held_to_its_end_when_a_pack_was_made(
    ines: User, company: Account, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def noted(number: int) -> None:
        audit.record(audit.Action.VIEWED_PERSON, account=company, user=ines, subject="person", subject_id=number)

    noted(1)
    noted(2)
    seal()
    pack = made(ask(ines, company))
    path = Path(default_storage.path(name_of(pack)))
    room = extracted(pack, tmp_path / "room")
    end = anchor(company.pk)
    assert manifest_of(room)["audit_log"] == {"chain": company.pk, "events": end.events, "last_hash": end.digest}
    assert end.digest in (room / "README.txt").read_text() and end.digest in verify(room).stdout
    noted(3)
    seal()
    for file in (path, room / "manifest.json"):
        call_command("verify_audit", since_pack=file)
        said = f"{company.name}: the first {end.events} events are those of when the pack was made."
        assert said in capsys.readouterr().out
    # Cut off, and written anew from there on: the chain itself holds, only what was noted outside tells.
    manifest = manifest_of(room)
    other = tmp_path / "other.json"
    for change in ({"last_hash": "a" * 64}, {"events": end.events + 1}, {"events": 10_000}):
        other.write_text(json.dumps(manifest | {"audit_log": manifest["audit_log"] | change}))
        with pytest.raises(CommandError, match="does not begin as it did when the pack was made"):
            call_command("verify_audit", since_pack=other)
    other.write_text(json.dumps(manifest | {"audit_log": manifest["audit_log"] | {"chain": 999_999}}))
    with pytest.raises(CommandError, match="of which there is no audit log here"):
        call_command("verify_audit", since_pack=other)
    other.write_text(json.dumps({key: value for key, value in manifest.items() if key != "audit_log"}))
    with pytest.raises(CommandError, match="take a later one"):
        call_command("verify_audit", since_pack=other)
    for content_of_it in ("no json", "[]", json.dumps(manifest | {"audit_log": {"chain": "x"}})):
        other.write_text(content_of_it)
        with pytest.raises(CommandError, match="evidence pack"):
            call_command("verify_audit", since_pack=other)
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("verify_audit", since_pack=tmp_path / "nowhere.zip")


def test_a_pack_holds_what_it_says_and_checks_itself(ines: User, company: Account, tmp_path: Path) -> None:
    pack = made(ask(ines, company, sample_seed="7"))
    room = extracted(pack, tmp_path / "room")
    done = verify(room)
    assert done.returncode == 0, done.stdout + done.stderr
    assert pack.manifest_sha256 in done.stdout
    manifest = manifest_of(room)
    assert {entry["path"] for entry in manifest["files"]} == {
        *("population.csv", "enrollments.csv", "history.csv", "exemptions.csv", "campaigns.csv", "sent.csv"),
        *("definitions.csv", "sync_runs.csv", "audit.csv", "sample.csv", "quarterly_review.pdf", "README.txt"),
        "verify.py",
    }
    assert len(rows(room, "population.csv")) == Person.objects.filter(account=company).count()
    assert len(rows(room, "enrollments.csv")) == Enrollment.objects.filter(account=company).count()
    assert len(rows(room, "sample.csv")) == 25
    assert pack.sha256 == hashlib.sha256(content(pack)).hexdigest()
    assert Path(default_storage.path(name_of(pack))).stat().st_mode & 0o777 == 0o600


def test_its_figures_are_those_of_the_pages(ines: User, company: Account, tmp_path: Path, now: datetime) -> None:
    past = now.date() - timedelta(days=20)
    for department in (None, Department.objects.get(account=company, name="Claims")):
        pack = made(ask(ines, company, days=(past - timedelta(days=60), past), department=department))
        room = extracted(pack, tmp_path / f"room-{pack.pk}")
        assert verify(room).returncode == 0
        period = jobs.period_of(pack)
        chosen = Filters(departments=frozenset({department.pk}) if department else frozenset())
        shown = figures(Scope.of(ines), as_of=period.end, filters=chosen)
        told = manifest_of(room)["figures"]
        assert told["gross"]["past_due"] == shown.gross.past_due > 0
        assert told["gross"]["counted"] == shown.gross.counted > 0
        assert told["net"]["people_past_due"] == shown.net.people_past_due > 0


def test_a_department_s_pack_holds_nobody_else(ines: User, company: Account, tmp_path: Path) -> None:
    claims = Department.objects.get(account=company, name="Claims")
    pack = made(ask(ines, company, department=claims))
    room = extracted(pack, tmp_path / "room")
    assert {row["department"] for row in rows(room, "population.csv")} == {"Claims"}
    theirs = {str(pk) for pk in Person.objects.filter(department=claims).values_list("pk", flat=True)}
    assert {row["person_id"] for row in rows(room, "enrollments.csv")} == theirs
    assert manifest_of(room)["scope"] == "Claims"


@pytest.mark.slow
def test_packs_are_chained(ines: User, company: Account, tmp_path: Path) -> None:
    first, second = made(ask(ines, company)), made(ask(ines, company))
    assert (first.number, second.number, second.previous) == (1, 2, first)
    before, after = extracted(first, tmp_path / "before"), extracted(second, tmp_path / "after")
    assert manifest_of(after)["previous"] == {"number": 1, "manifest_sha256": first.manifest_sha256}
    assert verify(after, "--previous", str(before / "manifest.json")).returncode == 0
    (before / "manifest.json").write_bytes((before / "manifest.json").read_bytes() + b" ")
    done = verify(after, "--previous", str(before / "manifest.json"))
    assert done.returncode == 1
    assert "not that of the pack before" in done.stdout


TAMPERED = {
    "a date": ("enrollments.csv", b"Z,campaign_end", b"Z,campaign-end"),
    "a name": ("population.csv", b"Invented", b"Imagined"),
    "the program": ("verify.py", b"Checks", b"Trusts"),
    "a figure": ("manifest.json", b'"counted": ', b'"counted": 1'),
    "the seed": ("manifest.json", b'"seed": "', b'"seed": "4'),
    "the chain": ("manifest.json", b'"chain": "', b'"chain": "0'),
}


@pytest.fixture
def room(ines: User, company: Account, tmp_path: Path) -> Path:
    """Return a folder with a pack in it."""
    return extracted(made(ask(ines, company)), tmp_path / "room")


@pytest.mark.parametrize("what", TAMPERED)
def test_what_was_changed_is_found(room: Path, what: str) -> None:
    name, old, new = TAMPERED[what]
    content = (room / name).read_bytes()
    assert old in content
    (room / name).write_bytes(content.replace(old, new, 1))
    done = verify(room)
    assert done.returncode == 1
    assert "PROBLEM" in done.stdout


def test_a_changed_row_is_found_though_every_hash_was_made_to_fit(room: Path) -> None:
    """Whoever makes hashes fit has still to make states, figures and sample fit, and the next pack's chain."""
    path, manifest = room / "enrollments.csv", manifest_of(room)
    lines = path.read_bytes().split(b"\r\n")
    late = next(place for place, line in enumerate(lines) if b",past_due,yes," in line)
    lines[late] = lines[late].replace(b",past_due,yes,", b",completed,yes,")
    path.write_bytes(b"\r\n".join(lines))
    entry = next(entry for entry in manifest["files"] if entry["path"] == "enrollments.csv")
    entry |= {"bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    chain = manifest["previous"]["manifest_sha256"] + "\n"
    chain += "".join(f"{entry['sha256']}  {entry['path']}\n" for entry in manifest["files"])
    manifest["chain"] = hashlib.sha256(chain.encode()).hexdigest()
    (room / "manifest.json").write_text(json.dumps(manifest))
    done = verify(room)
    assert done.returncode == 1
    assert "by its dates" in done.stdout


def test_what_is_missing_added_or_broken_is_found(room: Path) -> None:
    (room / "stranger.txt").write_text("?")
    assert "stranger.txt" in verify(room).stdout
    (room / "stranger.txt").unlink()
    (room / "exemptions.csv").unlink()
    assert "exemptions.csv is missing" in verify(room).stdout
    (room / "manifest.json").write_text("{")
    done = verify(room)
    assert done.returncode == 1
    assert "cannot be read" in done.stdout
    assert not done.stderr


def test_the_same_data_gives_the_same_bytes(ines: User, company: Account) -> None:
    pack = made(ask(ines, company))
    first = content(pack)
    EvidencePack.objects.filter(pk=pack.pk).update(state=State.WAITING, number=None, begun=0)
    assert content(made(pack)) == first


@pytest.mark.slow
def test_the_sample_can_be_drawn_by_hand(room: Path) -> None:
    manifest = manifest_of(room)
    ids = [row["enrollment_id"] for row in rows(room, "enrollments.csv")]
    script = "while read id; do printf '%s:%s' 1 \"$id\" | sha256sum | cut -c1-64 | tr '\\n' ' '; echo $id; done | sort"
    listed = "\n".join(ids) + "\n"
    ordered = subprocess.run(["bash", "-c", script], input=listed, capture_output=True, text=True, check=True)
    drawn = [int(line.split()[1]) for line in ordered.stdout.splitlines()][:25]
    assert manifest["sample"]["ids"] == drawn == sample.draw(map(int, ids), seed="1", size=25)
    assert manifest["sample"]["from"] == len(ids)


def test_the_review_is_a_pdf_with_the_same_scope(room: Path) -> None:
    done = subprocess.run(
        ["pdftotext", "quarterly_review.pdf", "-"], cwd=room, capture_output=True, text=True, check=True
    )
    assert "All departments" in done.stdout


def test_who_may_not_read_the_log_gets_none(alice: User, company: Account, tmp_path: Path) -> None:
    room = extracted(made(ask(alice, company)), tmp_path / "room")
    assert verify(room).returncode == 0
    assert not (room / "audit.csv").exists()
    assert any("audit.csv" in line for line in manifest_of(room)["left_out"])


def test_a_role_lost_meanwhile_gives_no_pack(ines: User, company: Account) -> None:
    pack = ask(ines, company)
    Membership.objects.filter(user=ines).delete()
    tasks.make_evidence_pack(pack_id=pack.pk)
    pack.refresh_from_db()
    assert pack.state == State.FAILED
    assert "no role" in pack.error


def test_a_place_that_cannot_be_written_to_is_said(
    ines: User, company: Account, tmp_path: Path, settings: Any, now: datetime
) -> None:
    (tmp_path / "no-folder").write_text("")
    settings.MEDIA_ROOT = tmp_path / "no-folder"
    pack = ask(ines, company)
    tasks.make_evidence_pack(pack_id=pack.pk)
    pack.refresh_from_db()
    assert (pack.state, pack.error) == (State.FAILED, "The file could not be written: Not a directory.")
    assert forget_expired(EvidencePack, now) == 0


def test_a_killed_worker_s_pack_is_begun_anew(ines: User, company: Account, folder: Path) -> None:
    pack = ask(ines, company)
    EvidencePack.objects.filter(pk=pack.pk).update(state=State.WORKING, begun=1)
    left = folder.parent / "making" / f"evidence-{pack.key}"
    left.mkdir(parents=True)
    (left / "pack").write_bytes(b"half a pack")
    made(pack)
    assert [path.suffix for path in folder.iterdir()] == [".zip"]
    assert list(left.parent.iterdir()) == []
    EvidencePack.objects.filter(pk=pack.pk).update(state=State.WORKING, begun=MOST_BEGUN)
    tasks.make_evidence_pack(pack_id=pack.pk)
    pack.refresh_from_db()
    assert pack.state == State.FAILED


def test_a_name_that_could_be_a_formula_stays_one_field(ines: User, company: Account, tmp_path: Path) -> None:
    person = Person.objects.filter(account=company).first()
    assert person is not None
    person.first_name, person.last_name = '=cmd|"x"!A1', "Lin\r\nFeed, \u202e𝔘"
    person.save()
    room = extracted(made(ask(ines, company)), tmp_path / "room")
    assert verify(room).returncode == 0
    row = next(row for row in rows(room, "population.csv") if row["person_id"] == str(person.pk))
    assert (row["first_name"], row["last_name"]) == ("'" + person.first_name, person.last_name)


def test_files_go_after_a_week_and_the_chain_stays(ines: User, company: Account, folder: Path, now: datetime) -> None:
    pack = made(ask(ines, company))
    assert forget_expired(EvidencePack, now) == 0
    assert forget_expired(EvidencePack, now + pack.KEPT_FOR + timedelta(minutes=1)) == 1
    assert list(folder.iterdir()) == []
    assert made(ask(ines, company)).previous == pack


@pytest.mark.slow
def test_sample_sizes(ines: User, company: Account, tmp_path: Path) -> None:
    for size in (0, 1, 1_000):
        pack = made(ask(ines, company, sample_size=size))
        room = extracted(pack, tmp_path / str(size))
        assert verify(room).returncode == 0
        assert len(rows(room, "sample.csv")) == min(size, pack.enrollments or 0)
    shutil.rmtree(tmp_path / "0")
