"""The one transaction that makes a staged sync the published one."""

from dataclasses import asdict
from datetime import datetime

from django.db import connection, transaction

from sync.models import Account, SyncRun
from sync.models.empty_tables import reserve_empty
from sync.pipeline.merge import Publication
from sync.pipeline.publish import people, phishing, training
from sync.pipeline.staging import Staging
from sync.pipeline.tables import ENROLLMENT
from sync.signals import published

# The tables whose rows are many, and those that their rows refer to; readers of the rest need never wait.
LARGE = (
    "sync_department",
    "sync_person",
    "sync_group",
    "sync_groupmembership",
    "sync_enrollment",
    "sync_phishingresult",
)


def publish(
    account: Account,
    run: SyncRun,
    staging: Staging,
    *,
    campaigns_read: list[int] | None = None,
    now: datetime,
    is_announced: bool = True,
) -> None:
    """Merge what is staged into the mirror, note every change, and stamp run and account, all or nothing.

    `campaigns_read`: KnowBe4's ids of the campaigns whose enrollments were read (None: all); only theirs can have
    vanished. `now` becomes the publication time. The staging area is dropped in the same transaction. A caller that
    has more to write in its own transaction announces the publication itself (`is_announced` off).
    """
    with transaction.atomic():
        # Sorting and hashing a million rows in memory; only for this transaction.
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL work_mem = '256MB'")
            cursor.execute("SET LOCAL timezone = 'UTC'")
            # Of a million rows compared few differ, which Postgres cannot know: it would shun a second process for fear
            # of having to pass them all on.
            cursor.execute("SET LOCAL parallel_tuple_cost = 0.001")
        account = Account.objects.select_for_update(no_key=True).get(pk=account.pk)
        is_first = account.published_at is None
        enrollments = staging.table(ENROLLMENT)
        reserved = reserve_empty(LARGE, rows_from=enrollments) if is_first else frozenset()
        publication = Publication(account.pk, run.pk, now, is_first=is_first, reserved=reserved)
        unread = staging.incomplete()
        counts = {
            **people.publish(staging, publication, unread=unread),
            **training.publish(
                staging,
                publication,
                read_at=run.started_at,
                before=account.published_at,
                unread=unread,
                campaigns_read=campaigns_read,
            ),
            **phishing.publish(staging, publication, unread=unread),
        }
        run.counts = {table: asdict(count) for table, count in counts.items()}
        _stamp(account, run, staging, now=now)
        if is_announced:
            published.send(sender=SyncRun, account=account, run=run, published_at=now)
    # Readers need not wait for it; should it not come to this, the next run makes the area anew.
    staging.drop()


def _stamp(account: Account, run: SyncRun, staging: Staging, *, now: datetime) -> None:
    run.state = SyncRun.State.PUBLISHED
    run.phase = SyncRun.Phase.DONE
    run.published_at = run.finished_at = run.heartbeat_at = now
    run.message = run.error_kind = ""
    run.resume_at = None
    run.save()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE sync_account a SET
                knowbe4_name = s.knowbe4_name, subscription_level = s.subscription_level,
                subscription_end_date = s.subscription_end_at::date, number_of_seats = s.number_of_seats,
                domains = s.domains, current_risk_score = s.current_risk_score,
                published_run_id = %(run)s, published_at = %(now)s, data_as_of = %(read_at)s
            FROM "{staging.schema}".account s WHERE a.id = %(account)s
            """,
            {"run": run.pk, "now": now, "read_at": run.started_at, "account": account.pk},
        )
