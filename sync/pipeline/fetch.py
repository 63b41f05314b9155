"""Reading KnowBe4 into the staging area, page by page, from where the last attempt stopped."""

import logging
from dataclasses import replace

from sync.knowbe4 import payloads, resources
from sync.knowbe4.client import Client
from sync.knowbe4.errors import NotFound, PositionLost
from sync.models import Account, SyncRun
from sync.pipeline.lists import ACCOUNT, ReadList, first_lists, later_lists
from sync.pipeline.plan import Plan
from sync.pipeline.progress import BEAT_EVERY, Progress
from sync.pipeline.reading_ahead import read_ahead
from sync.pipeline.staging import ListProgress, Staging

logger = logging.getLogger(__name__)

# A host that does not even answer this is told at once; one that has answered deserves patience.
FIRST_CONTACT_ATTEMPTS, FIRST_CONTACT_WAIT = 4, 8.0

_NOT_BEGUN = ListProgress(pages=0, rows=0, rejected=0, requests=0, next=None)


def fetch(
    account: Account, run: SyncRun, plan: Plan, client: Client, staging: Staging, progress: Progress
) -> list[ReadList]:
    """Read every list of the plan that is not yet read whole, and return all of them.

    Errors of the client pass through; what was read stays staged.
    """
    done = staging.progress()
    first = first_lists(plan)
    progress.begin(first, done)
    for wanted in first:
        _read(wanted, client, staging, progress, done.get(wanted.key, _NOT_BEGUN))
    later = later_lists(plan, account, staging, now=run.started_at)
    progress.begin(later, done)
    for wanted in later:
        _read(wanted, client, staging, progress, done.get(wanted.key, _NOT_BEGUN))
    return [*first, *later]


def lists_of(account: Account, run: SyncRun, plan: Plan, staging: Staging) -> list[ReadList]:
    """Return every list that the run set out to read, once its first lists are staged."""
    return [*first_lists(plan), *later_lists(plan, account, staging, now=run.started_at)]


def _read(wanted: ReadList, client: Client, staging: Staging, progress: Progress, before: ListProgress) -> None:
    if before.is_done:
        return
    progress.reading(wanted)
    if wanted is ACCOUNT:
        _read_account(client, staging, progress)
        return
    try:
        _read_pages(wanted, client, staging, progress, before)
    except PositionLost:
        logger.warning("KnowBe4 no longer knows the position in %s: reading it again from its start", wanted.key)
        _read_pages(wanted, client, staging, progress, replace(before, pages=_pages(wanted, staging), next=None))
    except NotFound:
        if wanted.resource is not resources.RECIPIENTS:
            raise
        # The test was deleted since it was listed: it has no results to read any more.
        staging.add_page(wanted.key, wanted.table, [], number=_pages(wanted, staging) + 1, next_position=None, count=0)
    progress.done(wanted)


def _pages(wanted: ReadList, staging: Staging) -> int:
    return staging.progress().get(wanted.key, _NOT_BEGUN).pages


def _read_pages(wanted: ReadList, client: Client, staging: Staging, progress: Progress, before: ListProgress) -> None:
    """Stage the list's pages from where `before` ended. Rows read twice are merged by the checks, the last wins."""
    number = before.pages
    pages = client.pages(wanted.resource, params=wanted.params, path_args=wanted.path_args, start=before.next)
    for page in read_ahead(pages, every=BEAT_EVERY, meanwhile=progress.write):
        number += 1
        rejected = [(row.reason, row.raw) for row in page.rejected]
        items = page.items
        if wanted.resource.payload is payloads.Enrollment:
            items, undated = _split_undated(items)
            rejected += undated
        staging.add_page(
            wanted.key,
            wanted.table,
            (wanted.table.row(item, wanted.key) for item in items),
            number=number,
            next_position=page.next,
            count=len(items),
            rejected=rejected,
            requests=page.requests,
        )
        if rejected:
            logger.warning("%d rows of %s did not decode and are set aside", len(rejected), wanted.key)
        progress.page(wanted, rows=len(items), rejected=len(rejected), requests=page.requests)


def _split_undated(
    items: list[payloads.Enrollment],
) -> tuple[list[payloads.Enrollment], list[tuple[str, str]]]:
    """Set aside enrollments without an enrollment date: no state at any time can be computed for them."""
    undated = [
        (f"Enrollment {item.enrollment_id} has no enrollment_date", f'{{"enrollment_id":{item.enrollment_id}}}')
        for item in items
        if item.enrollment_date is None
    ]
    return ([item for item in items if item.enrollment_date is not None] if undated else items), undated


def _read_account(client: Client, staging: Staging, progress: Progress) -> None:
    before, patient = client.requests_made, client.retry
    client.retry = replace(
        patient,
        attempts=min(patient.attempts, FIRST_CONTACT_ATTEMPTS),
        max_wait=min(patient.max_wait, FIRST_CONTACT_WAIT),
    )
    try:
        payload = client.get(ACCOUNT.resource)
    finally:
        client.retry = patient
    requests = client.requests_made - before
    staging.add_page(
        ACCOUNT.key,
        ACCOUNT.table,
        [ACCOUNT.table.row(payload, ACCOUNT.key)],
        number=1,
        next_position=None,
        count=1,
        requests=requests,
    )
    progress.page(ACCOUNT, rows=1, rejected=0, requests=requests)
    progress.done(ACCOUNT)
