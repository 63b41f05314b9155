"""Content, campaigns and enrollments."""

from datetime import datetime

from django.db import connection

from sync.models import Change
from sync.pipeline import due_dates, tables
from sync.pipeline.merge import Column, Counts, Merge, Publication, mark_vanished, merge
from sync.pipeline.staging import Staging

# A store purchase's own `type` says what it is; an uploaded policy is a policy. Spaces and case vary, "Mobile-First
# Training Module" and the like occur, and a word nobody knows is Other, with KnowBe4's word kept beside it.
CONTENT_TYPE = """
    CASE
        WHEN {source} = 'policy' THEN 'Policy'
        WHEN {type} ILIKE '%%assessment%%' THEN 'Assessment'
        WHEN {type} ILIKE '%%newsletter%%' THEN 'Newsletter'
        WHEN {type} ILIKE '%%poster%%' OR {type} ILIKE '%%image%%' THEN 'Poster'
        WHEN {type} ILIKE '%%game%%' THEN 'Game'
        WHEN {type} ILIKE '%%video%%' THEN 'Video'
        WHEN {type} ILIKE '%%module%%' OR {type} ILIKE '%%course%%' OR {type} ILIKE '%%training%%'
            THEN 'Training Module'
        WHEN {type} ILIKE '%%policy%%' THEN 'Policy'
        ELSE 'Other'
    END
"""


def publish(
    staging: Staging,
    publication: Publication,
    *,
    read_at: datetime,
    before: datetime | None,
    unread: set[str],
    campaigns_read: list[int] | None,
) -> dict[str, Counts]:
    """Merge content, campaigns and enrollments; return what was written, by table.

    `read_at` is when the run began to read, `before` the publication before this one (None for the first), `unread`
    the lists of which some rows did not decode: nothing vanishes on their word. `campaigns_read` are KnowBe4's ids of
    the campaigns whose enrollments were read (None: all of them); only theirs can have vanished.
    """
    counts = {}
    content = _content_merge(staging.table(tables.CONTENT))
    written = merge(content, publication)
    vanished = 0 if unread & {"store_purchases", "policies"} else mark_vanished(content, publication)
    _add_unlisted(staging, publication)
    counts["content"] = Counts(written.inserted, written.changed, vanished, written.restored)

    campaigns = _campaign_merge(staging)
    written = merge(campaigns, publication)
    vanished = 0 if "campaigns" in unread else mark_vanished(campaigns, publication)
    counts["campaign"] = Counts(written.inserted, written.changed, vanished, written.restored)

    enrollments = _enrollment_merge(staging, everything=campaigns_read is None)
    written = merge(enrollments, publication, read_at=read_at, before=before)
    vanished = 0
    if not any(key.startswith("enrollments") for key in unread):
        vanished = mark_vanished(enrollments, publication, campaigns=campaigns_read)
    counts["enrollment"] = Counts(written.inserted, written.changed, vanished, written.restored)
    return counts


def _content_merge(staged: str) -> Merge:
    plain = "name reported_type description publisher duration is_retired retirement_at published_at purchased_at"
    return Merge(
        model_table="sync_contentitem",
        source=f"{staged} s",
        key=(("source", "s.source"), ("knowbe4_id", "s.knowbe4_id")),
        columns=(
            *(Column(name, f"s.{name}") for name in plain.split()),
            Column("content_type", CONTENT_TYPE.format(source="s.source", type="s.reported_type")),
        ),
        subject=Change.Subject.CONTENT,
        covers="m.knowbe4_id IS NOT NULL",
    )


