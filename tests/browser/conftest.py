"""Chromium against the real site: who signs in, and what no page may ever do."""

import re
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import ConsoleMessage, Error, Page, Request, Response
from pytest_django.live_server_helper import LiveServer

from dashboard.models import User
from tests import factories
from tests.dashboard.conftest import account, alice, charlie, company, published
from tests.dashboard.signing_in import sign_in_lately

__all__ = ["account", "alice", "charlie", "company", "published"]


@pytest.fixture(scope="session")
def base_url() -> str:
    """Return no base address: pages are named by the live server's own (the plugin's fixture warns under pytest 9)."""
    return ""


@pytest.fixture
def watched(page: Page, live_server: LiveServer) -> Iterator[Page]:
    """Yield the page; afterwards no error may be in its console and no request may have gone to another host."""
    errors: list[str] = []
    home = urlsplit(live_server.url).netloc

    def console(message: ConsoleMessage) -> None:
        # Chromium counts five seconds by the wall, however busy the machine is; test_web_fonts sees that they are used.
        late = "was preloaded using link preload but not used within" in message.text
        # And it repeats what a page of another account than the session's is answered.
        refused = "status of 409 (Conflict)" in message.text
        if message.type in {"error", "warning"} and not (late or refused):
            errors.append(f"console: {message.text}")

    def request(sent: Request) -> None:
        if urlsplit(sent.url).netloc != home:
            errors.append(f"request to {sent.url}")

    def response(received: Response) -> None:
        if received.status >= 500 or (received.status == 404 and "/static/" in received.url):
            errors.append(f"{received.status} from {received.url}")

    def script(error: Error) -> None:
        # The browser's own word for a fade between two pages that it left out, as it may on a busy machine.
        if not re.search("Transition was (aborted|skipped)", str(error)):
            errors.append(f"script: {error}")

    page.on("console", console)
    page.on("request", request)
    page.on("response", response)
    page.on("pageerror", script)
    yield page
    found = list(errors)
    page.close()  # a page left open might still ask while the tables are being emptied
    assert found == []


@pytest.fixture
def sign_in(watched: Page, live_server: LiveServer) -> Callable[[User], Page]:
    """Return a function that opens the first page as a user who has just signed in, which spares the form."""

    def by_a_session(user: User) -> Page:
        client = sign_in_lately(Client(), user)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME]
        watched.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
        watched.goto(f"{live_server.url}/")
        return watched

    return by_a_session


@pytest.fixture
def sign_in_by_the_form(watched: Page, live_server: LiveServer) -> Callable[[User], Page]:
    """Return a function that signs a user in through the form and returns the page they land on."""

    def through_the_form(user: User) -> Page:
        watched.goto(live_server.url)
        watched.get_by_label("Email").fill(user.email)
        watched.get_by_label("Password", exact=True).fill(factories.PASSWORD)
        watched.get_by_role("button", name="Sign in").click()
        watched.wait_for_url(f"{live_server.url}/")
        return watched

    return through_the_form
