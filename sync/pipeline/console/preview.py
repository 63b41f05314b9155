"""Preview of an uploaded file's effect, before anything is done."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from sync.console.columns import Field
from sync.console.source import FileUnreadableError
from sync.models import Account, ConsoleImport
from sync.pipeline import due_dates
from sync.pipeline.console import whole
from sync.pipeline.console.matching import CAMPAIGN_JOIN, MIRRORED, REASONS, decide_extensions, match_rows, names_of
from sync.pipeline.console.reading import Loaded, Reading, load, open_import, temporary_tables

# Rows that the page lists; all are counted.
LISTED_BAD, LISTED_UNMATCHED, LISTED_CHANGES = 1_000, 200, 100


def preview_import(import_id: int, *, now: Callable[[], datetime] = timezone.now) -> ConsoleImport:
    """Read an uploaded file and write its report; nothing else is written. Does nothing once it was decided.

    An unexpected error is noted, so that nobody waits for a preview that will not come, and raised.
    """
    imported = ConsoleImport.objects.select_related("account").get(pk=import_id)
    if imported.state != ConsoleImport.State.READING:
        return imported
    try:
        reading = open_import(imported)
        report = _report(imported, reading, now=now())
    except FileUnreadableError as error:
        imported.state, imported.message, imported.report = ConsoleImport.State.UNREADABLE, str(error), {}
    except Exception as error:
        # Without its database there is nowhere to note it; the task is handed out again.
        if connection.is_usable():
            message = f"It could not be read for an unexpected error ({type(error).__name__}); the log has the details."
            unread = ConsoleImport.objects.filter(pk=imported.pk, state=ConsoleImport.State.READING)
            unread.update(state=ConsoleImport.State.UNREADABLE, message=message, report={})
        raise
    else:
        imported.state, imported.message, imported.report = ConsoleImport.State.PREVIEW, "", report
    # Somebody may have discarded it meanwhile.
    fields = ("state", "message", "report", "mapping", "signature")
    ConsoleImport.objects.filter(pk=imported.pk, state=ConsoleImport.State.READING).update(
        **{name: getattr(imported, name) for name in fields}
    )
    imported.refresh_from_db()
    return imported


def _report(imported: ConsoleImport, reading: Reading, *, now: datetime) -> dict[str, Any]:
    report = _describe(reading) | {"previewed_at": now.isoformat()}
    if reading.problems:
        return report

    def progress(read: int) -> None:
        ConsoleImport.objects.filter(pk=imported.pk).update(rows_read=read)

    with temporary_tables():
        loaded = load(imported, reading, on_progress=progress)
        report |= bad_rows(loaded)
        if reading.is_whole:
            whole.give_ids(imported.account)
            held, published, new = whole.sizes(imported.account)
            report["whole"] = {"file": asdict(held), "published": asdict(published), "new": new}
            report["duplicates"] = loaded.rows - held.enrollments
            return report
        match_rows(imported.account)
        decide_extensions(imported.account, reading)
        report |= matched_rows(imported.account)
        report["changes"] = changed_dates(imported.account, now=now)
    return report


def _describe(reading: Reading) -> dict[str, Any]:
    """Return how the file is read."""
    return {
        "is_whole": reading.is_whole,
        "encoding": reading.source.encoding_name,
        "delimiter": reading.source.delimiter_name,
        "headers": reading.survey.headers,
        "samples": reading.survey.samples,
        "meanings": {name: name.label for name in Field},
        "rows": reading.survey.rows,
        "orders": {name: order for name, order in reading.orders.items() if order},
        "asked": list(reading.asked),
        "problems": reading.problems,
    }


def bad_rows(loaded: Loaded) -> dict[str, Any]:
    """Return the rows that cannot be used, counted and listed."""
    return {
        "bad": {"count": len(loaded.bad), "rows": [asdict(row) for row in loaded.bad[:LISTED_BAD]]},
    }


def matched_rows(account: Account) -> dict[str, Any]:
    """Return how many rows found their enrollment, and which did not, and why."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(enrollment_id), count(DISTINCT enrollment_id) FROM pg_temp.console_match")
        matched, distinct = cursor.fetchone()
        cursor.execute(
            """
            SELECT r.line, trim(concat_ws(' ', nullif(r.first_name, ''), nullif(r.last_name, ''))),
                   coalesce(nullif(r.email, ''), r.employee_number), r.campaign, r.content,
                   CASE WHEN r.enrollment_id IS NOT NULL THEN 'id' WHEN m.fits > 1 THEN 'several'
                        WHEN NOT EXISTS (SELECT FROM pg_temp.console_person p WHERE p.line = r.line) THEN 'person'
                        WHEN r.campaign <> '' AND lower(r.campaign) <> ALL(%(campaigns)s) THEN 'campaign'
                        WHEN r.content <> '' AND lower(r.content) <> ALL(%(content)s) THEN 'content'
                        ELSE 'enrollment' END
            FROM pg_temp.console_match m JOIN pg_temp.console_row r ON r.line = m.line
            WHERE m.enrollment_id IS NULL ORDER BY r.line
            """,
            {
                "campaigns": names_of("sync_campaign", account),
                "content": names_of("sync_contentitem", account),
            },
        )
        rows = cursor.fetchall()
    reasons: dict[str, int] = {}
    for *_, reason in rows:
        reasons[reason] = reasons.get(reason, 0) + 1
    return {
        "matched": matched,
        "duplicates": matched - distinct,
        "unmatched": {
            "count": len(rows),
            "reasons": [
                {"reason": REASONS[reason], "count": count}
                for reason, count in sorted(reasons.items(), key=lambda entry: (-entry[1], entry[0]))
            ],
            "rows": [
                {
                    "line": line,
                    "person": name or who,
                    "who": who if name else "",
                    "campaign": campaign,
                    "content": content,
                    "reason": REASONS[reason],
                }
                for line, name, who, campaign, content, reason in rows[:LISTED_UNMATCHED]
            ],
        },
    }


