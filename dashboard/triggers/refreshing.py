"""Keeping inferred triggers up to date: inside publish, reading little and writing only what differs."""

from collections.abc import Collection, Iterable

from django.db import connection
from django.db.models import CharField, Expression, F, Value
from django.db.models.functions import Coalesce, NullIf

from dashboard.models import InferredTrigger, Trigger
from dashboard.models.settings import ALL_USERS
from dashboard.triggers.inference import Inference, Share, by_people, by_plan, by_words
from dashboard.triggers.recurrence import cadences, stem
from sync.models import Account, Campaign, Group, PhishingTest, SyncRun

# Enrollments looked at per campaign, and people among them. Which campaign enrolled whom for what shows in a few
# dozen; a million enrollments need not be read for it.
SAMPLED_ROWS = 150
SAMPLED_PEOPLE = 50
BY_PEOPLE = (InferredTrigger.Rule.FAILED_TEST, InferredTrigger.Rule.START_DATE)


def effective_trigger() -> Expression:
    """Return a campaign's trigger as an expression on `Campaign`: the chosen, else the inferred one, else unknown."""
    return Coalesce(
        NullIf(F("setting__trigger"), Value("")),
        F("inferred_trigger__trigger"),
        Value(Trigger.UNKNOWN.value),
        output_field=CharField(),
    )


def refresh(account: Account, *, run: SyncRun | None = None) -> int:
    """Infer the account's triggers anew and return how many changed; belongs into publish's transaction.

    With the `run` being published, people are looked at only for campaigns that it brought enrollments for or that ran
    when a phishing test it read was sent; for the others what was found stands. Without a run all are looked at.
    """
    known = {row.campaign_id: row for row in InferredTrigger.objects.filter(account=account)}
    campaigns = list(
        Campaign.objects.filter(account=account)
        .only("pk", "name", "auto_enroll", "group_ids", "start_at", "end_at")
        .order_by("pk")
    )
    groups = _group_names(account)
    audiences = {c.pk: [groups[pk] for pk in c.group_ids if pk in groups] for c in campaigns}
    recurring = cadences((campaign.name, campaign.start_at) for campaign in campaigns)
    newest = _newest_enrollments(account, known.values(), run)
    told = {campaign.pk: by_words(campaign.name, audiences[campaign.pk]) for campaign in campaigns}
    looked_at = {c.pk for c in campaigns if c.pk not in known or c.pk in newest or run is None}
    if run is not None:
        looked_at |= _running_at_tests(account, run, campaigns)
    shares = _shares(account, [pk for pk in looked_at if told[pk] is None])

    rows = []
    for campaign in campaigns:
        before = known.get(campaign.pk)
        found = told[campaign.pk] or _of_people(campaign.pk, shares, before)
        if found is None:
            found = by_plan(
                auto_enroll=bool(campaign.auto_enroll),
                groups=audiences[campaign.pk],
                cadence=recurring.get(stem(campaign.name)),
            )
        newest_id = max(newest.get(campaign.pk, 0), before.newest_enrollment_id if before else 0)
        values = (found.trigger, found.rule, found.evidence, newest_id)
        if before is None or values != (before.trigger, before.rule, before.evidence, before.newest_enrollment_id):
            rows.append(
                InferredTrigger(
                    account=account,
                    campaign=campaign,
                    trigger=found.trigger,
                    rule=found.rule,
                    evidence=found.evidence,
                    newest_enrollment_id=newest_id,
                )
            )
    InferredTrigger.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["campaign"],
        update_fields=["trigger", "rule", "evidence", "newest_enrollment_id"],
    )
    return sum(row.campaign_id not in known or known[row.campaign_id].trigger != row.trigger for row in rows)


def _group_names(account: Account) -> dict[int, str]:
    """Return the account's groups by key, without "All Users"."""
    groups = Group.objects.filter(account=account).exclude(knowbe4_id=ALL_USERS)
    return dict(groups.values_list("pk", "name"))


def _of_people(pk: int, shares: dict[int, tuple[Share, Share]], before: InferredTrigger | None) -> Inference | None:
    """Return what a campaign's people tell: those looked at now, or, where nobody was, those looked at before."""
    if pk in shares:
        return by_people(*shares[pk])
    if before is not None and before.rule in BY_PEOPLE:
        return Inference(Trigger(before.trigger), InferredTrigger.Rule(before.rule), before.evidence)
    return None


def _newest_enrollments(account: Account, known: Iterable[InferredTrigger], run: SyncRun | None) -> dict[int, int]:
    """Return the newest enrollment of each campaign that has one not looked at yet.

    Keys grow with each publish, so the primary key's index finds the new rows among a million.
    """
    if run is not None and run.counts.get("enrollment", {}).get("inserted") == 0:
        return {}
    seen = max((row.newest_enrollment_id for row in known), default=0)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT campaign_id, max(id) FROM sync_enrollment
            WHERE id > %(seen)s AND account_id = %(account)s AND campaign_id IS NOT NULL
            GROUP BY campaign_id
            """,
            {"seen": seen, "account": account.pk},
        )
        return dict(cursor.fetchall())


def _running_at_tests(account: Account, run: SyncRun, campaigns: Collection[Campaign]) -> set[int]:
    """Return the campaigns that ran when the oldest test whose results the run read was sent, or later.

    Results of old tests come nights after the first sync; they tell something of campaigns of long ago.
    """
    tests = [int(key.partition(":")[2]) for key in run.resources if key.startswith("recipients:")]
    started = PhishingTest.objects.filter(account=account, knowbe4_id__in=tests, started_at__isnull=False)
    oldest = started.order_by("started_at", "pk").values_list("started_at", flat=True).first()
    if oldest is None:
        return set()
    return {campaign.pk for campaign in campaigns if campaign.end_at is None or campaign.end_at >= oldest}


def _shares(account: Account, campaigns: list[int]) -> dict[int, tuple[Share, Share]]:
    """Return, for each campaign, how many of some of its people were enrolled after a failed test, and after starting.

    Raw SQL for the LATERAL join: it stops at the first few hundred enrollments of each campaign. Which these are is
    left to the index; what makes a campaign enroll people is the same for most of them. A campaign that enrolled
    nobody is missing.
    """
    if not campaigns:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH sampled AS MATERIALIZED (
                SELECT wanted.id AS campaign_id, first_people.*
                FROM unnest(%(campaigns)s::bigint[]) AS wanted (id)
                CROSS JOIN LATERAL (
                    SELECT DISTINCT person_id, enrolled_at FROM (
                        SELECT person_id, enrolled_at FROM sync_enrollment
                        WHERE campaign_id = wanted.id AND person_id IS NOT NULL
                        LIMIT %(rows)s
                    ) first_rows
                    LIMIT %(people)s
                ) first_people
            ), failed AS (
                SELECT DISTINCT s.campaign_id, s.person_id, s.enrolled_at
                FROM sampled s JOIN sync_phishingresult r ON r.person_id = s.person_id
                WHERE r.failed_at BETWEEN s.enrolled_at - interval '14 days' AND s.enrolled_at
            )
            SELECT s.campaign_id, count(*), count(f.person_id), count(*) FILTER (
                WHERE (s.enrolled_at AT TIME ZONE %(zone)s)::date - p.employee_start_date BETWEEN 0 AND 30
            )
            FROM sampled s
            JOIN sync_person p ON p.id = s.person_id
            LEFT JOIN failed f USING (campaign_id, person_id, enrolled_at)
            GROUP BY s.campaign_id
            """,
            {
                "campaigns": campaigns,
                "zone": account.time_zone,
                "rows": SAMPLED_ROWS,
                "people": SAMPLED_PEOPLE,
            },
        )
        return {
            campaign: (Share(after_failure, people), Share(after_start, people))
            for campaign, people, after_failure, after_start in cursor.fetchall()
        }
