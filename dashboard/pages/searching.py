"""Searches for people: taken by POST, so that names stand in no address, and shown by the page they are for."""

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from dashboard.pages.settings.guards import decider
from dashboard.rate_limits import limited
from dashboard.requests.searches import PARAMETER, keep
from dashboard.requests.sent_forms import FIELD
from dashboard.scoped_request import ScopedRequest

# The pages that people are looked for on, by the names of their addresses.
PAGES = frozenset({"people", "exemptions", "request_exemption"})
# What of a form does not go into the address; a new search begins at the first page.
_NOT_CARRIED = frozenset({"q", "page", "csrfmiddlewaretoken", FIELD, PARAMETER})


class HttpResponseSeeOther(HttpResponseRedirect):
    """Leads to a page that is asked for by GET, whatever led here."""

    status_code = 303


@require_POST
@limited("search", when=lambda request: request.POST.get("q"))
def keep_search(request: ScopedRequest, page: str) -> HttpResponse:
    """Keep what is looked for and lead to the page's address with its key, and with the filters sent along.

    404 for a page that nobody is looked for on.
    """
    if page not in PAGES:
        raise Http404
    query = request.POST.copy()
    for name in _NOT_CARRIED & query.keys():
        del query[name]
    for name, values in list(query.lists()):
        query.setlist(name, [value for value in values if value])
    if key := keep(decider(request).pk, request.POST.get("q", "")):
        query[PARAMETER] = key
    address = reverse(page)
    return HttpResponseSeeOther(f"{address}?{query.urlencode()}" if query else address)
