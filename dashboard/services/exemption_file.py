"""Requests for exemptions out of a CSV file: which rows can be asked for, and why the others cannot.

Nothing is written here. The columns are found by their names, in any order: email or employee number, or group;
campaign; reason; note; evidence; from; until. Days are written like 2026-12-31 or 31.12.2026.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from io import StringIO
from typing import TypeVar

from django.db.models import QuerySet
from django.db.models.functions import Upper
from django.utils.translation import gettext as _

from dashboard.models import Exemption
from dashboard.models.settings import ALL_USERS
from dashboard.services.deciding import RefusedError
from dashboard.services.exemptions import Excuse, check, span
from sync.models import Account, Campaign, Group, Person

MOST_ROWS = 1_000
MOST_BYTES = 256 * 1024
EVERYTHING = frozenset({"", "all", "all campaigns", "*"})
COLUMNS: Mapping[str, frozenset[str]] = {
    "email": frozenset({"email", "e-mail", "email address", "user", "person"}),
    "number": frozenset({"employee number", "employee id", "employee no", "personnel number"}),
    "group": frozenset({"group", "group name"}),
    "campaign": frozenset({"campaign", "campaign name"}),
    "reason": frozenset({"reason"}),
    "note": frozenset({"note", "notes", "comment"}),
    "evidence": frozenset({"evidence", "proof", "ticket"}),
    "first_day": frozenset({"from", "first day", "start", "start date", "starts"}),
    "last_day": frozenset({"until", "to", "last day", "end", "end date", "ends"}),
}
LONGEST = {"note": 2000, "evidence": 500}


@dataclass(frozen=True)
class Row:
    """One row of the file, by its line: what it asks for, or why it cannot be asked for."""

    line: int
    cells: Mapping[str, str]
    excuse: Excuse | None = None
    problem: str = ""

    @property
    def who(self) -> str:
        """Name of the row's person or group, as it stands there."""
        return self.cells.get("email") or self.cells.get("number") or self.cells.get("group") or ""


@dataclass(frozen=True)
class Reading:
    """Content of a file. `problem` says why it cannot be read at all; then there are no rows."""

    rows: tuple[Row, ...] = ()
    problem: str = ""

    @property
    def good(self) -> list[Row]:
        """The rows that can be asked for."""
        return [row for row in self.rows if row.excuse is not None]

    @property
    def bad(self) -> list[Row]:
        """The rows that cannot, each with its reason."""
        return [row for row in self.rows if row.excuse is None]


Key = tuple[int | None, int | None, int | None, datetime, datetime | None]
Named = TypeVar("Named", Person, Group, Campaign)


class _RowError(Exception):
    """A row that cannot be asked for; the message is a sentence to show."""


