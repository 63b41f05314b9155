"""Intervals: the times in which facts count, with the moments within them; and what happens at each of these.

All is SQL text over `dashboard_fact f`. A count at t is the number of intervals whose span (see `metrics.INTERVALS`)
holds t; the same count, differentiated, is +1 where a span begins and -1 where it ends.
"""

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from dashboard.local_days import local_midnight
from dashboard.metrics import Interval
from dashboard.models import CONTENT_TYPE_CODES
from dashboard.rollups.buckets import as_array
from sync.models.training import ContentType

FACTS = "dashboard_fact f"
POLICY = CONTENT_TYPE_CODES[ContentType.POLICY]

DIMENSIONS = "f.enrollment_id, f.person_id, f.department_id, f.manager_id, f.campaign_id, f.content_type, f.due_at"

_FLAGS = f"""
    f.completed_at > f.due_at AS is_late, f.completed_at <= f.due_at AS is_on_time, f.is_due_unknown,
    f.content_type = {POLICY} AS is_policy, f.is_acknowledged
"""

# The local month of a due date, as a number, and where it and its quarter end: looked up in %(due_months)s, the
# beginnings of all local months of some years (see `calendar`), which is many times as fast as a calendar's
# arithmetic. What falls due outside of them is no cohort anybody asks for: it counts in the first or the last.
_PLACE = "greatest(width_bucket(f.due_at, %(due_months)s::timestamptz[]), 1)"
DUE_YEARS = range(2000, 2080)
DUE_MONTH = f"(%(first_due_month)s - 1 + {_PLACE})"
_COHORT_FLAGS = f"""
    f.completed_at <= f.due_at AS is_on_time,
    f.completed_at < (%(due_months)s::timestamptz[])[{_PLACE} + 1] AS is_in_month,
    f.completed_at < (%(due_months)s::timestamptz[])[({_PLACE} - 1) / 3 * 3 + 4] AS is_in_quarter
"""
_ALL_COHORT_FLAGS = f"{_COHORT_FLAGS}, {DUE_MONTH} AS due_month"

# An exemption excuses a cohort's enrollment while it lasts, and for good when the due date lies in it.
_COHORT_EXEMPT = """
    (spans.exempt * tstzmultirange(tstzrange(NULL, f.due_at)))
    + CASE WHEN spans.exempt @> f.due_at THEN tstzmultirange(tstzrange(f.due_at, NULL)) ELSE '{}' END
"""
_EXEMPT_SPANS = """
    (SELECT enrollment_id, range_agg(during) AS exempt FROM dashboard_exemptspan
     WHERE account_id = %(account)s GROUP BY enrollment_id) spans
"""
# Whoever left no later than the due date is in no cohort from then on.
_COHORT_UNTIL = "least(f.removed_at, CASE WHEN f.left_at <= f.due_at THEN f.left_at END)"


def calendar(zone: ZoneInfo, years: range = DUE_YEARS) -> dict[str, Any]:
    """Return the parameters of cohorts: the beginning of every local month of these years, and the first's number.

    A question about a few years needs these alone; what falls due outside of them is not to be asked for.
    """
    return {"due_months": _beginnings(zone, years), "first_due_month": years[0] * 12}


@cache
def _beginnings(zone: ZoneInfo, years: range) -> str:
    months = [date(year, month, 1) for year in years for month in range(1, 13)]
    return as_array(local_midnight(month, zone) for month in [*months, date(years[-1] + 1, 1, 1)])


def current(*, where: str = "true", source: str = FACTS, net_of_exemptions: bool = False) -> str:
    """Return the SQL for the intervals of current figures: one per fact f of `source`, or what exemptions leave of it.

    `net_of_exemptions` yields only facts that have an exemption: the others are whole either way.
    """
    return _clamped(_bare("f.until", _FLAGS, where, source, "spans.exempt" if net_of_exemptions else ""))


def cohorts(*, where: str = "true", source: str = FACTS, net_of_exemptions: bool = False) -> str:
    """Return the SQL for the intervals of cohort figures; facts without a known due date are in no cohort."""
    exempt = _COHORT_EXEMPT if net_of_exemptions else ""
    return _clamped(_bare(_COHORT_UNTIL, _ALL_COHORT_FLAGS, f"f.due_at IS NOT NULL AND ({where})", source, exempt))


def current_at(moment: str, *, where: str = "true", source: str = FACTS) -> str:
    """Return the SQL for the intervals of current figures that hold a moment, good for that moment alone."""
    return _open_at(moment, _bare("f.until", _FLAGS, f"({where}) AND f.enrolled_at <= {moment}", source))


