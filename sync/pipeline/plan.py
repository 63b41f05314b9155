"""Plan of a run, made before its first request: KnowBe4 has no "changed since", so requests are the budget.

A *full* pass reads everything; it is the first, comes every night, and alone may conclude that an enrollment outside
the campaigns it read has vanished. A *quick* pass reads people and campaigns, and enrollments only where change is
likely: of campaigns that run, or closed lately. A tenth of the day's allowance is kept in reserve.
"""

from dataclasses import asdict, dataclass, field
from datetime import datetime, time, timedelta
from math import ceil
from typing import Any

from django.db.models import QuerySet

from sync.models import Account, Campaign, Enrollment, Person, PhishingTest, SyncRun

PAGE = 500
PERCENTAGES_PAGE = 10
RESERVE_SHARE = 0.10
# People finish late for some weeks after a campaign has closed, where it lets them.
RECENTLY_CLOSED = timedelta(days=30)
# Results still come in while a phishing test runs, and late reports for some weeks after.
RECENT_TEST = timedelta(days=60)
# The full pass comes with the first sync after this hour, when few people train.
NIGHT = time(2, 0)
# Requests of the lists that are always read and always small: account, groups, content, phishing campaigns and tests
# (callback tests are a list of their own).
SMALL_LISTS = 9

ENDED_WORDS = ("completed", "closed", "cancelled", "canceled")


@dataclass(frozen=True)
class Allowance:
    """The day's requests: how many there are (None: no limit), how many were made, and when the day ends."""

    limit: int | None
    used: int
    resets_at: datetime | None

    @property
    def reserve(self) -> int:
        """Requests kept back for what a person starts by hand and for tomorrow's surprises."""
        return ceil((self.limit or 0) * RESERVE_SHARE)

    @property
    def spendable(self) -> int | None:
        """Requests a run may plan with now; None without a limit."""
        return None if self.limit is None else max(0, self.limit - self.used - self.reserve)


@dataclass(frozen=True)
class Plan:
    """A run's lists and what they are expected to cost.

    `campaign_ids` are KnowBe4's ids of the campaigns whose enrollments are read one by one; None means that the whole
    list is read. `with_older_results`: the results of closed tests that were never read come too. `skipped` says in
    words what the allowance did not reach for.
    """

    kind: SyncRun.Kind
    campaign_ids: list[int] | None
    with_percentages: bool
    with_results: bool
    with_older_results: bool = False
    requests: dict[str, int] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    limit: int | None = None
    used: int = 0
    reserve: int = 0

    @property
    def total(self) -> int:
        """Requests in all."""
        return sum(self.requests.values())

    def as_json(self) -> dict[str, Any]:
        """Return the plan for `SyncRun.plan`."""
        return {**asdict(self), "kind": str(self.kind), "total": self.total}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Plan":
        """Return the plan that `as_json` stored."""
        known = {name: value for name, value in stored.items() if name in cls.__dataclass_fields__}
        return cls(**{**known, "kind": SyncRun.Kind(stored["kind"])})


def plan(account: Account, *, allowance: Allowance, full: bool, now: datetime) -> Plan:
    """Return the widest plan that fits the allowance: full if asked for or due, else quick; cut down if it must be."""
    wants_full = full or is_full_due(account, now=now)
    skipped: list[str] = []
    for candidate in _candidates(full=wants_full, is_first=account.published_at is None):
        fitting = _plan(account, allowance, **candidate, skipped=skipped, now=now)
        if allowance.spendable is None or fitting.total <= allowance.spendable:
            return fitting
        left = f"{allowance.spendable:,} are left today"
        if candidate["older_results"]:
            skipped.append(f"older phishing results wait: they would take it to {fitting.total:,} requests, {left}")
        elif candidate["full"]:
            skipped.append(f"the full pass waits: it needs {fitting.total:,} requests, {left}")
        else:
            skipped.append(f"phishing results wait: with them it needs {fitting.total:,} requests, {left}")
    # Nothing fits: the narrowest plan reads as far as it gets and goes on when the window opens.
    return fitting


def _candidates(*, full: bool, is_first: bool) -> list[dict[str, bool]]:
    """Return what a run may set out to do, widest first.

    A first sync reads everything but old phishing results: people wait for its pages. Those follow in the next full
    pass that has requests to spare.
    """
    wide = {"full": True, "results": True, "older_results": False}
    if is_first:
        return [wide]
    quick = [{**wide, "full": False}, {"full": False, "results": False, "older_results": False}]
    return [{**wide, "older_results": True}, wide, *quick] if full else quick


def is_full_due(account: Account, *, now: datetime) -> bool:
    """Return whether the account was never read whole, or not since 02:00 of its own day."""
    if account.published_at is None:
        return True
    local = now.astimezone(account.zone)
    night = datetime.combine(local.date(), NIGHT, tzinfo=account.zone)
    if local < night:
        night -= timedelta(days=1)
    return not account.runs.filter(
        kind=SyncRun.Kind.FULL, state=SyncRun.State.PUBLISHED, started_at__range=(night, now)
    ).exists()


def _plan(
    account: Account,
    allowance: Allowance,
    *,
    full: bool,
    results: bool,
    older_results: bool,
    skipped: list[str],
    now: datetime,
) -> Plan:
    enrollments = Enrollment.objects.filter(account=account, removed_at=None)
    whole = _pages(enrollments.count())
    chosen: list[int] | None = None
    cost = whole
    if not full:
        likely = likely_to_change(account, now=now)
        by_one = sum(_pages(rows) for rows in likely.values())
        # Where nearly everything may change, one whole list is cheaper, and it alone can tell what vanished.
        if by_one < whole:
            chosen, cost = sorted(likely), by_one
    tests = PhishingTest.objects.filter(account=account, removed_at=None, started_at__isnull=False)
    recent = tests.filter(started_at__gt=now - RECENT_TEST)
    never_read = tests.filter(started_at__lte=now - RECENT_TEST, results=None)
    people = Person.objects.filter(account=account, removed_at=None)
    campaigns = Campaign.objects.filter(account=account, removed_at=None)
    requests = {
        "small lists": SMALL_LISTS,
        "people": _pages(people.filter(status="active").count()) + _pages(people.filter(status="archived").count()),
        "campaigns": _pages(campaigns.count()),
        "enrollments": cost,
    }
    if full:
        requests["KnowBe4's own rates"] = ceil(campaigns.count() / PERCENTAGES_PAGE) + 1
    if results:
        requests["phishing results"] = _result_pages(recent)
    if older_results:
        requests["older phishing results"] = _result_pages(never_read)
    return Plan(
        kind=SyncRun.Kind.FULL if full else SyncRun.Kind.QUICK,
        campaign_ids=chosen,
        with_percentages=full,
        with_results=results,
        with_older_results=older_results,
        requests=requests,
        skipped=list(skipped),
        limit=allowance.limit,
        used=allowance.used,
        reserve=allowance.reserve,
    )


def likely_to_change(account: Account, *, now: datetime) -> dict[int, int]:
    """Return the campaigns that run or closed lately, by KnowBe4's id, with how many enrollments each has.

    Campaigns that KnowBe4 lists for the first time are not among them: the run adds those as it finds them.
    """
    rows: dict[int, int] = {}
    campaigns = Campaign.objects.filter(account=account, removed_at=None)
    for campaign in campaigns.only("knowbe4_id", "reported_status", "end_at"):
        ended = campaign.reported_status.lower() in ENDED_WORDS
        if not ended or (campaign.end_at is not None and campaign.end_at > now - RECENTLY_CLOSED):
            rows[campaign.knowbe4_id] = Enrollment.objects.filter(campaign=campaign, removed_at=None).count()
    return rows


def _result_pages(tests: QuerySet[PhishingTest]) -> int:
    return sum(_pages(count or 0) for count in tests.values_list("delivered_count", flat=True))


def _pages(rows: int) -> int:
    """Return how many requests a list takes: at least one, for only an answer tells that it is empty."""
    return max(1, ceil(rows / PAGE))