def changed_dates(account: Account, *, now: datetime) -> dict[str, Any]:
    """Return what acceptance would change: the same decision and the same ladder, only read."""
    values: dict[str, Any] = {
        "account": account.pk,
        "now": now,
        "read_at": account.data_as_of or now,
        "before": account.published_at,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT d.line, trim(concat_ws(' ', person.first_name, person.last_name)), person.email, campaign.name,
                   content.name, s.due_at, s.due_source, ({due_dates.DUE_AT})::timestamptz, {due_dates.DUE_SOURCE},
                   s.extended_due_at IS NOT NULL, d.extended_due_at IS NOT NULL
            FROM pg_temp.console_decision d
            JOIN {MIRRORED} s ON s.id = d.enrollment_id
            {CAMPAIGN_JOIN}
            LEFT JOIN sync_campaign campaign ON campaign.id = s.campaign_id
            LEFT JOIN sync_person person ON person.id = s.person_id
            LEFT JOIN sync_contentitem content ON content.id = s.content_id
            CROSS JOIN LATERAL (SELECT d.extended_due_at, s.due_source, s.due_at, s.due_after, s.original_due_at) m
            {due_dates.JOINS}
            WHERE (s.extended_due_at, s.due_at, s.due_source)
                  IS DISTINCT FROM (d.extended_due_at, ({due_dates.DUE_AT})::timestamptz, {due_dates.DUE_SOURCE})
            ORDER BY d.line
            """,
            values,
        )
        rows = cursor.fetchall()
    return {
        "count": len(rows),
        "set": sum(not had and has for *_, had, has in rows),
        "moved": sum(had and has for *_, had, has in rows),
        "cleared": sum(had and not has for *_, had, has in rows),
        "rows": [
            {
                "line": line,
                "person": name or email or "",
                "campaign": campaign or "",
                "content": content or "",
                "before": before and before.isoformat(),
                "before_source": before_source,
                "after": after and after.isoformat(),
                "after_source": after_source,
            }
            for line, name, email, campaign, content, before, before_source, after, after_source, _, _ in rows[
                :LISTED_CHANGES
            ]
        ],
    }