def _add_unlisted(staging: Staging, publication: Publication) -> None:
    """Keep what campaigns and enrollments name and no list returns: groups, content and people.

    They are marked removed, for KnowBe4 lists them no more, and come back to life if a list ever returns them.
    """
    campaigns, enrollments = staging.table(tables.CAMPAIGN), staging.table(tables.ENROLLMENT)
    content_type = CONTENT_TYPE.format(source="source", type="type")
    statements = [
        f"""
        INSERT INTO sync_group (account_id, knowbe4_id, name, group_type, status, first_seen_at, removed_at)
        SELECT DISTINCT ON (named.id) %(account)s::bigint, named.id, named.name, '', '', %(now)s::timestamptz,
               CASE WHEN named.id <> 0 THEN %(now)s::timestamptz END
        FROM {campaigns} s, LATERAL (
            SELECT (entry->>0)::bigint AS id, entry->>1 AS name FROM jsonb_array_elements(s.groups) entry
        ) named
        ORDER BY named.id, s.seq DESC
        ON CONFLICT (account_id, knowbe4_id) DO NOTHING
        """,
        # Postgres reads the many enrollments with several processes for a table of its own, never for an INSERT.
        "DROP TABLE IF EXISTS named_content, named_person",
        f"""
        CREATE TEMPORARY TABLE named_content ON COMMIT DROP AS
        SELECT source, store_purchase_id, module_name FROM {enrollments} GROUP BY 1, 2, 3
        """,
        f"""
        CREATE TEMPORARY TABLE named_person ON COMMIT DROP AS
        SELECT DISTINCT ON (user_id) user_id, user_email, user_first_name, user_last_name
        FROM {enrollments} s
        WHERE user_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM sync_person p WHERE p.account_id = %(account)s AND p.knowbe4_id = s.user_id)
        ORDER BY user_id, seq DESC
        """,
        f"""
        INSERT INTO sync_contentitem (account_id, source, knowbe4_id, name, reported_type, content_type, description,
                                      publisher, first_seen_at, removed_at)
        SELECT DISTINCT ON (source, knowbe4_id) %(account)s::bigint, source, knowbe4_id, name, type, {content_type},
               '', '', %(now)s::timestamptz, %(now)s::timestamptz
        FROM (
            SELECT entry->>0 AS source, (entry->>1)::bigint AS knowbe4_id, entry->>2 AS name, entry->>3 AS type
            FROM {campaigns} s, LATERAL jsonb_array_elements(s.content) entry
            UNION ALL
            SELECT 'store_purchase', store_purchase_id, min(module_name), ''
            FROM named_content WHERE store_purchase_id IS NOT NULL GROUP BY store_purchase_id
        ) named
        WHERE knowbe4_id IS NOT NULL
        ORDER BY source, knowbe4_id, type DESC
        ON CONFLICT (account_id, source, knowbe4_id) DO NOTHING
        """,
        # Policies come without an id: their name must do.
        """
        INSERT INTO sync_contentitem (account_id, source, name, reported_type, content_type, description, publisher,
                                      first_seen_at, removed_at)
        SELECT %(account)s::bigint, source, module_name, '',
               CASE source WHEN 'policy' THEN 'Policy' ELSE 'Other' END, '', '',
               %(now)s::timestamptz, %(now)s::timestamptz
        FROM named_content named
        WHERE store_purchase_id IS NULL AND NOT EXISTS (
            SELECT FROM sync_contentitem c
            WHERE c.account_id = %(account)s AND c.source = named.source AND c.name = named.module_name)
        """,
        """
        INSERT INTO sync_person (account_id, knowbe4_id, email, first_name, last_name, employee_number, job_title,
                                 location, division, organization, language, status, department_name, manager_name,
                                 manager_email, first_seen_at, removed_at)
        SELECT %(account)s, user_id, user_email, user_first_name, user_last_name, '', '',
               '', '', '', '', 'unlisted', '', '', '', %(now)s, %(now)s
        FROM named_person
        """,
    ]
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement, publication.parameters)


