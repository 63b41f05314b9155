"""The bar of filters above a list: what each can be set to, what it is set to, and how it is cleared.

A page says which filters it offers and what its fragment is called; `templates/components/filters.html` draws the bar:

    bar = filter_bar(request, question, names=("department", "manager", "type"), target="people-list")
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from django.http import QueryDict
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from dashboard.figures.selection import Basis
from dashboard.look_alikes import told_apart
from dashboard.markup import Markup, joined
from dashboard.metrics import CampaignState
from dashboard.models import Trigger
from dashboard.queries.choices import Choices, Named, choices
from dashboard.queries.vacancies import vacancies_of
from dashboard.requests.filters import Asked
from dashboard.scoped_request import ScopedRequest
from sync.models.training import ContentType

ALL = ("department", "manager", "campaign", "type", "trigger", "group", "basis")
_LABELS = {
    "department": gettext_lazy("Department"),
    "manager": gettext_lazy("Manager"),
    "direct": gettext_lazy("Line"),
    "campaign": gettext_lazy("Campaign"),
    "campaign_state": gettext_lazy("State"),
    "type": gettext_lazy("Content"),
    "trigger": gettext_lazy("Trigger"),
    "group": gettext_lazy("Group"),
    "basis": gettext_lazy("Placed"),
}
# Filters that mean nothing once another one is cleared.
_TOGETHER = {"manager": ("manager", "direct")}


_OPTION = Markup('<option value="{}">{}</option>')
_CHOSEN = Markup('<option value="{}" selected>{}</option>')


class Choice(NamedTuple):
    """One value that a filter can be set to."""

    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True)
class Control:
    """One filter: its name in the address, its label, and its choices, the first of them "all".

    `several` are the values of a filter that an address set to more than one at once: a control shows how many they
    are, and keeps them until it is cleared. `clear` is the address without it.
    """

    name: str
    label: str
    choices: tuple[Choice, ...]
    is_on: bool
    clear: str
    several: tuple[str, ...] = ()

    @property
    def options(self) -> SafeString:
        """The choices as HTML: there are hundreds, and a template takes ten times as long over them."""
        return joined((_CHOSEN if is_chosen else _OPTION)(value, label) for value, label, is_chosen in self.choices)

    @property
    def value_label(self) -> str:
        """Value that the filter is set to, in words."""
        if self.several:
            return ngettext("%(n)s chosen", "%(n)s chosen", len(self.several)) % {"n": len(self.several)}
        return next((choice.label for choice in self.choices if choice.is_chosen), self.choices[0].label)


@dataclass(frozen=True)
class FilterBar:
    """The filters of a list. `kept` are the address's other values, for the form; `clear` drops every filter at once.

    `target` is the id of the fragment that a change replaces, `line` the managers down to the chosen one, who is last.
    `notes` say which of the things chosen have nobody left.
    """

    controls: tuple[Control, ...]
    kept: tuple[tuple[str, str], ...]
    clear: str
    target: str
    line: tuple[Named, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def on(self) -> list[Control]:
        """The filters that are set."""
        return [control for control in self.controls if control.is_on]

    @property
    def is_narrowed(self) -> bool:
        """Whether a filter narrows the list; the basis does not."""
        return any(control.name not in {"basis", "direct"} for control in self.on)


def filter_bar(
    request: ScopedRequest, question: Asked, *, names: Collection[str] = ALL, target: str, drops: Iterable[str] = ()
) -> FilterBar:
    """Return the bar for these filters, in this order. One query where it offers anything that has a name, and one for
    each filter that is set to such a thing.

    `drops` are values of the address that go with the filters when all are cleared, such as a page's own.
    """
    offered = choices(request.scope, names, question.filters)
    controls = []
    for name in names:
        if name == "basis" and request.past_day is None and question.basis == Basis.NOW:
            continue  # today, then is now
        controls.append(_control(request, question, name, offered))
        if name == "manager" and (question.filters.manager or 0) > 0:
            controls.append(_control(request, question, "direct", offered))
    mine = {control.name for control in controls}
    return FilterBar(
        controls=tuple(controls),
        kept=tuple(
            (name, value)
            for name, values in request.GET.lists()
            if name not in mine and name != "page"
            for value in values
            if value
        ),
        clear=_address(request.GET, {*mine, *drops}),
        target=target,
        line=(*offered.above, *((offered.chosen,) if offered.chosen else ())),
        notes=_notes(request, question, offered),
    )


def _notes(request: ScopedRequest, question: Asked, offered: Choices) -> tuple[str, ...]:
    """Return what is to be said of filters about nobody any more; nothing of a past day, when there may have been."""
    filters = question.filters
    if request.past_day is not None:
        return ()
    if offered.chosen is not None and offered.below:
        # Whoever has managers below has somebody.
        filters = replace(filters, manager=None)
    return vacancies_of(request.scope, filters).sentences


def _address(query: QueryDict, without: Collection[str]) -> str:
    left = query.copy()
    for name in (*without, "page"):
        left.pop(name, None)
    return f"?{left.urlencode()}"


def _control(request: ScopedRequest, question: Asked, name: str, offered: Choices) -> Control:
    filters = question.filters
    chosen: set[str]
    every = Choice("", _("All"), is_chosen=False)
    if name == "department":
        chosen = set(map(str, filters.departments))
        offers: list[tuple[Any, str]] = [*offered.departments, (0, _("No department"))]
    elif name == "campaign":
        chosen = set(map(str, filters.campaigns))
        offers = [(key, title or _("Campaign %(id)s") % {"id": key}) for key, title in offered.campaigns]
    elif name == "group":
        chosen, offers = set(map(str, filters.groups)), list(offered.groups)
    elif name == "type":
        chosen, offers = set(filters.content_types), [(kind.value, str(kind.label)) for kind in ContentType]
    elif name == "trigger":
        chosen, offers = set(filters.triggers), [(trigger.value, str(trigger.label)) for trigger in Trigger]
    elif name == "campaign_state":
        chosen, offers = set(filters.campaign_states), [(state.value, str(state.label)) for state in CampaignState]
    elif name == "manager":
        chosen = set() if filters.manager is None else {str(filters.manager)}
        offers = _managers(offered)
    elif name == "direct":
        every = Choice("", _("Whole line"), is_chosen=False)
        chosen, offers = (set() if filters.whole_line else {"1"}), [("1", _("Direct reports"))]
    elif name == "basis":
        every = Choice("", _("As now"), is_chosen=False)
        chosen, offers = ({"then"} if question.basis == Basis.THEN else set()), [("then", _("As then"))]
    else:
        raise ValueError(f"There is no filter {name!r}.")
    known = {str(key) for key, _label in offers}
    strangers = [(key, _("Unknown")) for key in sorted(chosen - known)]
    listed = [Choice(str(key), label, str(key) in chosen) for key, label in [*told_apart(offers), *strangers]]
    return Control(
        name=name,
        label=str(_LABELS[name]),
        choices=(Choice(every.value, every.label, not chosen), *listed),
        is_on=bool(chosen),
        clear=_address(request.GET, _TOGETHER.get(name, (name,))),
        several=tuple(sorted(chosen)) if len(chosen) > 1 else (),
    )


def _managers(offered: Choices) -> list[tuple[Any, str]]:
    """Return the managers above the chosen one, that one, and those below it, indented."""
    if offered.chosen is None:
        return [*offered.below, (0, _("No manager"))]
    below = [(key, f"\N{EM SPACE}{name}") for key, name in offered.below]
    return [*offered.above, offered.chosen, *below, (0, _("No manager"))]
