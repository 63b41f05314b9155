"""Evidence packs made by workers: asked for by a page, chained to the one before when they are finished.

The tables of a pack are read from one snapshot of the database, so that a sync that is published meanwhile cannot come
between two of them.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from dashboard import audit, reports
from dashboard.access import Scope
from dashboard.audit.chain import anchor
from dashboard.evidence import contents
from dashboard.evidence.contents import Period, written
from dashboard.evidence.packing import README, START, VERIFY, Pack, Sample
from dashboard.figures.counts import figures
from dashboard.figures.selection import Filters
from dashboard.files.errors import GivenUpError, NoAccessError
from dashboard.files.jobs import Work, finish, make, note_rows
from dashboard.files.kept_scope import kept, scope_in
from dashboard.local_days import local_midnight
from dashboard.merged_departments import homes
from dashboard.metrics import Counts
from dashboard.models import EvidencePack, Role, User
from dashboard.row_security import within
from sync.models import Department

MOST_SAMPLED = 1_000


def packs(scope: Scope) -> QuerySet[EvidencePack]:
    """Return the account's packs, the newest first; none unless every person is in scope."""
    if scope.account is None or not scope.sees_everyone:
        return EvidencePack.objects.none()
    found = EvidencePack.objects.filter(account=scope.account).select_related("user", "department", "previous")
    return found.order_by("-pk")


def request_pack(
    scope: Scope,
    first_day: date,
    last_day: date,
    *,
    user: User,
    at: datetime,
    department: Department | None = None,
    sample_size: int = 25,
    sample_seed: str = "1",
) -> EvidencePack:
    """Note that a reader asks for a pack; the caller queues the task. ValueError for who does not see everyone."""
    if scope.account is None or not scope.sees_everyone:
        raise ValueError("Packs are for those who see everyone.")
    pack = EvidencePack.objects.create(
        account=scope.account,
        user=user,
        first_day=first_day,
        last_day=last_day,
        department=department,
        sample_size=sample_size,
        sample_seed=sample_seed,
        requested_at=at,
    )
    audit.record(
        audit.Action.EXPORTED,
        account=scope.account,
        user=user,
        subject=audit.Subject.REPORT,
        subject_id=pack.pk,
        details={
            "report": "evidence_pack",
            "first_day": first_day.isoformat(),
            "last_day": last_day.isoformat(),
            "departments": [department.pk] if department else [],
        },
    )
    return pack


# Making --------------------------------------------------------------------------------------------------------


def make_pack(pack_id: int) -> None:
    """Make one pack: see `dashboard.files.jobs.make`."""
    make(EvidencePack, pack_id, _make)


@dataclass(frozen=True)
class _Readers:
    """Reader who asked, and the scope whose people are packed: narrower when one department is asked for."""

    reader: Scope
    scope: Scope


def _readers(pack: EvidencePack) -> _Readers:
    reader = scope_in(pack.account_id, pack.user, timezone.now())
    if not reader.sees_everyone:
        raise NoAccessError(_("You do not see everyone in this account any more."))
    if pack.department is None:
        return _Readers(reader, reader)
    [home] = homes(pack.account, [pack.department.pk])
    # As the head of that department sees it, and through the same walls; 0 is "no department" in the tallies.
    keys = home.spellings if home.key else home.spellings | {0}
    return _Readers(reader, replace(reader, roles=frozenset({Role.DEPARTMENT_HEAD.value}), department_keys=keys))


def period_of(pack: EvidencePack) -> Period:
    """Return a pack's period in moments: its states are as of its end, or of when it was asked for, while it runs."""
    zone = pack.account.zone
    end = min(local_midnight(pack.last_day + timedelta(days=1), zone), pack.requested_at)
    return Period(local_midnight(pack.first_day, zone), end, pack.requested_at)


def _make(pack: EvidencePack, work: Work) -> None:
    readers, period = _readers(pack), period_of(pack)
    if period.end <= period.start:
        raise GivenUpError(_("The period has not begun."))
    packing = Pack(work.file, lambda rows: note_rows(pack, rows))
    with timezone.override(pack.account.zone), closing(packing):
        manifest = _fill(packing, pack, readers, period)
        _chain(packing, pack, manifest, work, kept(readers.reader, has_log=readers.reader.may_read_audit))


