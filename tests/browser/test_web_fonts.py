"""Inter in Chromium: pages are drawn in it, keep still when it comes late, and fit the window in any other font."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from dashboard.models import User
from dashboard.web.fonts import EXTENDED, LATIN
from sync.models import Account, Department, Person
from tests.browser.accessibility import assert_fits
from tests.dashboard.signing_in import sign_in_lately

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

# Names as long as names are, in scripts that Inter has not.
FAR_NAMES = (
    "พิพัฒน์พงศ์ ศรีสุวรรณรัตน์ชัยกุล",
    "محمد عبد الرحمن بن عبد العزيز الأنصاري",
    "აბდულაჰ-გიორგი ჩიქოვანიშვილი",
    "欧阳明珠 田中一郎左衛門",
)
WIDTHS = (360, 760, 970, 1024, 1440)
# What WCAG 2.2 lets readers set without losing anything (1.4.12): wider than any font that stands in.
SPACED = "* { letter-spacing: 0.12em !important; word-spacing: 0.16em !important; }"
SHIFT = """() => new Promise((resolve) => {
  new PerformanceObserver((list) => resolve(list.getEntries().reduce((sum, entry) => sum + entry.value, 0)))
    .observe({ type: "layout-shift", buffered: true });
  setTimeout(() => resolve(0), 300);
})"""


@pytest.fixture
def fontless(browser: Browser, live_server: LiveServer, alice: User) -> Iterator[Page]:
    """Yield a page signed in as Alice whose browser is refused every font."""
    context = browser.new_context(bypass_csp=True)
    cookie = sign_in_lately(Client(), alice).cookies[settings.SESSION_COOKIE_NAME]
    context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
    context.route("**/*.woff2", lambda route: route.abort())
    yield context.new_page()
    context.close()


def drawn_in(page: Page, selector: str) -> set[str]:
    """Return the fonts that the text of an element is drawn in; "Inter" only where it is ours."""
    session = page.context.new_cdp_session(page)
    session.send("DOM.enable")
    session.send("CSS.enable")
    root = session.send("DOM.getDocument")["root"]["nodeId"]
    node = session.send("DOM.querySelector", {"nodeId": root, "selector": selector})["nodeId"]
    fonts: list[dict[str, Any]] = session.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
    session.detach()
    return {font["familyName"] if font["isCustomFont"] else f"{font['familyName']} of the system" for font in fonts}


def drawn_anew(page: Page, selector: str) -> set[str]:
    """Return what an element is drawn in once the browser has the fonts at hand: loaded until it has them in time."""
    for _again in range(20):
        page.evaluate("document.fonts.ready")
        found = drawn_in(page, selector)
        if found == {"Inter"}:
            break
        page.reload()
    return found


def test_pages_are_drawn_in_inter(watched: Page, live_server: LiveServer) -> None:
    asked: list[str] = []
    watched.on("request", lambda sent: asked.append(sent.url))
    watched.goto(live_server.url)
    assert drawn_anew(watched, "h1") == {"Inter"}
    assert drawn_in(watched, "label") == {"Inter"}
    assert watched.evaluate("document.fonts.check('600 34px Inter', 'Rates 12.5 % – →')")
    assert any(LATIN in url for url in asked)
    assert not any(EXTENDED in url for url in asked)


def test_names_in_greek_and_cyrillic_are_drawn_in_inter(
    sign_in: Callable[[User], Page], live_server: LiveServer, company: Account, alice: User
) -> None:
    person = Person.objects.filter(account=company).order_by("pk")[0]
    person.first_name, person.last_name = "Дмитрий", "Παπαδόπουλος"
    person.save()
    page = sign_in(alice)
    page.goto(live_server.url + reverse("person", args=[person.pk]))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Дмитрий")
    assert drawn_anew(page, "h1") == {"Inter"}


def test_a_page_whose_font_comes_late_keeps_still(browser: Browser, live_server: LiveServer) -> None:
    def late(route: Route) -> None:
        time.sleep(1)
        route.continue_()

    context = browser.new_context()
    context.route("**/*.woff2", late)
    page = context.new_page()
    page.goto(live_server.url)
    page.evaluate("document.fonts.load('14px Inter')")
    assert page.evaluate("document.fonts.check('14px Inter')")
    assert "Inter" not in drawn_in(page, "h1")
    assert page.evaluate(SHIFT) == 0
    context.close()


def test_no_page_is_wider_than_the_window_in_any_font(
    fontless: Page, live_server: LiveServer, company: Account
) -> None:
    people = Person.objects.filter(account=company).order_by("pk")
    for place, person in enumerate(people):
        person.first_name, person.last_name = FAR_NAMES[place % len(FAR_NAMES)].split(" ", 1)
        person.save()
    for place, department in enumerate(Department.objects.filter(account=company).order_by("pk")):
        department.name = FAR_NAMES[place % len(FAR_NAMES)]
        department.save()
    addresses = [reverse(name) for name in ("overview", "past_due", "campaigns", "people", "trends", "sync")]
    for address in (*addresses, reverse("person", args=[people[0].pk])):
        fontless.goto(live_server.url + address)
        fontless.add_style_tag(content=SPACED)
        for width in WIDTHS:
            fontless.set_viewport_size({"width": width, "height": 900})
            assert_fits(fontless, f"{address} at {width}")
