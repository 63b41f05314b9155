"""Keeping rollups equal to what they sum up: built whole, or corrected by what a sync or a setting changed.

A correction takes out what the touched people and enrollments contributed, brings their facts up to date, and puts in
what they contribute now. It costs as much as was touched, not as much as there is.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from dashboard import metrics
from dashboard.metrics import COHORT_SPANS, SPANS
from dashboard.models import RollupState
from dashboard.rollups import facts, standings, stretches
from dashboard.rollups.books import (
    BOOKS,
    LEDGERS,
    TALLIES,
    Book,
    add_steps,
    fold,
    gathering,
    roll_forward,
)
from dashboard.rollups.buckets import END_OF_DAY, END_OF_MONTH, Horizon, is_month_start
from sync.models import Account, Change, Person
from sync.models.empty_tables import reserve_empty, set_aside

TABLES = (
    "dashboard_fact",
    "dashboard_exemptspan",
    "dashboard_tally",
    "dashboard_cohorttally",
    "dashboard_personstanding",
)


def rebuild(account: Account, *, at: datetime, with_tallies: bool = True) -> None:
    """Build all rollups of the account anew, as of `at`. Without tallies, numbers come from the facts meanwhile."""
    with transaction.atomic():
        _lock(account)
        reserved = reserve_empty({"dashboard_fact"})
        with connection.cursor() as cursor:
            for table in TABLES:
                cursor.execute(f"DELETE FROM {table} WHERE account_id = %s", [account.pk])
        _write_facts(account, touched=False, reserved=reserved)
        standings.write(account, at=at, touched=False)
        horizon = Horizon.of(at, account.zone)
        RollupState.objects.update_or_create(
            account=account,
            defaults={
                "time_zone": account.time_zone,
                "horizon": horizon.at,
                "days_from": horizon.days_from,
                "tallies_from": None,
                "built_at": at,
            },
        )
        if with_tallies:
            build_tallies(account, at=at)


def build_tallies(account: Account, *, at: datetime) -> None:
    """Work out the tallies of rollups that were built without; nothing to do where they stand."""
    with transaction.atomic():
        _lock(account)
        state = RollupState.objects.filter(account=account).first()
        if state is None or state.time_zone != account.time_zone:
            rebuild(account, at=at)
            return
        if state.tallies_from is not None:
            return
        horizon = Horizon.of(at, account.zone)
        state.horizon, state.days_from, state.tallies_from = horizon.at, horizon.days_from, _first_day(account, horizon)
        state.save()
        with connection.cursor() as cursor:
            # A million enrollments are sorted and hashed in memory; only for this transaction.
            cursor.execute("SET LOCAL work_mem = '256MB'")
        values = _values(account, state)
        with gathering():
            _gather(values, sign=1, touched=False)
            for ledger in LEDGERS:
                add_steps(ledger, values)
        with connection.cursor() as cursor:
            for ledger in LEDGERS:
                cursor.execute(f"ANALYZE {ledger.table}")


def recount(
    account: Account,
    *,
    at: datetime,
    people: Iterable[int] = (),
    campaigns: Iterable[int] = (),
    enrollments: Iterable[int] = (),
    everything: bool = False,
) -> None:
    """Bring the rollups up to date after something changed that bears on these people, campaigns or enrollments.

    Call it in the transaction of the change. Keys are ours. An account without rollups gets them.
    """
    with transaction.atomic():
        _lock(account)
        state = RollupState.objects.filter(account=account).first()
        if everything or state is None or state.time_zone != account.time_zone:
            rebuild(account, at=at)
            return
        with touching(account):
            with connection.cursor() as cursor:
                for statements, keys in (
                    (_TOUCHED_PEOPLE, list(people)),
                    (_TOUCHED_CAMPAIGNS, list(campaigns)),
                    (_TOUCHED_ENROLLMENTS, list(enrollments)),
                ):
                    for statement in statements:
                        cursor.execute(statement, {"account": account.pk, "keys": keys})
            correct(account, state, at=at)


# What a change bears on; the facts that stand are touched, too, for their enrollment may not be eligible any more.
_TOUCHED_PEOPLE = (
    """
    INSERT INTO touched
    SELECT id FROM sync_enrollment WHERE account_id = %(account)s AND person_id = ANY(%(keys)s)
    UNION SELECT enrollment_id FROM dashboard_fact WHERE account_id = %(account)s AND person_id = ANY(%(keys)s)
    ON CONFLICT DO NOTHING
    """,
    "INSERT INTO touched_person SELECT unnest(%(keys)s::bigint[]) ON CONFLICT DO NOTHING",
)
_TOUCHED_CAMPAIGNS = (
    """
    INSERT INTO touched
    SELECT id FROM sync_enrollment WHERE account_id = %(account)s AND campaign_id = ANY(%(keys)s)
    UNION SELECT enrollment_id FROM dashboard_fact WHERE account_id = %(account)s AND campaign_id = ANY(%(keys)s)
    ON CONFLICT DO NOTHING
    """,
)
_TOUCHED_ENROLLMENTS = ("INSERT INTO touched SELECT unnest(%(keys)s::bigint[]) ON CONFLICT DO NOTHING",)


@contextmanager
def touching(account: Account) -> Iterator[None]:
    """Provide the temporary tables `touched` (enrollments) and `touched_person`, to be filled with what changed."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS touched, touched_person")
        cursor.execute("CREATE TEMPORARY TABLE touched (enrollment_id bigint PRIMARY KEY) ON COMMIT DROP")
        cursor.execute("CREATE TEMPORARY TABLE touched_person (person_id bigint PRIMARY KEY) ON COMMIT DROP")
    yield


