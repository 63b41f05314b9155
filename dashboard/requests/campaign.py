"""Filter of a campaign's people."""

from django.core.exceptions import BadRequest
from django.utils.translation import gettext_lazy

from dashboard.metrics import State
from dashboard.queries.campaign import Show
from dashboard.scoped_request import ScopedRequest

TABS = {
    Show.ALL: gettext_lazy("All"),
    Show.PAST_DUE: gettext_lazy("Past due"),
    Show.NOT_STARTED: gettext_lazy("Not started"),
    Show.IN_PROGRESS: gettext_lazy("In progress"),
    Show.COMPLETED: gettext_lazy("Completed"),
    Show.LATE: gettext_lazy("Completed late"),
    Show.EXEMPT: gettext_lazy("Exempt"),
}
# The lists that the filter by state cannot ask for have a word of their own in the address.
WITHOUT_STATE = frozenset({Show.LATE, Show.EXEMPT})


def show_in(request: ScopedRequest) -> Show:
    """Return which list the address asks for: one state of the filter, or a list that is no state."""
    own, states = request.GET.get("show", ""), [text for text in request.GET.getlist("state") if text]
    if own and (own not in WITHOUT_STATE or states):
        raise BadRequest("show is late or exempt, without a state")
    if len(states) > 1:
        raise BadRequest("one state at a time")
    try:
        return Show(own) if own else Show(State(states[0])) if states else Show.ALL
    except ValueError:
        raise BadRequest("state is not one of its words") from None
