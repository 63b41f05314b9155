"""Filter and order of the list of campaigns."""

from dashboard.metrics import Requirement
from dashboard.queries.campaigns import Sort
from dashboard.requests.fields import word_in
from dashboard.requests.sorting import Order, order_in
from dashboard.scoped_request import ScopedRequest


def order_of_campaigns(request: ScopedRequest) -> Order[Sort]:
    return order_in(request.GET, Order(Sort.STATE))


def requirement_in(request: ScopedRequest) -> frozenset[str]:
    text = word_in(request, "requirement", Requirement.values)
    return frozenset({text} if text else ())
