"""Enrollments, straight from the company's ledger: a million rows are too many to write as JSON and read again."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from sync.knowbe4 import payloads
from sync.pipeline.due_dates import standing
from sync.pipeline.lists import ENROLLMENTS
from sync.pipeline.tables import Row
from sync.simulator import Company
from sync.simulator.campaigns import Campaign
from sync.simulator.catalog import Content
from sync.simulator.organization import Person
from sync.simulator.snapshot import person_id
from sync.simulator.timestamps import NEVER, moment, moment_or_none, seconds

BLOCK = 20_000
"""Rows staged at a time: the memory a fill needs beside the company itself."""

_COLUMNS = ENROLLMENTS.table.column_names
# Columns that a campaign's content fills alike in all its rows, and those that a person fills.
_UNIT = slice(_COLUMNS.index("campaign_knowbe4_id"), _COLUMNS.index("module_name") + 1)
_USER = slice(_COLUMNS.index("user_id"), _COLUMNS.index("user_last_name") + 1)


def blocks(company: Company, at: datetime) -> Iterator[list[Row]]:
    """Yield every enrollment KnowBe4 would return at `at` as it is staged, in blocks."""
    rows = _rows(company, at)
    while block := list(islice(rows, BLOCK)):
        yield block


def _rows(company: Company, at: datetime) -> Iterator[Row]:
    ledger, second = company.ledger, seconds(at)
    company.reach(second)
    users = [_user(person, second) for person in company.staff(second)]
    units = [_unit(campaign, content) for campaign, content in ledger.units]
    is_policy = [content.is_policy for _, content in ledger.units]
    done = [(content.done, standing(content.done)) for _, content in ledger.units]
    specials, leave = ledger.specials, company.organization.leave
    for ordinal in ledger.living(second):
        unit, person = ledger.unit[ordinal], ledger.person[ordinal]
        started, completed, spent = ledger.started[ordinal], ledger.completed[ordinal], ledger.spent[ordinal]
        if completed <= second and leave[person] > second and ordinal not in specials:
            # Done for good, as most are: nothing to work out.
            words = done[unit]
        else:
            state = ledger.state(ordinal, second)
            started, completed, spent = state.started, state.completed, state.spent
            words = state.status, standing(state.status)
        yield (
            ledger.id_of(ordinal),
            *units[unit],
            *users[person],
            *words,
            moment(ledger.enrolled[ordinal]),
            moment_or_none(started),
            moment_or_none(completed),
            spent,
            is_policy[unit] and completed < NEVER,
            # KnowBe4 sends scores only to requests for one campaign.
            None,
        )


def _unit(campaign: Campaign, content: Content) -> Row:
    """Return the columns that all enrollments in one content item of one campaign share."""
    item = payloads.Enrollment(
        enrollment_id=0,
        content_type="Uploaded Policy" if content.is_policy else "Store Purchase",
        module_name=content.name,
        campaign_name=campaign.name,
        campaign_id=campaign.campaign_id,
        store_purchase_id=None if content.is_policy else content.content_id,
        status="",
    )
    return ENROLLMENTS.table.row(item, ENROLLMENTS.key)[_UNIT]


def _user(person: Person, second: int) -> Row:
    """Return the columns that tell whose an enrollment is."""
    identity = person.identity(second)
    user = payloads.EnrolledUser(
        person_id(person.index), identity.first_name, identity.last_name, identity.email, person.employee_number
    )
    item = payloads.Enrollment(enrollment_id=0, user=user, status="")
    return ENROLLMENTS.table.row(item, ENROLLMENTS.key)[_USER]
