"""Before the first data: how to connect KnowBe4, step by step, with the step that is next ready to do."""

from django.http import HttpResponse
from django.shortcuts import render

from dashboard.pages.account_form import AccountForm
from dashboard.pages.sync_requests import SyncPanel
from dashboard.queries.connections import connection
from dashboard.scoped_request import ScopedRequest

# The console of each region, where a key is made (KnowBe4's API documentation of September 2025).
CONSOLES = {
    "us": "https://training.knowbe4.com",
    "eu": "https://eu.knowbe4.com",
    "ca": "https://ca.knowbe4.com",
    "uk": "https://uk.knowbe4.com",
    "de": "https://de.knowbe4.com",
}


def no_data(request: ScopedRequest, panel: SyncPanel, title: str) -> HttpResponse:
    """Show what is still to be done until there are figures, to whoever may do it and to whoever waits for it.

    `title` is that of the page that was asked for.
    """
    account, status = request.account, panel.status
    known = connection(account, request.scope.runs(), as_of=request.now)
    is_refused = status.has_key and known.is_accepted is False and not panel.is_live
    return render(
        request,
        "dashboard/no_data.html",
        {
            "panel": panel,
            "title": title,
            "connection": known,
            "form": AccountForm(account) if request.scope.is_administrator else None,
            "console": CONSOLES.get(account.region, CONSOLES["us"]),
            "needs_key": not status.has_key or is_refused,
            "is_refused": is_refused,
        },
    )
