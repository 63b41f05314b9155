"""Enrollments as bytes, written once and kept until they change.

A list of a million rows is read in pages over and over; only what moved on since the last reading is written again.
"""

from array import array
from typing import NamedTuple

from .campaigns import Campaign
from .catalog import Content
from .company import Company
from .serializers import encode
from .snapshot import person_id
from .timestamps import NEVER, stamp

BLOCK = 500


class Flags(NamedTuple):
    """Optional fields of a row."""

    campaign: bool = False
    purchase: bool = False
    employee: bool = False
    score: bool = False


FULL = Flags(True, True, True, False)
"""Fields that a sync asks for; rows of this form are kept."""


class Rows:
    """Writes enrollments of a company. Use it under the company's lock."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._ledger = company.ledger
        self._organization = company.organization
        self._kept: list[bytes | None] = []
        self._since = array("q")
        self._until = array("q")
        self._block_since: list[int] = []
        self._block_until: list[int] = []
        self._users: dict[tuple[int, bool], list[tuple[int, bytes]]] = {}
        self._settled_users: dict[int, bytes] = {}
        self._settled_units: dict[int, tuple[bytes, bytes, bytes, bytes]] = {}
        self._units: dict[tuple[int, Flags], tuple[bytes, bytes]] = {}

    def fast_page(self, first: int, size: int, second: int) -> tuple[bytes, int | None]:
        """Return the joined rows of a page in full form, and the place after it; None when nothing follows."""
        end = self._ledger.count(second)
        place = first
        found: list[bytes] = []
        while place < end and len(found) < size:
            stop = min(end, place + size - len(found))
            self._refresh(place, stop, second)
            found += [row for row in self._kept[place:stop] if row]
            place = stop
        return b",".join(found), place if place < end and self._any_left(place, end, second) else None

    def warm(self, second: int) -> None:
        """Write all rows as they stand at `second`."""
        count = self._ledger.count(second)
        if count:
            self._refresh(0, count, second)

    def _any_left(self, place: int, end: int, second: int) -> bool:
        return any(self._ledger.exists(ordinal, second) for ordinal in range(place, end))

    def _refresh(self, first: int, stop: int, second: int) -> None:
        """Write again what does not hold at `second` in the blocks of [first, stop). A removed row is empty."""
        total = len(self._ledger.person)
        if len(self._kept) < total:
            missing = total - len(self._kept)
            if len(self._kept) % BLOCK:
                self._block_until[-1] = 0
            self._kept += [None] * missing
            self._since.extend([0] * missing)
            self._until.extend([0] * missing)
            blocks = (total + BLOCK - 1) // BLOCK - len(self._block_since)
            self._block_since += [0] * blocks
            self._block_until += [0] * blocks
        for block in range(first // BLOCK, (stop - 1) // BLOCK + 1):
            if not self._block_since[block] <= second < self._block_until[block]:
                self._write_block(block, second)

    def _write_block(self, block: int, second: int) -> None:
        low, high = block * BLOCK, min((block + 1) * BLOCK, len(self._kept), self._ledger.count(second))
        since_all, until_all = 0, self._company.horizon
        since, until = self._since, self._until
        for ordinal in range(low, high):
            holds = self._kept[ordinal] is not None and since[ordinal] <= second < until[ordinal]
            if not holds and not self._write_settled(ordinal, second):
                self._write_row(ordinal, second)
            if since[ordinal] > since_all:
                since_all = since[ordinal]
            if until[ordinal] < until_all:
                until_all = until[ordinal]
        if high < min((block + 1) * BLOCK, len(self._kept)):
            until_all = min(until_all, self._ledger.enrolled[high])
        self._block_since[block], self._block_until[block] = since_all, until_all

    def _write_settled(self, ordinal: int, second: int) -> bool:
        """Write a row that is done for good, the short way; return False for any other. Most rows are settled."""
        ledger = self._ledger
        completed, index = ledger.completed[ordinal], ledger.person[ordinal]
        if completed > second or ordinal in ledger.specials or self._organization.leave[index] <= second:
            return False
        if len(self._organization.people[index].identities) > 1:
            return False
        user = self._settled_users.get(index)
        if user is None:
            user = self._settled_users[index] = self._user(index, second, True)
        unit, enrolled = ledger.unit[ordinal], ledger.enrolled[ordinal]
        settled = self._settled_units.get(unit)
        if settled is None:
            campaign, content = ledger.units[unit]
            head, tail = self._unit(unit, campaign, content, FULL)
            status = b',"status":"%b","time_spent":' % content.done.encode()
            last = b',"policy_acknowledged":true}' if content.is_policy else b',"policy_acknowledged":false}'
            settled = self._settled_units[unit] = head, tail, status, last
        head, tail, status, last = settled
        self._kept[ordinal] = b'{"enrollment_id":%d%b%b%b%b,"start_date":%b,"completion_date":%b%b%d%b' % (
            ledger.id_of(ordinal),
            head,
            user,
            tail,
            stamp(enrolled),
            stamp(ledger.started[ordinal]),
            stamp(completed),
            status,
            ledger.spent[ordinal],
            last,
        )
        self._since[ordinal] = completed if completed > enrolled else enrolled
        self._until[ordinal] = self._company.horizon
        return True

    def _write_row(self, ordinal: int, second: int) -> None:
        since, until = self._ledger.steady(ordinal, second)
        until = min(until, self._company.horizon)
        person = self._company.organization.people[self._ledger.person[ordinal]]
        for entry in person.identities[1:]:
            if entry.since <= second:
                since = max(since, entry.since)
            else:
                until = min(until, entry.since)
        exists = self._ledger.exists(ordinal, second)
        self._kept[ordinal] = self.render(ordinal, second, FULL) if exists else b""
        self._since[ordinal], self._until[ordinal] = since, until

    def render(self, ordinal: int, second: int, flags: Flags) -> bytes:
        """Return one enrollment's JSON at `second` with the fields asked for."""
        ledger = self._ledger
        state = ledger.state(ordinal, second)
        unit = ledger.unit[ordinal]
        campaign, content = ledger.units[unit]
        head, tail = self._unit(unit, campaign, content, flags)
        done = state.completed < NEVER
        parts = [
            b'{"enrollment_id":%d' % ledger.id_of(ordinal),
            head,
            self._user(ledger.person[ordinal], second, flags.employee),
            tail,
            stamp(ledger.enrolled[ordinal]),
            b',"start_date":',
            stamp(state.started),
            b',"completion_date":',
            stamp(state.completed),
            b',"status":"%b","time_spent":%d,"policy_acknowledged":%b'
            % (state.status.encode(), state.spent, b"true" if done and content.is_policy else b"false"),
        ]
        if flags.score and ledger.score[ordinal] >= 0:
            parts.append(b',"score":%d.0' % ledger.score[ordinal] if done else b',"score":null')
        parts.append(b"}")
        return b"".join(parts)

    def _unit(self, unit: int, campaign: Campaign, content: Content, flags: Flags) -> tuple[bytes, bytes]:
        kept = self._units.get((unit, flags))
        if kept is None:
            word = "Uploaded Policy" if content.is_policy else "Store Purchase"
            head = b',"content_type":"%b","module_name":%b,"user":' % (word.encode(), encode(content.name))
            tail = b',"campaign_name":' + encode(campaign.name)
            if flags.campaign:
                tail += b',"campaign_id":%d' % campaign.campaign_id
            if flags.purchase:
                tail += b',"store_purchase_id":' + (b"null" if content.is_policy else b"%d" % content.content_id)
            kept = self._units[unit, flags] = head, tail + b',"enrollment_date":'
        return kept

    def _user(self, index: int, second: int, employee: bool) -> bytes:
        versions = self._users.get((index, employee))
        person = self._company.organization.people[index]
        if versions is None or len(versions) != len(person.identities):
            versions = []
            for entry in person.identities:
                row: dict[str, object] = {
                    "id": person_id(index),
                    "first_name": entry.first_name,
                    "last_name": entry.last_name,
                    "email": entry.email,
                }
                if employee:
                    row["employee_number"] = person.employee_number
                versions.append((entry.since, encode(row)))
            self._users[index, employee] = versions
        found = versions[0][1]
        for since, text in versions[1:]:
            if since <= second:
                found = text
        return found