def correct(account: Account, state: RollupState, *, at: datetime) -> None:
    """Take out what the touched contributed, bring their facts up to date, and put in what they contribute now."""
    _advance(account, state, at=at)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO touched_person
            SELECT person_id FROM sync_enrollment WHERE id IN (SELECT enrollment_id FROM touched)
               AND person_id IS NOT NULL
            UNION SELECT person_id FROM dashboard_fact WHERE enrollment_id IN (SELECT enrollment_id FROM touched)
            ON CONFLICT DO NOTHING
            """
        )
        cursor.execute("SELECT EXISTS (SELECT FROM touched_person), EXISTS (SELECT FROM touched)")
        if not any(cursor.fetchone()):
            return
        cursor.execute("ANALYZE touched")
        cursor.execute("ANALYZE touched_person")
    if state.tallies_from is None:
        _write_facts(account, touched=True)
        standings.write(account, at=at, touched=True)
        return
    values = _values(account, state)
    with gathering():
        _gather(values, sign=-1, touched=True)
        _write_facts(account, touched=True)
        standings.write(account, at=at, touched=True)
        _gather(values, sign=1, touched=True)
        for ledger in LEDGERS:
            add_steps(ledger, values)


def advance(account: Account, *, at: datetime) -> None:
    """Fold the days that have passed, and renew the people whose figures changed by time alone; a task's work.

    Tallies that a first sync left to be worked out are, should nobody have done it yet.
    """
    with transaction.atomic():
        _lock(account)
        state = RollupState.objects.filter(account=account).first()
        if state is None:
            return
        build_tallies(account, at=at)
        state.refresh_from_db()
        _advance(account, state, at=at)
        standings.renew(account, at=at)


def _advance(account: Account, state: RollupState, *, at: datetime) -> None:
    """Move the horizon to the last midnight before `at`; time does not go back."""
    new = Horizon.of(at, account.zone)
    if state.tallies_from is None or new.at <= state.horizon:
        return
    # From one beginning of a month to the next: what stands there stays.
    for moment in sorted({*new.months_since(state.horizon), new.at}):
        values = {**_values(account, state), "until": moment}
        for ledger in LEDGERS:
            roll_forward(ledger, {**values, "keeps_horizon": is_month_start(state.horizon, account.zone)})
        state.horizon, since = moment, state.horizon
        values = {**_values(account, state), "since": since, "until": moment}
        for ledger in LEDGERS:
            fold(ledger, END_OF_DAY, values)
    if new.days_from > state.days_from:
        since, state.days_from = state.days_from, new.days_from
        grains = ", ".join(str(int(book.grain)) for book in BOOKS if not book.keeps_days)
        values = {**_values(account, state), "since": since, "until": new.days_from}
        fold(TALLIES, END_OF_MONTH, values, where=f"grain IN ({grains})")
    state.save()


def _write_facts(account: Account, *, touched: bool, reserved: frozenset[str] = frozenset()) -> None:
    """Write the facts of the touched enrollments, or of all where there are none, and their exempt spans.

    In a table that is `reserved` (see `reserve_empty`) indexes are built after the rows.
    """
    values = {"account": account.pk}
    sql, params = facts.of_mirror(account, touched=touched).query.sql_with_params()
    only = "AND enrollment_id IN (SELECT enrollment_id FROM touched)" if touched else ""
    with connection.cursor() as cursor:
        if touched:
            cursor.execute(f"DELETE FROM dashboard_fact WHERE account_id = %(account)s {only}", values)
            cursor.execute(f"DELETE FROM dashboard_exemptspan WHERE account_id = %(account)s {only}", values)
        with set_aside("dashboard_fact", reserved):
            cursor.execute(f"INSERT INTO dashboard_fact ({', '.join(facts.COLUMNS)}) {sql}", params)
        if not touched:
            cursor.execute("ANALYZE dashboard_fact")
        cursor.execute(
            f"{_EXEMPT_SPANS} WHERE {'f.' + only[4:] if touched else 'true'} GROUP BY f.enrollment_id", values
        )


_EXEMPT_SPANS = """
    INSERT INTO dashboard_exemptspan (enrollment_id, account_id, during)
    SELECT f.enrollment_id, %(account)s, unnest(range_agg(tstzrange(x.starts_at, x.stops_at)))
    FROM (
        SELECT starts_at, least(ends_at, ended_at) AS stops_at, campaign_id, person_id
        FROM dashboard_exemption
        WHERE account_id = %(account)s AND approved_at IS NOT NULL AND person_id IS NOT NULL
        UNION ALL
        SELECT x.starts_at, least(x.ends_at, x.ended_at), x.campaign_id, member.person_id
        FROM dashboard_exemption x JOIN sync_groupmembership member
          ON member.group_id = x.group_id AND member.removed_at IS NULL
        WHERE x.account_id = %(account)s AND x.approved_at IS NOT NULL
    ) x
    JOIN dashboard_fact f ON f.account_id = %(account)s AND f.person_id = x.person_id
     AND (x.campaign_id IS NULL OR x.campaign_id = f.campaign_id)
     AND (x.stops_at IS NULL OR x.starts_at < x.stops_at)
