"""Due dates, which KnowBe4's API does not give: the ladder of rules, as SQL over staged and mirrored rows.

The first rule that applies wins and is stored as `due_source`:

1. `extension`: a per-person date imported from the console.
2. `campaign_end`: the campaign has a specific end date.
3. `relative`: enrollment plus the campaign's relative duration, in calendar months or days, UTC.
4. `observed`: no rule fits, but KnowBe4 says Past Due: the publication that first saw it (an upper bound; the
   publication before it is the lower one).
5. `none`.

KnowBe4 is the system of record for extensions that only its console shows. An enrollment that is still reported open
48 hours after its derived date has one: `hidden_extension`, with no date until rule 1 or 4 gives one. A campaign whose
end moves into the future speaks again for itself. What was observed stays: finished work keeps the deadline it had,
whenever a sync looks, and a campaign's end that passes later does not undo that KnowBe4 said Past Due before it.

The SQL expects: s (staged enrollment), m (mirror row or nulls), c (CAMPAIGNS, published before), and the parameters
now (publication), read_at (when the run began to read) and before (the publication before this one, or null).
"""

from functools import cache

from sync.models.training import STANDINGS

# How long a sync waits for KnowBe4 to call a missed deadline Past Due before it concludes that there is an extension.
EXTENSION_GRACE = "interval '48 hours'"

DONE = "s.standing = 'done'"
_OPEN = "s.standing = 'open'"
_PAST_DUE = "s.standing = 'past_due'"

# One row per campaign, worked out before the join: OFFSET keeps Postgres from doing it again for each enrollment.
CAMPAIGNS = """
    (SELECT id, knowbe4_id, end_at, relative_months, relative_days,
            duration_type ILIKE 'specific%%' AS is_specific, duration_type ILIKE 'relative%%' AS is_relative
     FROM sync_campaign WHERE account_id = %(account)s OFFSET 0)
"""

DERIVED_JOIN = """
    CROSS JOIN LATERAL (
        SELECT CASE
                   WHEN c.is_specific THEN c.end_at
                   WHEN c.is_relative AND c.relative_days IS NOT NULL
                       THEN s.enrolled_at + make_interval(months => c.relative_months, days => c.relative_days)
               END AS due_at,
               CASE WHEN c.is_relative THEN 'relative' ELSE 'campaign_end' END AS source
    ) derived
"""

SOURCE_JOIN = f"""
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN m.extended_due_at IS NOT NULL THEN 'extension'
            WHEN {_PAST_DUE} AND (m.due_source IN ('observed', 'hidden_extension')
                                  OR derived.due_at IS NULL OR derived.due_at > %(now)s) THEN 'observed'
            WHEN {_OPEN} AND derived.due_at < %(read_at)s::timestamptz - {EXTENSION_GRACE} THEN 'hidden_extension'
            WHEN {_OPEN} AND derived.due_at IS NULL AND m.due_source IN ('observed', 'hidden_extension')
                THEN 'hidden_extension'
            WHEN NOT {_OPEN} AND m.due_source IN ('observed', 'hidden_extension')
                 AND (derived.due_at > %(now)s AND derived.due_at IS DISTINCT FROM m.original_due_at) IS NOT TRUE
                THEN m.due_source
            WHEN derived.due_at IS NOT NULL THEN derived.source
            ELSE 'none'
        END AS source
    ) rule
"""

JOINS = DERIVED_JOIN + SOURCE_JOIN

DUE_AT = """
    CASE rule.source
        WHEN 'extension' THEN m.extended_due_at
        WHEN 'observed' THEN CASE WHEN m.due_source = 'observed' THEN m.due_at ELSE %(now)s::timestamptz END
        WHEN 'hidden_extension' THEN NULL
        WHEN 'none' THEN NULL
        ELSE derived.due_at
    END
"""
DUE_SOURCE = "rule.source"
DUE_AFTER = """
    CASE WHEN rule.source = 'observed'
         THEN CASE WHEN m.due_source = 'observed' THEN m.due_after ELSE %(before)s::timestamptz END
    END
"""
ORIGINAL_DUE_AT = "coalesce(m.original_due_at, derived.due_at)"

# Dates before 2000, or later than the sync that brings them, cannot be, and count as not given. Of work that a sync saw
# done before KnowBe4 gave a date, only one that is no later than that is its date.
_EARLIEST = "'2000-01-01 00:00:00+00'::timestamptz"
_IS_COMPLETION_GIVEN = f"""
    (s.completed_at >= {_EARLIEST}
     AND s.completed_at <= CASE WHEN m.is_completion_observed THEN least(m.completed_at, %(now)s) ELSE %(now)s END)
"""
# What an earlier version took for a date, and had not come.
_SEEN_DONE_AT = "CASE WHEN m.completed_at <= %(now)s THEN m.completed_at END"
COMPLETED_AT = f"""
    CASE WHEN {DONE} THEN coalesce(CASE WHEN {_IS_COMPLETION_GIVEN} THEN s.completed_at END, {_SEEN_DONE_AT},
                                   %(now)s::timestamptz) END
"""
IS_COMPLETION_OBSERVED = f"""
    {DONE} AND {_IS_COMPLETION_GIVEN} IS NOT TRUE
    AND (m.completed_at IS NULL OR m.completed_at > %(now)s OR m.is_completion_observed)
"""
# Started is a start date, or time spent; without a date the first sync that saw the time stands for it.
STARTED_AT = f"""
    coalesce(CASE WHEN s.started_at >= {_EARLIEST} AND s.started_at <= %(now)s THEN s.started_at END,
             CASE WHEN s.time_spent > 0 THEN coalesce(CASE WHEN m.started_at <= %(now)s THEN m.started_at END,
                                                      %(now)s::timestamptz) END)
"""


@cache
def standing(status: str) -> str:
    """Return what a status word of KnowBe4's says: "done", "open", "past_due", or "other" for a word nobody knows."""
    return STANDINGS.get(status.strip().lower(), "other")