def _campaign_merge(staging: Staging) -> Merge:
    plain = (
        "name reported_status duration_type start_at end_at relative_duration relative_months relative_days "
        "auto_enroll allow_multiple_enrollments"
    )
    return Merge(
        model_table="sync_campaign",
        source=f"{staging.table(tables.CAMPAIGN)} s",
        key=(("knowbe4_id", "s.knowbe4_id"),),
        joins=f"LEFT JOIN {staging.table(tables.CAMPAIGN_PERCENTAGE)} p ON p.knowbe4_id = s.knowbe4_id",
        columns=(
            *(Column(name, f"s.{name}") for name in plain.split()),
            Column(
                "content_ids",
                """coalesce((
                    SELECT array_agg(DISTINCT i.id ORDER BY i.id) FROM jsonb_array_elements(s.content) entry
                    JOIN sync_contentitem i ON i.account_id = %(account)s AND i.source = entry->>0
                     AND i.knowbe4_id = (entry->>1)::bigint), '{}')""",
            ),
            Column(
                "group_ids",
                """coalesce((
                    SELECT array_agg(DISTINCT g.id ORDER BY g.id) FROM jsonb_array_elements(s.groups) entry
                    JOIN sync_group g ON g.account_id = %(account)s AND g.knowbe4_id = (entry->>0)::bigint), '{}')""",
            ),
            # Moves with every completion; ours is computed from the rows.
            Column(
                "completion_percentage", "coalesce(p.completion_percentage, m.completion_percentage)", tracked=False
            ),
        ),
        subject=Change.Subject.CAMPAIGN,
    )


def _enrollment_merge(staging: Staging, *, everything: bool) -> Merge:
    # CASE in a join's condition makes its key null where the join is not wanted: no hashing of long titles for nothing.
    return Merge(
        model_table="sync_enrollment",
        source=f"{staging.table(tables.ENROLLMENT)} s",
        key=(("knowbe4_id", "s.knowbe4_id"),),
        joins=f"""
            LEFT JOIN sync_person person ON person.account_id = %(account)s AND person.knowbe4_id = s.user_id
            LEFT JOIN {due_dates.CAMPAIGNS} c ON c.knowbe4_id = s.campaign_knowbe4_id
            LEFT JOIN sync_contentitem purchase ON purchase.account_id = %(account)s
                 AND purchase.source = 'store_purchase' AND purchase.knowbe4_id = s.store_purchase_id
            LEFT JOIN (
                SELECT DISTINCT ON (campaign.id, item.source, item.name)
                       campaign.id AS campaign_id, item.id, item.source, item.name
                FROM sync_campaign campaign JOIN sync_contentitem item ON item.id = ANY(campaign.content_ids)
                WHERE campaign.account_id = %(account)s
                ORDER BY campaign.id, item.source, item.name, item.id
            ) own ON own.campaign_id = CASE WHEN s.store_purchase_id IS NULL THEN c.id END
                 AND own.name = s.module_name AND own.source = s.source
            LEFT JOIN (
                SELECT DISTINCT ON (source, name) id, source, name FROM sync_contentitem
                WHERE account_id = %(account)s
                ORDER BY source, name, removed_at IS NOT NULL, id
            ) named ON named.name = CASE WHEN s.store_purchase_id IS NULL THEN s.module_name END
                 AND named.source = s.source
            {due_dates.JOINS}
        """,
        columns=(
            # A row that lost its user is still that person's.
            Column("person_id", "coalesce(person.id, m.person_id)"),
            Column("campaign_id", "c.id"),
            Column("content_id", "coalesce(purchase.id, own.id, named.id)"),
            Column("reported_status", "s.reported_status"),
            Column("enrolled_at", "s.enrolled_at"),
            Column("started_at", due_dates.STARTED_AT),
            Column("completed_at", due_dates.COMPLETED_AT),
            Column("is_completion_observed", due_dates.IS_COMPLETION_OBSERVED),
            Column("time_spent", "s.time_spent"),
            Column("policy_acknowledged", "s.policy_acknowledged"),
            # KnowBe4 sends scores only to requests for one campaign: a list without them says nothing against them.
            Column("score", f"CASE WHEN {due_dates.DONE} THEN coalesce(s.score, m.score) END", tracked=False),
            Column("due_at", due_dates.DUE_AT),
            Column("due_source", due_dates.DUE_SOURCE),
            Column("due_after", due_dates.DUE_AFTER, tracked=False),
            Column("original_due_at", due_dates.ORIGINAL_DUE_AT, tracked=False),
        ),
        subject=Change.Subject.ENROLLMENT,
        covers="true"
        if everything
        else "m.campaign_id IN (SELECT id FROM sync_campaign WHERE account_id = %(account)s"
        # Campaigns that are listed no more were not asked for, and take their enrollments with them.
        " AND (knowbe4_id = ANY(%(campaigns)s) OR removed_at IS NOT NULL))",
    )
