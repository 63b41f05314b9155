"""Filter and order of a list of people."""

from dataclasses import replace

from django.utils.translation import gettext_lazy

from dashboard.queries.people import Sort, Status, StatusGroup, Wanted
from dashboard.requests.fields import word_in
from dashboard.requests.searches import searched
from dashboard.requests.sorting import Order, order_in
from dashboard.scoped_request import ScopedRequest

STATUSES = {
    Status.ACTIVE: gettext_lazy("Active"),
    Status.LEFT: gettext_lazy("Left"),
    Status.ANY: gettext_lazy("Active and left"),
}

STATUS_GROUPS = {
    StatusGroup.PAST_DUE: gettext_lazy("Past due"),
    StatusGroup.COMPLIANT: gettext_lazy("Compliant"),
    StatusGroup.NOTHING: gettext_lazy("Nothing assigned"),
}


def wanted_in(request: ScopedRequest) -> Wanted:
    status = Status(word_in(request, "status", tuple(Status)) or Status.ACTIVE)
    search = searched(request)
    standing = word_in(request, "standing", tuple(StatusGroup))
    wanted = Wanted.typed(search.text, status, StatusGroup(standing) if standing else None)
    return replace(wanted, is_nobody=search.is_lost)


def order_of_people(request: ScopedRequest) -> Order[Sort]:
    return order_in(request.GET, Order(Sort.PERSON))