def cohorts_at(moment: str, *, where: str = "true", source: str = FACTS) -> str:
    """Return the SQL for the intervals of cohort figures that hold a moment, good for that moment alone."""
    condition = f"f.due_at IS NOT NULL AND ({where}) AND f.enrolled_at <= {moment}"
    return _open_at(moment, _bare(_COHORT_UNTIL, _ALL_COHORT_FLAGS, condition, source))


def _bare(until: str, flags: str, where: str, source: str, exempt: str = "") -> str:
    """Return the SQL for intervals from e to u, with the moments of their facts as they are."""
    begins, ends = "f.enrolled_at", until
    if exempt:
        whole = f"CASE WHEN f.enrolled_at < coalesce({until}, 'infinity') THEN tstzrange(f.enrolled_at, {until}) END"
        begins, ends = "lower(left_over)", "upper(left_over)"
        source += f"""
            JOIN {_EXEMPT_SPANS} ON spans.enrollment_id = f.enrollment_id
            CROSS JOIN LATERAL unnest(tstzmultirange({whole}) - ({exempt})) AS left_over
        """
    # OFFSET 0 has each step worked out once, not again wherever it is named.
    return f"""
        SELECT {DIMENSIONS}, {flags}, {begins} AS e, coalesce({ends}, 'infinity') AS u,
               coalesce(f.started_at, 'infinity') AS started,
               coalesce(f.completed_at, 'infinity') AS completed, coalesce(f.due_at, 'infinity') AS due
        FROM {source} WHERE f.account_id = %(account)s AND ({where})
        OFFSET 0
    """


def _clamped(bare: str) -> str:
    """Return the SQL that moves every moment into its interval."""
    return f"""
        SELECT *, least(c, d) AS i FROM (
            SELECT *, least(greatest(started, e), u) AS s, least(greatest(completed, e), u) AS c,
                   least(greatest(due, e), u) AS d
            FROM ({bare}) bare WHERE e < u
            OFFSET 0
        ) clamped
    """


def _open_at(moment: str, bare: str) -> str:
    """Return the SQL for the intervals around a moment: within them it is before or after the others as they are."""
    return f"""
        SELECT *, started AS s, completed AS c, due AS d, least(completed, due) AS i
        FROM ({bare}) bare WHERE u > {moment}
    """


def at_moment(spans: Mapping[str, Interval], moment: str, *, also: str = "true", prefix: str = "") -> list[str]:
    """Return, for each count, the aggregate of the intervals that are in it at a moment, and for which `also` holds.

    The intervals all hold the moment: they are those of `current_at` or `cohorts_at`.
    """
    return [
        f"count(*) FILTER (WHERE {_holds_too(span, moment)} AND {also})::int AS {prefix}{name}"
        for name, span in spans.items()
    ]


def holds(span: Interval, moment: str) -> str:
    """Return the SQL condition under which a interval is in a count at a moment."""
    return f"{_begins(span)} <= {moment} AND {moment} < {span.ends}" + (f" AND {span.where}" if span.where else "")


def _holds_too(span: Interval, moment: str) -> str:
    """Return the condition for a interval that holds the moment, whose beginning and end need no second look."""
    begins = {"e": [], "a": [f"(is_acknowledged OR c <= {moment})"]}.get(span.begins, [f"{span.begins} <= {moment}"])
    ends = [] if span.ends == "u" else [f"{moment} < {span.ends}"]
    return " AND ".join([*([span.where] if span.where else []), *begins, *ends]) or "true"


def events(intervals: str, spans: Mapping[str, Interval], dimensions: str, *, since: str = "") -> str:
    """Return the SQL for what happens to the counts, and when: a row per interval and distinct moment.

    `since` leaves out moments up to and including it. What never happens is no event.
    """
    steps = ", ".join(f"{_step(span)} AS {name}" for name, span in spans.items())
    bound = f" AND m > {since}" if since else ""
    return f"""
        SELECT {dimensions}, m, {steps}
        FROM ({intervals}) f CROSS JOIN LATERAL (VALUES
            (e), (CASE WHEN s <> e THEN s END), (CASE WHEN c <> e AND c <> s THEN c END),
            (CASE WHEN d <> e AND d <> s AND d <> c THEN d END),
            (CASE WHEN u <> e AND u <> s AND u <> c AND u <> d THEN u END)
        ) moments (m)
        WHERE m < 'infinity'{bound}
    """


def _begins(span: Interval) -> str:
    return "CASE WHEN is_acknowledged THEN e ELSE c END" if span.begins == "a" else span.begins


def _step(span: Interval) -> str:
    begins, ends = _begins(span), span.ends
    lasts = f"{begins} < {ends}" + (f" AND {span.where}" if span.where else "")
    return f"CASE WHEN {lasts} THEN (m = {begins})::int - (m = {ends})::int ELSE 0 END"
