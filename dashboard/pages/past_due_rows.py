"""A row of the Past due list as HTML.

A page has fifty of them, each with two dates and four links, and a template takes ten times as long over them: what is
the same in every row is worked out once, and each row is one piece of text.
"""

from datetime import datetime

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.email_addresses import mailable
from dashboard.figures.selection import By
from dashboard.formats import number, stamp
from dashboard.markup import Markup, joined
from dashboard.metrics import AGE_LIMITS
from dashboard.queries.fields import ENROLLMENTS, PEOPLE
from dashboard.queries.past_due import PastDuePerson
from dashboard.queries.past_due_found import Item
from dashboard.scoped_request import ScopedRequest
from dashboard.web.templatetags.addresses import here, to
from sync.models.training import DueSource

_MOST = [most for _fewest, most in AGE_LIMITS.values() if most is not None]

_CHECK = Markup(
    '<td role="cell" class="check">'
    '<input type="checkbox" name="person" value="{}" data-email="{}" aria-label="{}"></td>'
)
_NAME = Markup('<th scope="row" role="rowheader"><a class="main-link" href="{}">{}</a>{}</th>')
_ROW, _ZERO = Markup('<tr role="row">{}</tr>'), Markup('<span class="zero">{}</span>')
_SUB = Markup('<span class="sub">{}</span>')
_LINK = Markup('<td role="cell" class="c-{}" data-label="{}"><a class="plain-link" href="{}">{}</a>{}</td>')
_WORDS = Markup('<td role="cell" class="c-{}" data-label="{}"><span class="zero">{}</span>{}</td>')
_DUE = Markup('<td role="cell" class="nowrap c-due" data-label="{}">{}<span class="sub">{}</span></td>')
_ACTIVITY = Markup('<td role="cell" class="c-activity mid nowrap" data-label="{}">{}</td>')
_DAYS = Markup(
    '<td role="cell" class="r c-days" data-label="{}"><span class="days">{}<svg class="age-dot" aria-hidden="true">'
    '<rect class="b-{}" width="8" height="18" rx="3"/></svg></span></td>'
)


class Pen:
    """Writes rows for one request, with links that keep its filters, day and basis; `by` takes a column's place."""

    def __init__(self, request: ScopedRequest, by: By | None) -> None:
        context = {"request": request}
        self._by = by
        self._department = here(context, by="none", department=None)
        self._manager = here(context, by="none", manager=None, direct=1)
        self._carried = to(context, "past_due").removeprefix(reverse("past_due"))
        # A key stands for any: looking an address up costs more than writing it.
        self._person, self._campaign_page = reverse("person", args=[0]), reverse("campaign", args=[0])
        self._sources = {source.value: str(source.label) for source in DueSource}
        self._select, self._nowhere = _("Select %(name)s"), (_("No department"), _("No manager"))
        self._no_campaign, self._nameless = _("No campaign"), _("Campaign without a name")
        fields = (
            *(PEOPLE["department"], PEOPLE["manager"], PEOPLE["past_due"]),
            *(ENROLLMENTS["due_at"], PEOPLE["last_activity_at"], PEOPLE["days_past_due"]),
        )
        self._labels = [str(field.label) for field in fields]
        self._never = _ZERO(_("None yet"))

    def row(self, person: PastDuePerson, item: Item | None) -> SafeString:
        """Write one person; `item` is what they have had past due for longest, None when it went away meanwhile."""
        department, manager, items, due, activity, days = self._labels
        sub = _SUB(item.job_title) if item and item.job_title else ""
        cells = [
            _CHECK(person.person_id, mailable(person.email), self._select % {"name": person.name}),
            _NAME(self._page(self._person, person.person_id), person.name, sub),
        ]
        if self._by != By.DEPARTMENT:
            address = f"{self._department}&department={person.department_id}"
            words = person.department or self._nowhere[0]
            cells.append(_LINK("department", department, address, words, ""))
        if self._by != By.MANAGER:
            address = f"{self._manager}&manager={person.manager_id}"
            cells.append(_LINK("manager", manager, address, person.manager or self._nowhere[1], ""))
        if self._by != By.CAMPAIGN:
            cells.append(self._items(items, person, item))
        source = self._sources.get(item.due_source, "") if item else ""
        step = 1 + sum(1 for most in _MOST if person.days_past_due > most)
        cells += [
            _DUE(due, stamp(person.oldest_due_at), source),
            _ACTIVITY(activity, self._when(person.last_activity_at)),
            _DAYS(days, number(person.days_past_due), step),
        ]
        return _ROW(joined(cells))

    def _items(self, label: str, person: PastDuePerson, item: Item | None) -> SafeString:
        """Write what has been past due for longest, and how much more there is."""
        others = person.items - 1
        more: SafeString | str = ""
        if others:
            words = ngettext("and %(n)s more past due", "and %(n)s more past due", others)
            more = _SUB(words % {"n": number(others)})
        if item is None or not item.campaign_id:
            return _WORDS("items", label, self._no_campaign, more)
        address = self._page(self._campaign_page, item.campaign_id)
        return _LINK("items", label, address, item.campaign or self._nameless, more)

    def _page(self, pattern: str, key: int) -> str:
        return f"{pattern.removesuffix('0/')}{key}/{self._carried}"

    def _when(self, moment: datetime | None) -> SafeString | str:
        return stamp(moment) if moment else self._never