"""


def _gather(values: dict[str, Any], *, sign: int, touched: bool) -> None:
    """Gather what the touched facts and people contribute, times `sign`; or all of them."""
    where = "f.enrollment_id IN (SELECT enrollment_id FROM touched)" if touched else "true"
    people = "f.person_id IN (SELECT person_id FROM touched_person)" if touched else "true"
    keys = "department_id, manager_id, campaign_id, content_type"
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS happening, day, people_day, people_of_campaigns")
        cursor.execute(
            f"""
            CREATE TEMPORARY TABLE happening ON COMMIT DROP AS
            SELECT is_exempt, {END_OF_DAY} AS at, {keys}, {_times(sign, SPANS)}
            FROM ({_events(stretches.current, SPANS, keys, where)}) events
            """,
            values,
        )
        # All grains but one are sums of this.
        cursor.execute(
            f"""
            CREATE TEMPORARY TABLE day ON COMMIT DROP AS
            SELECT is_exempt, at, department_id, campaign_id, content_type, {_times(1, SPANS, "sum")}
            FROM happening GROUP BY is_exempt, at, department_id, campaign_id, content_type
            """
        )
        for book in BOOKS:
            source = "happening" if "manager_id" in book.keys else "day"
            cursor.execute(_steps(book, source, tuple(SPANS), book.keys), values)
        cursor.execute("DROP TABLE happening, day")
        cursor.execute(
            f"""
            INSERT INTO cohort_step (is_exempt, at, department_id, due_month, {", ".join(COHORT_SPANS)})
            SELECT is_exempt, {END_OF_DAY} AS kept, department_id, due_month, {_times(sign, COHORT_SPANS, "sum")}
            FROM ({_events(stretches.cohorts, COHORT_SPANS, "department_id, due_month", where)}) events
            GROUP BY is_exempt, kept, department_id, due_month
            """,
            values,
        )
        cursor.execute(
            f"""
            CREATE TEMPORARY TABLE people_day ON COMMIT DROP AS
            SELECT is_exempt, {END_OF_DAY} AS at, department_id, manager_id, {_times(sign, standings.PEOPLE, "sum")}
            FROM ({standings.events(people)}) events GROUP BY is_exempt, at, department_id, manager_id
            """,
            values,
        )
        cursor.execute(
            f"""
            CREATE TEMPORARY TABLE people_of_campaigns ON COMMIT DROP AS
            SELECT is_exempt, {END_OF_DAY} AS at, campaign_id, {_times(sign, standings.PEOPLE, "sum")}
            FROM ({standings.campaign_events(people)}) events GROUP BY is_exempt, at, campaign_id
            """,
            values,
        )
        for book in BOOKS:
            if book.people:
                source = "people_of_campaigns" if "campaign_id" in book.people else "people_day"
                cursor.execute(_steps(book, source, standings.PEOPLE, book.people), values)
        cursor.execute("DROP TABLE people_day, people_of_campaigns")


def _steps(book: Book, source: str, counts: Iterable[str], columns: Iterable[str]) -> str:
    """Return the SQL that gathers one book's steps from what happened day by day."""
    keys = ", ".join(columns)
    return f"""
        INSERT INTO tally_step (is_exempt, at, grain, {keys}, {", ".join(counts)})
        SELECT is_exempt, {book.bucket} AS kept, {int(book.grain)}, {keys}, {_times(1, counts, "sum")}
        FROM {source} GROUP BY is_exempt, kept, {keys}
    """


def _times(sign: int, counts: Iterable[str], aggregate: str = "") -> str:
    return ", ".join(f"({aggregate}({count}) * {sign})::int AS {count}" for count in counts)


def _events(source: Any, spans: Any, keys: str, where: str) -> str:
    """Return the SQL for what happens, and for what exemptions take away: the facts under one, less what is left."""
    counts = ", ".join(spans)
    exempt = "f.enrollment_id IN (SELECT enrollment_id FROM dashboard_exemptspan WHERE account_id = %(account)s)"
    negative = ", ".join(f"-{count}" for count in spans)
    return f"""
        SELECT false AS is_exempt, {keys}, m, {counts}
        FROM ({stretches.events(source(where=where), spans, keys)}) gross
        UNION ALL SELECT true, {keys}, m, {counts}
        FROM ({stretches.events(source(where=f"({where}) AND {exempt}"), spans, keys)}) excused
        UNION ALL SELECT true, {keys}, m, {negative}
        FROM ({stretches.events(source(where=where, net_of_exemptions=True), spans, keys)}) left_over
    """


def _lock(account: Account) -> None:
    """Let one correction of an account wait for another; publish holds the same row."""
    Account.objects.select_for_update(no_key=True).only("pk").get(pk=account.pk)


def _values(account: Account, state: RollupState) -> dict[str, Any]:
    """Return the parameters of every statement about tallies."""
    if state.tallies_from is None:
        raise ValueError("These rollups have no tallies yet.")
    horizon = Horizon(state.horizon, state.days_from, account.zone)
    return {
        "account": account.pk,
        "never": metrics.NEVER,
        "due_months": stretches.due_months(account.zone),
        **horizon.values(state.tallies_from),
    }


