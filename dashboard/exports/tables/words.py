"""Words that several lists share: yes and no, states, where due dates come from, and filters as sentences say them."""

from collections.abc import Collection, Iterable
from typing import Any

from django.utils.translation import gettext_lazy as _

from dashboard.exports.table_request import Question
from dashboard.metrics import State
from dashboard.requests.filter_choices import ALL, filter_bar


def filters_in_words(
    question: Question, names: Collection[str] = (*ALL, "campaign_state"), more: Iterable[tuple[Any, Any]] = ()
) -> list[tuple[str, str]]:
    """Return each filter that is set and what it is set to, by the names the page shows; then the list's own."""
    bar = filter_bar(question.request, question.asked, names=names, target="")
    found = []
    for control in bar.on:
        labels = [choice.label.strip() for choice in control.choices if choice.is_chosen]
        found.append((control.label, ", ".join(labels)))
    states = [str(state.label) for state in State if state in question.asked.filters.states]
    if states:
        found.append((str(_("Status")), ", ".join(states)))
    found.extend((str(_("Note")), note) for note in bar.notes)
    return [*found, *((str(label), str(value)) for label, value in more if value)]