def _fill(packing: Pack, pack: EvidencePack, readers: _Readers, period: Period) -> dict[str, Any]:
    """Write every file but the manifest, and return what the manifest says beside their hashes."""
    with within(readers.scope):
        # Roughly: syncs may be published before the snapshot is taken.
        total = contents.people(readers.scope, period).count()
        total += contents.enrollments(readers.scope, period).count()
        total += contents.history(readers.scope, period).count()
    EvidencePack.objects.filter(pk=pack.pk).update(rows_total=total)
    # The head of the log is the account's, whoever asks: the reader's own role may not read it.
    log = anchor(pack.account_id)
    with _snapshot(), within(readers.reader):
        sample = Sample(pack.sample_seed, pack.sample_size)
        lines = []
        for listing in contents.listings(readers.scope, readers.reader, period):
            # The log and what was mailed are of the account: they are read as who asks.
            is_of_people = listing.path not in {"audit.csv", "sent.csv"}
            with within(readers.scope if is_of_people else readers.reader):
                rows = packing.add_listing(listing, sample if listing.path == "enrollments.csv" else None)
            lines.append(f"{listing.path}: {listing.what} ({rows} rows)")
        with within(readers.scope):
            totals = figures(readers.scope, as_of=period.end, filters=Filters())
            review = _review(readers.scope, period)
            label = readers.scope.label
    packing.add_rows("sample.csv", sample.heads, sample.rows, None)
    if review is not None:
        packing.add("quarterly_review.pdf", review)
    left_out = [] if readers.reader.may_read_audit else [_("audit.csv: its reader may not read the audit log")]
    if review is None:
        left_out.append(_("quarterly_review.pdf: there is nothing to review"))
    account, run = pack.account, pack.account.published_run
    manifest: dict[str, Any] = {
        "account": account.name,
        "period": {
            "first_day": pack.first_day.isoformat(),
            "last_day": pack.last_day.isoformat(),
            "start": written(period.start),
            "as_of": written(period.end),
            "time_zone": account.time_zone,
        },
        "scope": label,
        "requested_by": pack.user.email,
        "requested_at": written(pack.requested_at),
        "sync_run": run.number if run else None,
        "data_as_of": written(account.data_as_of),
        "audit_log": {"chain": account.pk, "events": log.events, "last_hash": log.digest},
        "figures": {"gross": _told(totals.gross), "net": _told(totals.net)},
        "sample": {
            "file": "enrollments.csv",
            "column": "enrollment_id",
            "seed": pack.sample_seed,
            "size": pack.sample_size,
            "from": sample.of,
            "ids": sample.ids,
        },
        "left_out": left_out,
    }
    words = {**manifest, **manifest["period"], "seed": repr(pack.sample_seed), "size": pack.sample_size}
    words |= {"log_events": log.events, "log_hash": log.digest}
    words["left_out"] = "".join(f"Left out: {line}\n" for line in left_out) + ("\n" if left_out else "")
    packing.add("README.txt", README.format(listing="\n".join(lines), **words).encode("utf-8", "surrogatepass"))
    packing.add("verify.py", VERIFY.read_bytes())
    pack.enrollments = sample.of
    return manifest


def _told(counts: Counts) -> dict[str, int]:
    """Return the counts that `verify.py` works out anew from the rows."""
    return {
        "counted": counts.counted,
        "completed": counts.completed,
        "past_due": counts.past_due,
        "in_progress": counts.in_progress,
        "not_started": counts.not_started,
        "people_counted": counts.people_counted,
        "people_past_due": counts.people_past_due,
    }


def _review(scope: Scope, period: Period) -> bytes | None:
    """Return the Quarterly review of the quarter in which the period ends, as of its end."""
    assert scope.account is not None  # noqa: S101 - looked at by `_readers`
    last = (period.end - timedelta(microseconds=1)).astimezone(scope.account.zone).date()
    quarter = date(last.year, (last.month - 1) // 3 * 3 + 1, 1)
    is_over = period.end < period.now
    question = reports.Question(scope, period.end, period.now, last if is_over else None)
    made = reports.make(reports.Kind.REVIEW, question, quarter=quarter)
    return made.content if made is not None else None


def _chain(packing: Pack, pack: EvidencePack, manifest: dict[str, Any], work: Work, scope: dict[str, Any]) -> None:
    """Chain the pack to the one before and finish it: one pack of an account after the other."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"chain {pack.account_id}"])
        before = EvidencePack.objects.filter(account=pack.account, number__gt=0).order_by("-number").first()
        number = (before.number or 0) + 1 if before else 1
        digest = before.manifest_sha256 if before else START
        manifest = {"number": number, **manifest, "previous": {"number": number - 1, "manifest_sha256": digest}}
        finish(
            pack,
            work,
            rows=packing.done,
            scope=scope,
            previous=before,
            number=number,
            manifest_sha256=packing.seal(manifest, digest),
            enrollments=pack.enrollments,
            file_name=_name(pack, number),
        )


def _name(pack: EvidencePack, number: int) -> str:
    days = f"{pack.first_day.isoformat()}_{pack.last_day.isoformat()}"
    return f"evidence-{slugify(pack.account.name)[:60] or 'account'}_{days}_no-{number}.zip"


@contextmanager
def _snapshot() -> Iterator[None]:
    """Read from one snapshot of the database; inside another transaction, from that one's."""
    is_part = connection.in_atomic_block
    with transaction.atomic():
        if not is_part:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield
