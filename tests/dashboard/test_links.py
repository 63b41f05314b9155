"""Links lead to pages that are there: no link of a scoped reader's pages leads to a page that is not theirs."""

import re
from html import unescape
from urllib.parse import urljoin

import pytest
from django.test import Client

from tests.dashboard.canary import MAY_SEE, Canary
from tests.dashboard.signing_in import sign_in_lately

pytestmark = pytest.mark.slow
LINKS = re.compile(r'<a [^>]*href="([^"#]+)')
PAGES = ("/", "/past-due/", "/campaigns/", "/people/", "/trends/", "/review/", "/reports/", "/exports/", "/sync/")
# Where names are all that differs, one address stands for all.
KEY = re.compile(r"\d+")


@pytest.fixture
def canary(marked_companies: Canary, db: None, redis_url: str) -> Canary:
    """Return a company with readers of every role."""
    return marked_companies


@pytest.mark.parametrize("role", ["administrator", "auditor", "department_head", "people_manager", "borrower"])
def test_every_link_leads_to_a_page_of_the_readers(canary: Canary, role: str) -> None:
    assert role in MAY_SEE
    client = sign_in_lately(Client(), canary.readers[role])
    waiting, known, dead = list(PAGES), set(PAGES), []
    while waiting:
        address = waiting.pop()
        response = client.get(address)
        if response.status_code not in {200, 302}:
            dead.append(f"{response.status_code} {address}")
        if response.status_code != 200 or not response["Content-Type"].startswith("text/html"):
            continue
        for link in LINKS.findall(response.content.decode()):
            found = urljoin(address, unescape(link))
            shape = KEY.sub("0", found.partition("?")[0])
            if found.startswith("/") and not found.startswith(("//", "/static/")) and shape not in known:
                known.add(shape)
                waiting.append(found)
    assert not dead, "\n".join(dead)
