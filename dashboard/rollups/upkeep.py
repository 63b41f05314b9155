"""Keeping rollups equal to what they sum up: built whole, or corrected by what a sync or a setting changed.

A correction takes out what the affected people and enrollments contributed, brings their facts up to date, and puts in
what they contribute now. It costs as much as was affected, not as much as there is.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from dashboard import metrics
from dashboard.models import PersonStanding, RollupState
from dashboard.rollups import facts, intervals, lines, standings
from dashboard.rollups.affected import add, add_written, gathering_affected, is_anything_affected
from dashboard.rollups.buckets import END_OF_DAY, END_OF_MONTH, Horizon, is_month_start
from dashboard.rollups.deltas import gather
from dashboard.rollups.tallies import TALLIES, TALLY_GRAINS, TALLY_TABLES, add_steps, fold, gathering, roll_forward
from sync.models import Account
from sync.models.empty_tables import reserve_empty, set_aside

TABLES = (
    "dashboard_fact",
    "dashboard_exemptspan",
    "dashboard_tally",
    "dashboard_cohorttally",
    "dashboard_personstanding",
    "dashboard_reportingline",
)

# Clocks of several machines differ by less than this.
SKEW = timedelta(minutes=1)
_TALLY_TABLES = frozenset(tally_table.table for tally_table in TALLY_TABLES)


def rebuild(account: Account, *, at: datetime, with_tallies: bool = True) -> None:
    """Build all rollups of the account anew, as of `at`. Without tallies, numbers come from the facts meanwhile."""
    with transaction.atomic():
        _lock(account)
        reserved = reserve_empty({"dashboard_fact"}, rows_from="sync_enrollment")
        reserved |= reserve_empty(_TALLY_TABLES, rows_from="sync_enrollment") if with_tallies else frozenset()
        with connection.cursor() as cursor:
            for table in TABLES:
                cursor.execute(f"DELETE FROM {table} WHERE account_id = %s", [account.pk])
        _write_facts(account, affected=False, reserved=reserved)
        standings.write(account, at=at, affected=False)
        horizon = Horizon.of(at, account.zone)
        state, _ = RollupState.objects.update_or_create(
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
            _write_tallies(account, state, at=at, reserved=reserved)


def build_tallies(account: Account, *, at: datetime) -> None:
    """Work out the tallies of rollups that were built without; nothing to do where they stand."""
    with transaction.atomic():
        _lock(account)
        state = RollupState.objects.filter(account=account).first()
        if state is None or _is_outdated(account, state, at=at):
            rebuild(account, at=at)
            return
        if state.tallies_from is None:
            _write_tallies(account, state, at=at, reserved=reserve_empty(_TALLY_TABLES, rows_from="sync_enrollment"))


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
        if everything or state is None or _is_outdated(account, state, at=at):
            rebuild(account, at=at)
            return
        with gathering_affected():
            add(account, people=people, campaigns=campaigns, enrollments=enrollments)
            _correct(account, state, at=at)


def _correct(account: Account, state: RollupState, *, at: datetime) -> None:
    """Take out what the affected contributed, bring their facts up to date, and put in what they contribute now."""
    _advance(account, state, at=at)
    if not is_anything_affected():
        return
    if state.tallies_from is None:
        _write_facts(account, affected=True)
        standings.write(account, at=at, affected=True)
        return
    values = _values(account, state)
    with gathering():
        gather(values, sign=-1, affected=True)
        _write_facts(account, affected=True)
        if standings.write(account, at=at, affected=True):
            lines.renew(values)
        gather(values, sign=1, affected=True)
        for tally_table in TALLY_TABLES:
            add_steps(tally_table, values)


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
        for tally_table in TALLY_TABLES:
            roll_forward(tally_table, {**values, "keeps_horizon": is_month_start(state.horizon, account.zone)})
        state.horizon, since = moment, state.horizon
        values = {**_values(account, state), "since": since, "until": moment}
        for tally_table in TALLY_TABLES:
            fold(tally_table, END_OF_DAY, values)
    if new.days_from > state.days_from:
        since, state.days_from = state.days_from, new.days_from
        grains = ", ".join(str(int(tally_grain.grain)) for tally_grain in TALLY_GRAINS if not tally_grain.keeps_days)
        values = {**_values(account, state), "since": since, "until": new.days_from}
        fold(TALLIES, END_OF_MONTH, values, where=f"grain IN ({grains})")
    state.save()


def _write_tallies(account: Account, state: RollupState, *, at: datetime, reserved: frozenset[str]) -> None:
    """Write the account's tallies and lines from its facts, whatever was there."""
    horizon = Horizon.of(at, account.zone)
    state.horizon, state.days_from, state.tallies_from = horizon.at, horizon.days_from, _first_day(account, horizon)
    state.save()
    values = _values(account, state)
    with connection.cursor() as cursor:
        # A million enrollments are sorted and hashed in memory; only for this transaction.
        cursor.execute("SET LOCAL work_mem = '256MB'")
        for tally_table in TALLY_TABLES:
            cursor.execute(f"DELETE FROM {tally_table.table} WHERE account_id = %(account)s", values)
    lines.renew(values)
    with gathering():
        gather(values, sign=1, affected=False)
        for tally_table in TALLY_TABLES:
            with set_aside(tally_table.table, reserved):
                add_steps(tally_table, values, is_first=True)
    with connection.cursor() as cursor:
        for tally_table in TALLY_TABLES:
            cursor.execute(f"ANALYZE {tally_table.table}")


def _write_facts(account: Account, *, affected: bool, reserved: frozenset[str] = frozenset()) -> None:
    """Write the facts of the affected enrollments, or of all where there are none, and their exempt spans.

    In a table that is `reserved` (see `reserve_empty`) indexes are built after the rows.
    """
    values = {"account": account.pk}
    sql, params = facts.of_mirror(account, affected=affected).query.sql_with_params()
    only = "AND enrollment_id IN (SELECT enrollment_id FROM affected)" if affected else ""
    # People of a department or a line are read together: their facts lie together.
    places = (str(facts.COLUMNS.index(column) + 1) for column in ("department_id", "manager_id", "person_id"))
    order = "" if affected else f" ORDER BY {', '.join(places)}"
    with connection.cursor() as cursor:
        if affected:
            cursor.execute(f"DELETE FROM dashboard_fact WHERE account_id = %(account)s {only}", values)
            cursor.execute(f"DELETE FROM dashboard_exemptspan WHERE account_id = %(account)s {only}", values)
        with set_aside("dashboard_fact", reserved):
            cursor.execute(f"INSERT INTO dashboard_fact ({', '.join(facts.COLUMNS)}) {sql}{order}", params)
        if not affected:
            cursor.execute("ANALYZE dashboard_fact")
        cursor.execute(
            f"{_EXEMPT_SPANS} WHERE {'f.' + only[4:] if affected else 'true'} GROUP BY f.enrollment_id", values
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


def _is_outdated(account: Account, state: RollupState, *, at: datetime) -> bool:
    """Return whether the rollups are of another time zone, or of a clock that was ahead and was set back."""
    if state.time_zone != account.time_zone or state.horizon > at + SKEW:
        return True
    return PersonStanding.objects.filter(account_id=account.pk, computed_at__gt=at + SKEW).exists()


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
        **intervals.calendar(account.zone),
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
    if state is None or _is_outdated(account, state, at=at):
        rebuild(account, at=at, with_tallies=False)
        return False
    with gathering_affected():
        add_written(account, run_id=run_id, at=at)
        _correct(account, state, at=at)
    return state.tallies_from is not None
