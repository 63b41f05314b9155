"""A row of the list of people as HTML: fifty of them are a page, and a template takes ten times as long over them."""

from datetime import datetime

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dashboard.formats import NOTHING, number, stamp
from dashboard.markup import Markup, joined
from dashboard.metrics import days_past_due
from dashboard.queries.fields import PEOPLE
from dashboard.queries.people import PersonRow
from dashboard.scoped_request import ScopedRequest
from dashboard.web.templatetags.addresses import here, to
from dashboard.web.templatetags.figures import mark

_NAME = Markup('<th scope="row" role="rowheader"><a class="main-link" href="{}">{}</a><span class="sub">{}</span></th>')
_CELL = Markup('<td role="cell" class="{}" data-label="{}">{}</td>')
_LINK = Markup('<a class="plain-link" href="{}">{}</a>')
_DIM, _MID = Markup('<span class="dim">{}</span>'), Markup('<span class="mid">{}</span>')
_ROW = Markup('<tr role="row">{}</tr>')
_LATE = Markup('<a class="late-count" href="{}#enrollments">{}{}<span class="sub">{}</span></a>')


class Pen:
    """Writes rows for one request, with links that keep its filters, day and basis."""

    def __init__(self, request: ScopedRequest) -> None:
        context = {"request": request}
        self._as_of: datetime = request.as_of
        self._zone = request.account.zone
        self._department = here(context, department=None, found=None, sort=None)
        self._carried = to(context, "people").removeprefix(reverse("people"))
        self._person = reverse("person", args=[0]).removesuffix("0/")
        self._left, self._no_department, self._no_manager = _("Left"), _("No department"), _("No manager")
        self._none = _DIM(_("None"))
        self._labels = [
            str(PEOPLE[name].label)
            for name in ("department", "manager", "assigned", "completed", "past_due", "last_activity_at", "risk_score")
        ]

    def row(self, row: PersonRow) -> SafeString:
        """Write one person."""
        department, manager, assigned, completed, past_due, activity, risk = self._labels
        about = [*([] if row.is_active else [self._left]), *([row.job_title] if row.job_title else [])]
        cells = [
            _NAME(self._page(row.person_id), row.name, " · ".join(about)),
            _CELL("c-department", department, self._place(row)),
            _CELL("c-manager", manager, self._above(row)),
            _CELL(_figure(row.assigned), assigned, number(row.assigned)),
            _CELL(_figure(row.completed), completed, number(row.completed) if row.assigned else NOTHING),
            _CELL(_figure(row.past_due, "c-corner"), past_due, self._late(row)),
            _CELL("nowrap", activity, stamp(row.last_activity_at) or self._none),
            # KnowBe4 gives no score to some.
            _CELL("r", risk, NOTHING if row.risk_score is None else f"{row.risk_score:.1f}"),
        ]
        return _ROW(joined(cells))

    def _page(self, person: int) -> str:
        return f"{self._person}{person}/{self._carried}"

    def _place(self, row: PersonRow) -> SafeString:
        if not row.department_id:
            return _MID(self._no_department)
        join = "&" if len(self._department) > 1 else ""
        return _LINK(f"{self._department}{join}department={row.department_id}", row.department)

    def _above(self, row: PersonRow) -> SafeString | str:
        if row.manager_id > 0:
            return _LINK(self._page(row.manager_id), row.manager)
        return row.manager or _MID(self._no_manager)

    def _late(self, row: PersonRow) -> SafeString | str:
        """Write how much is past due, and for how many days the oldest of it has been so."""
        if not row.past_due:
            return "0" if row.assigned else NOTHING
        days = days_past_due(row.oldest_due_at, self._as_of, self._zone) if row.oldest_due_at else 0
        words = ngettext("%(days)s day", "%(days)s days", days) % {"days": number(days)}
        return _LATE(self._page(row.person_id), mark("due"), number(row.past_due), words)


def _figure(value: int, place: str = "") -> str:
    return " ".join(["r", *([place] if place else []), *([] if value else ["zero"])])
