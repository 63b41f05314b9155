"""One fill: an account of its own, a run as a first sync leaves it, and the pipeline's own check and publish.

Only the reading differs from a sync: every row is staged as the pipeline would stage it, so what is published is what
a first sync of the same company publishes.
"""

from collections.abc import Callable, Iterator
from datetime import datetime

from django.utils import timezone

from sync.filling import enrollments
from sync.filling.lists import World
from sync.filling.size import Size
from sync.models import Account, Enrollment, SyncRun
from sync.pipeline.check import check
from sync.pipeline.lists import ENROLLMENTS, ReadList, first_lists, later_lists
from sync.pipeline.plan import Allowance, Plan, plan
from sync.pipeline.progress import Progress
from sync.pipeline.publish import publish
from sync.pipeline.run import locked
from sync.pipeline.staging import Staging
from sync.pipeline.tables import Row
from sync.simulator import Company

NAME = "Filled"
_NO_LIMIT = Allowance(limit=None, used=0, resets_at=None)


class NotFillableError(Exception):
    """The account belongs to somebody else, or is full already."""


def fill(
    size: Size,
    *,
    name: str = NAME,
    at: datetime | None = None,
    say: Callable[[str], None] = lambda sentence: None,
) -> SyncRun:
    """Make the account `name` with the company of that size as it stands at `at` and return its published run.

    Without `at` it is now; with it, that is the moment of publication, too. Rollups are built as after any publish.
    NotFillableError when the account holds anything but an earlier fill that did not end; ValueError when there are
    too few people to make a company.
    """

    def now() -> datetime:
        return at or timezone.now()

    company = size.company()
    account = _account(name, now=now())
    with locked(account):
        read_at = at or now().replace(microsecond=0)
        say(f"Inventing {size.people:,} people and about {size.enrollments:,} enrollments ...")
        company.enrollment_count(read_at)
        decided = plan(account, allowance=_NO_LIMIT, full=True, now=read_at)
        run = SyncRun.objects.create(
            account=account,
            kind=decided.kind,
            plan=decided.as_json(),
            trigger=SyncRun.Trigger.COMMAND,
            state=SyncRun.State.RUNNING,
            phase=SyncRun.Phase.FETCH,
            started_at=read_at,
            heartbeat_at=read_at,
        )
        staging = Staging(account.pk)
        staging.create(run.pk)
        progress = Progress(run, expected={}, now=now)
        say("Staging ...")
        lists = _stage_all(account, decided, company, staging, progress, read_at)
        progress.phase(SyncRun.Phase.CHECK)
        report = check(account, staging, lists, campaigns_read=None)
        if report.reasons:
            raise NotFillableError(f"The checks would hold this company: {'; '.join(report.reasons)}.")
        say("Publishing ...")
        progress.phase(SyncRun.Phase.PUBLISH)
        publish(account, run, staging, now=now())
    return run


def _account(name: str, *, now: datetime) -> Account:
    """Return the account to fill: a new one, or one whose fill did not end."""
    account = Account.objects.filter(name=name).first()
    if account is None:
        return Account.objects.create(
            name=name,
            is_sync_enabled=False,
            requests_per_second=None,
            requests_per_minute=None,
            requests_per_day=None,
        )
    runs = account.runs.exclude(kind=SyncRun.Kind.FULL, trigger=SyncRun.Trigger.COMMAND, requests_made=0)
    if bytes(account.encrypted_key) or runs.exists():
        raise NotFillableError(
            f"{name} was synced from KnowBe4 or imported: fill writes only to an account of its own. "
            "Give another name with --account."
        )
    if account.published_at:
        count = Enrollment.objects.filter(account=account).count()
        raise NotFillableError(
            f"{name} holds {count:,} enrollments already, and nothing is ever deleted. "
            "Give another name with --account."
        )
    account.runs.filter(state=SyncRun.State.RUNNING).update(
        state=SyncRun.State.FAILED, finished_at=now, message="The fill was cut short."
    )
    return account


def _stage_all(
    account: Account, decided: Plan, company: Company, staging: Staging, progress: Progress, at: datetime
) -> list[ReadList]:
    """Stage every list that a first sync reads, and return them."""
    world = World(company, at)
    with staging.not_waiting_for_the_disk():
        first = first_lists(decided)
        progress.begin(first, {})
        for wanted in first:
            _stage(wanted, world.pages(wanted), staging, progress)
        later = later_lists(decided, account, staging, now=at)
        progress.begin(later, {})
        for wanted in later:
            pages = enrollments.blocks(company, at) if wanted == ENROLLMENTS else world.pages(wanted)
            _stage(wanted, pages, staging, progress)
    return [*first, *later]


def _stage(wanted: ReadList, pages: Iterator[list[Row]], staging: Staging, progress: Progress) -> None:
    """Stage a list block by block; one block is held back, for only the last one names no following one."""
    progress.reading(wanted)
    block = next(pages, [])
    number = 1
    while True:
        following = next(pages, None)
        staging.add_page(
            wanted.key,
            wanted.table,
            block,
            number=number,
            next_position=None if following is None else str(number + 1),
            count=len(block),
        )
        progress.page(wanted, rows=len(block), rejected=0, requests=0)
        if following is None:
            break
        block, number = following, number + 1
    progress.done(wanted)
