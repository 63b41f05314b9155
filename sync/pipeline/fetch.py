"""Reading KnowBe4 into the staging area, page by page, from where the last attempt stopped."""

import logging
from dataclasses import replace
from operator import itemgetter
from typing import Any

from sync.knowbe4 import payloads
from sync.knowbe4.client import Client
from sync.knowbe4.errors import NotFound, PositionLost
from sync.models import Account, SyncRun
from sync.pipeline.check import KEYS
from sync.pipeline.lists import ACCOUNT, ReadList, first_lists, later_lists
from sync.pipeline.plan import Plan
from sync.pipeline.progress import BEAT_EVERY, Progress
from sync.pipeline.reading_ahead import read_ahead
from sync.pipeline.staging import AGAIN, ListProgress, StagedPage, Staging

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
    with staging.not_waiting_for_the_disk():
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
        is_whole = _read_pages(wanted, client, staging, progress, before)
    except PositionLost:
        logger.warning("KnowBe4 no longer knows the position in %s: reading it again from its start", wanted.key)
        before = replace(_so_far(wanted, staging), next=None)
        is_whole = _read_pages(wanted, client, staging, progress, before)
    except NotFound:
        if not wanted.is_of_one:
            raise
        # Deleted since it was listed, or so KnowBe4 says: there is nothing to read, and nothing to conclude from that.
        logger.warning("KnowBe4 lists what %s belongs to, but does not have it", wanted.key)
        number = _so_far(wanted, staging).pages + 1
        staging.add_page(
            wanted.key, wanted.table, [], number=number, next_position=None, count=0, requests=1, is_doubtful=True
        )
        is_whole = True
    if not is_whole:
        logger.warning("rows of %s moved from page to page while it was read: reading it once more", wanted.key)
        _read_pages(wanted, client, staging, progress, _so_far(wanted, staging))
    progress.done(wanted)


def _so_far(wanted: ReadList, staging: Staging) -> ListProgress:
    return staging.progress().get(wanted.key, _NOT_BEGUN)


def _read_pages(wanted: ReadList, client: Client, staging: Staging, progress: Progress, before: ListProgress) -> bool:
    """Stage the list's pages from where `before` ended, and return whether that will do.

    Rows read twice are merged by the checks, the last wins. A page that begins with rows of the page before tells that
    rows move while they are read, and that others may have slipped through between two pages: then the list is to be
    read once more (not a third time), and what neither reading holds has not vanished for that.
    """
    number = before.pages
    start = None if before.next == AGAIN else before.next
    pages = client.pages(wanted.resource, params=wanted.params, path_args=wanted.path_args, start=start)
    identity = itemgetter(*(wanted.table.column_names.index(name) for name in KEYS[wanted.table]))
    has_moved, last_page = before.is_doubtful, set[Any]()
    for waiting in read_ahead(pages, every=BEAT_EVERY, meanwhile=progress.write):
        staged = []
        for page in waiting:
            number += 1
            rejected = [(row.reason, row.raw) for row in page.rejected]
            items = page.items
            if wanted.resource.payload is payloads.Enrollment:
                items, undated = _split_undated(items)
                rejected += undated
            rows = [wanted.table.row(item, wanted.key) for item in items]
            keys = set(map(identity, rows))
            is_doubtful = not keys.isdisjoint(last_page)
            has_moved, last_page = has_moved or is_doubtful, keys
            is_again = page.next is None and has_moved and not before.is_second
            position = AGAIN if is_again else page.next
            staged.append(StagedPage(number, rows, position, len(items), rejected, page.requests, is_doubtful))
        staging.add_pages(wanted.key, wanted.table, staged)
        for entry in staged:
            if entry.rejected:
                logger.warning("%d rows of %s did not decode and are set aside", len(entry.rejected), wanted.key)
            progress.page(wanted, rows=entry.count, rejected=len(entry.rejected), requests=entry.requests)
    return before.is_second or not has_moved


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