def decode(content: bytes) -> str:
    """Return the text of a file: UTF-8, UTF-16 with its mark, else the Windows code page of Western Europe."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def read(
    text: str,
    account: Account,
    *,
    people: QuerySet[Person],
    groups: QuerySet[Group],
    campaigns: QuerySet[Campaign],
    existing: QuerySet[Exemption],
) -> Reading:
    """Return what the file asks for, as far as people, groups and campaigns are among those given.

    A row that asks for what an earlier row or one of `existing` asks for is a bad row: it would excuse nobody else.
    """
    table = _table(text)
    if isinstance(table, str):
        return Reading(problem=table)
    known = _Known.read(table, people, groups, campaigns, existing)
    rows: list[Row] = []
    seen: set[Key] = set()
    for line, cells in table:
        try:
            excuse = _excuse(account, cells, known)
            same = _key(account, excuse)
            if same in seen:
                raise _RowError(_("An earlier row asks for the same."))
            if same in known.existing:
                raise _RowError(_("The same exemption is there already."))
            seen.add(same)
            rows.append(Row(line, cells, excuse))
        except (_RowError, RefusedError) as error:
            rows.append(Row(line, cells, problem=str(error)))
    return Reading(tuple(rows))


def _table(text: str) -> list[tuple[int, dict[str, str]]] | str:
    """Return the rows by line with their cells by meaning, or the sentence that says why there are none."""
    if "\x00" in text:
        return _("This is no CSV file.")
    first = text.lstrip("\r\n").split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter)
    table: list[tuple[int, dict[str, str]]] = []
    meanings: dict[str, int] | None = None
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if meanings is None:
                meanings = _meanings(cells)
                continue
            if len(table) >= MOST_ROWS:
                return _("The file has more than %(n)s rows. Split it.") % {"n": f"{MOST_ROWS:,}"}
            row = {name: cells[index].strip() for name, index in meanings.items() if index < len(cells)}
            table.append((reader.line_num, row))
    except csv.Error:
        return _("Line %(n)s cannot be read as CSV.") % {"n": reader.line_num}
    if meanings is None:
        return _("The file is empty.")
    missing = [name for name in ("reason", "first_day") if name not in meanings]
    if not {"email", "number", "group"} & meanings.keys():
        missing.insert(0, "email")
    if missing:
        words = {"email": "email", "reason": "reason", "first_day": "from"}
        named = ", ".join(f"“{words[name]}”" for name in missing)
        return _("The first line must name the columns; these are missing: %(names)s.") % {"names": named}
    return table or _("The file has no rows below its first line.")


def _meanings(header: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for index, cell in enumerate(header):
        word = " ".join(cell.replace("_", " ").casefold().split())
        name = next((name for name, words in COLUMNS.items() if word in words), None)
        if name is not None:
            found.setdefault(name, index)
    return found


@dataclass
class _Known:
    """Everything the file names, read in a handful of queries."""

    by_email: dict[str, list[Person]] = field(default_factory=lambda: defaultdict(list))
    by_number: dict[str, list[Person]] = field(default_factory=lambda: defaultdict(list))
    groups: dict[str, list[Group]] = field(default_factory=lambda: defaultdict(list))
    campaigns: dict[str, list[Campaign]] = field(default_factory=lambda: defaultdict(list))
    existing: set[Key] = field(default_factory=set)

    @classmethod
    def read(
        cls,
        table: Sequence[tuple[int, Mapping[str, str]]],
        people: QuerySet[Person],
        groups: QuerySet[Group],
        campaigns: QuerySet[Campaign],
        existing: QuerySet[Exemption],
    ) -> "_Known":
        """Read the people, groups and campaigns that the rows name, and the exemptions that still hold."""
        known = cls()
        emails = {cells["email"].upper() for _line, cells in table if cells.get("email")}
        numbers = {cells["number"] for _line, cells in table if cells.get("number") and not cells.get("email")}
        if emails:
            named = people.annotate(upper_email=Upper("email")).filter(upper_email__in=emails)
            for person in named.order_by("pk"):
                known.by_email[person.email.casefold()].append(person)
        if numbers:
            for numbered in people.filter(employee_number__in=numbers).order_by("pk"):
                known.by_number[numbered.employee_number].append(numbered)
        if any(cells.get("group") for _line, cells in table):
            for group in groups.exclude(knowbe4_id=ALL_USERS).order_by("pk"):
                known.groups[group.name.casefold()].append(group)
        if any(cells.get("campaign", "").casefold() not in EVERYTHING for _line, cells in table):
            for campaign in campaigns.order_by("pk"):
                known.campaigns[campaign.name.casefold()].append(campaign)
        for exemption in existing.filter(rejected_at__isnull=True, ended_at__isnull=True):
            known.existing.add(
                (exemption.person_id, exemption.group_id, exemption.campaign_id, exemption.starts_at, exemption.ends_at)
            )
        return known


def _excuse(account: Account, cells: Mapping[str, str], known: _Known) -> Excuse:
    """Return what a row asks for. Raises _RowError or RefusedError, with the reason, for one that cannot be."""
    person, group = _who(cells, known)
    for name, longest in LONGEST.items():
        if len(cells.get(name, "")) > longest:
            raise _RowError(_("The %(column)s is longer than %(n)s characters.") % {"column": name, "n": longest})
    first_day = _day(cells.get("first_day", ""))
    if first_day is None:
        raise _RowError(_("It has no first day."))
    excuse = Excuse(
        reason=_reason(cells.get("reason", "")),
        first_day=first_day,
        last_day=_day(cells.get("last_day", "")),
        person=person,
        group=group,
        campaign=_campaign(cells.get("campaign", ""), known),
        note=cells.get("note", ""),
        evidence=cells.get("evidence", ""),
    )
    check(account, excuse)
    return excuse


def _who(cells: Mapping[str, str], known: _Known) -> tuple[Person | None, Group | None]:
    email, number, group = (cells.get(name, "") for name in ("email", "number", "group"))
    if (email or number) and group:
        raise _RowError(_("It names a person and a group; it must be one of them."))
    if email:
        none, several = _("No active person has this email."), _("Several people have this email.")
        return _one(known.by_email.get(email.casefold(), []), none, several), None
    if number:
        none, several = _("No active person has this employee number."), _("Several people have this employee number.")
        return _one(known.by_number.get(number, []), none, several), None
    if group:
        none, several = _("No group has this name."), _("Several groups have this name.")
        return None, _one(known.groups.get(group.casefold(), []), none, several)
    raise _RowError(_("It names nobody."))


def _one(found: Sequence[Named], none: str, several: str) -> Named:
    """Return the only one found; else raise _RowError with what is to be said."""
    if len(found) == 1:
        return found[0]
    raise _RowError(several if found else none)


def _campaign(name: str, known: _Known) -> Campaign | None:
    if name.casefold() in EVERYTHING:
        return None
    none, several = _("No campaign has this name."), _("Several campaigns have this name.")
    return _one(known.campaigns.get(name.casefold(), []), none, several)


def _reason(text: str) -> Exemption.Reason:
    for reason in Exemption.Reason:
        if text.casefold() in {reason.value, str(reason.label).casefold()}:
            return reason
    known = ", ".join(str(reason.label) for reason in Exemption.Reason)
    raise _RowError(_("“%(text)s” is none of the reasons: %(known)s.") % {"text": text[:60], "known": known})


def _day(text: str) -> date | None:
    """Return the day a cell names, None for an empty one; 05/11/2026 could be two days and is refused."""
    if not text:
        return None
    try:
        if match := re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", text):
            day = date(int(match[1]), int(match[2]), int(match[3]))
        elif match := re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", text):
            day = date(int(match[3]), int(match[2]), int(match[1]))
        else:
            raise ValueError
        if not 2000 <= day.year < 2100:
            raise ValueError
    except ValueError:
        raise _RowError(_("“%(text)s” is no day; write it like 2026-12-31.") % {"text": text[:40]}) from None
    return day


def _key(account: Account, excuse: Excuse) -> Key:
    """Return what two requests have in common that ask for the same."""
    person, group, campaign = (
        None if thing is None else thing.pk for thing in (excuse.person, excuse.group, excuse.campaign)
    )
    return (person, group, campaign, *span(account, excuse))
