"""A row of the Past due list, ready to be drawn.

A page has fifty of them, each with two dates and four links: what is the same in every row is worked out once, and the
template only puts words in their places.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from django.urls import reverse
from django.utils.timezone import get_current_timezone_name
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from dashboard.access import ScopedRequest
from dashboard.metrics import AGE_LIMITS
from dashboard.queries.past_due import PastDuePerson
from dashboard.queries.past_due_groups import Item
from dashboard.templatetags.addresses import here, to
from dashboard.templatetags.figures import absolute, day, number
from sync.models.training import DueSource

DUE_SOURCES = {
    DueSource.EXTENSION: gettext_lazy("Extended"),
    DueSource.CAMPAIGN_END: gettext_lazy("Campaign end"),
    DueSource.RELATIVE: gettext_lazy("Counted from enrollment"),
    DueSource.OBSERVED: gettext_lazy("First seen past due"),
    DueSource.HIDDEN_EXTENSION: gettext_lazy("Extended in KnowBe4"),
    DueSource.NONE: gettext_lazy("No deadline"),
}
_MOST = [most for _fewest, most in AGE_LIMITS.values() if most is not None]


class Stamp(NamedTuple):
    """A moment as it is written: its day, in full on hover, and for machines."""

    day: str
    full: str
    iso: str


class Link(NamedTuple):
    """Words and where they lead; an empty address leads nowhere."""

    words: str
    address: str


@dataclass(frozen=True)
class Row:
    """Someone past due. `step` is the shade of their age, from 1 to 6; `others` says how many more are past due."""

    person_id: int
    email: str
    name: Link
    job_title: str
    select: str
    department: Link
    manager: Link
    campaign: Link
    others: str
    due: Stamp
    due_source: str
    activity: Stamp | None
    days: str
    step: int


class Pen:
    """Writes rows for one request, with links that keep its filters, day and basis."""

    def __init__(self, request: ScopedRequest) -> None:
        context = {"request": request}
        self._department = here(context, by="none", department=None)
        self._manager = here(context, by="none", manager=None, direct=1)
        self._carried = to(context, "past_due").removeprefix(reverse("past_due"))
        self._zone, self._language = get_current_timezone_name(), get_language()
        self._sources = {source.value: str(words) for source, words in DUE_SOURCES.items()}
        self._select, self._nowhere = _("Select %(name)s"), (_("No department"), _("No manager"))
        self._no_campaign, self._nameless = _("No campaign"), _("Campaign without a name")

    def row(self, person: PastDuePerson, item: Item | None) -> Row:
        """Write one person; `item` is what they have had past due for longest, None when it went away meanwhile."""
        others = person.items - 1
        return Row(
            person_id=person.person_id,
            email=person.email,
            name=Link(person.name, f"{reverse('person', args=[person.person_id])}{self._carried}"),
            job_title=item.job_title if item else "",
            select=self._select % {"name": person.name},
            department=Link(
                person.department or self._nowhere[0], f"{self._department}&department={person.department_id}"
            ),
            manager=Link(person.manager or self._nowhere[1], f"{self._manager}&manager={person.manager_id}"),
            campaign=self._campaign(item),
            others=ngettext("and %(n)s more past due", "and %(n)s more past due", others) % {"n": number(others)}
            if others
            else "",
            due=_stamp(person.oldest_due_at, self._zone, self._language),
            due_source=self._sources.get(item.due_source, "") if item else "",
            activity=_stamp(person.last_activity_at, self._zone, self._language) if person.last_activity_at else None,
            days=number(person.days_past_due),
            step=1 + sum(1 for most in _MOST if person.days_past_due > most),
        )

    def _campaign(self, item: Item | None) -> Link:
        if item is None or not item.campaign_id:
            return Link(self._no_campaign, "")
        address = f"{reverse('campaign', args=[item.campaign_id])}{self._carried}"
        return Link(item.campaign or self._nameless, address)


# The same dates stand in list after list. Zone and language are what writing them depends on.
@lru_cache(maxsize=20_000)
def _stamp(moment: datetime, zone: str, language: str | None) -> Stamp:
    return Stamp(day(moment), absolute(moment), moment.isoformat())