def _first_day(account: Account, horizon: Horizon) -> datetime:
    """Return the midnight before the first enrollment: before it, nothing is counted."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(enrolled_at) FROM dashboard_fact WHERE account_id = %s", [account.pk])
        first = cursor.fetchone()[0]
    return horizon.days_since(min(first or horizon.at, horizon.at))[0]


def after_publish(account: Account, *, run_id: int, at: datetime) -> bool:
    """Bring the rollups up to date with what a sync wrote, in its transaction; return whether the tallies stand.

    After an account's first publication they do not: `build_tallies` is to work them out.
    """
    state = RollupState.objects.filter(account=account).first()
    if state is None or state.time_zone != account.time_zone:
        rebuild(account, at=at, with_tallies=False)
        return False
    with touching(account):
        values: dict[str, Any] = {"account": account.pk, "run": run_id, "now": at}
        with connection.cursor() as cursor:
            for statement in _WRITTEN_BY_RUN:
                cursor.execute(statement, values)
            _touch_moved_people(cursor, account)
            cursor.execute(_OF_TOUCHED_PEOPLE, values)
        correct(account, state, at=at)
    return state.tallies_from is not None


_ENROLLMENTS = "INSERT INTO touched SELECT e.id FROM sync_enrollment e"
# A change of these fields moves no number.
_WRITTEN_BY_RUN = (
    f"{_ENROLLMENTS} WHERE account_id = %(account)s AND first_seen_at = %(now)s ON CONFLICT DO NOTHING",
    f"""
    INSERT INTO touched SELECT DISTINCT subject_id FROM sync_change
    WHERE run_id = %(run)s AND account_id = %(account)s AND subject = {Change.Subject.ENROLLMENT}
    ON CONFLICT DO NOTHING
    """,
    # A campaign that was cancelled, or no longer is.
    f"""
    {_ENROLLMENTS} JOIN sync_change c ON c.run_id = %(run)s AND c.subject = {Change.Subject.CAMPAIGN}
     AND c.field = 'reported_status' AND c.subject_id = e.campaign_id
    WHERE e.account_id = %(account)s ON CONFLICT DO NOTHING
    """,
    # Content that turned out to be of another type.
    f"""
    {_ENROLLMENTS} JOIN sync_change c ON c.run_id = %(run)s AND c.subject = {Change.Subject.CONTENT}
     AND c.field = 'content_type' AND c.subject_id = e.content_id
    WHERE e.account_id = %(account)s ON CONFLICT DO NOTHING
    """,
    # Whoever joined or left a group that is exempt.
    """
    INSERT INTO touched_person SELECT DISTINCT person_id FROM sync_groupmembership
    WHERE (first_seen_at = %(now)s OR removed_at = %(now)s)
      AND group_id IN (SELECT group_id FROM dashboard_exemption WHERE account_id = %(account)s)
    ON CONFLICT DO NOTHING
    """,
)
_OF_TOUCHED_PEOPLE = f"""
    {_ENROLLMENTS} WHERE account_id = %(account)s AND person_id IN (SELECT person_id FROM touched_person)
    UNION SELECT enrollment_id FROM dashboard_fact
          WHERE account_id = %(account)s AND person_id IN (SELECT person_id FROM touched_person)
    ON CONFLICT DO NOTHING
"""


def _touch_moved_people(cursor: Any, account: Account) -> None:
    """Touch everyone whose department, manager or time here is not what their standing says, and whoever is new."""
    sql, params = (
        Person.objects.filter(account=account)
        .order_by()
        .values_list("pk", facts.department_key(), facts.manager_key(), "joined_at", metrics.left_at())
        .query.sql_with_params()
    )
    cursor.execute(
        f"""
        INSERT INTO touched_person
        SELECT now.person_id FROM ({sql}) AS now (person_id, department_id, manager_id, joined_at, left_at)
        LEFT JOIN dashboard_personstanding was USING (person_id)
        WHERE (now.department_id, now.manager_id, now.joined_at, now.left_at)
              IS DISTINCT FROM (was.department_id, was.manager_id, was.joined_at, was.left_at)
        ON CONFLICT DO NOTHING
        """,
        params,
    )
