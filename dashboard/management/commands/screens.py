"""`manage.py screens`: pictures of every page of the running demo.

Every page at the size of a desk, in the light; those people open most in the dark and on a phone, too. `--all` takes
every page at both sizes and in both lights, for looking at and not for keeping.
"""

import base64
import re
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from dashboard.identity.demo import MADE_UP, demo_password
from dashboard.models import Role
from dashboard.pages.context import NAVIGATION

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SIZES = {"desk": (1440, 1200), "phone": (390, 844)}
LIGHTS: tuple[Literal["light", "dark"], ...] = ("light", "dark")
# Beside every page at the desk, in the light: the pages that are opened most.
ALSO = {("desk", "dark"): ("overview", "past-due", "trends"), ("phone", "light"): ("overview", "past-due", "campaign")}
QUALITY = 82
# Chromium draws no taller picture at once.
TALLEST = 16_000
CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
# Pages that no entry of the navigation leads to: under which address the first link to one is found, and its name.
BELOW = (
    ("campaigns/", r"/campaigns/\d+/", "campaign"),
    ("past-due/", r"/people/\d+/", "person"),
    ("sync/", r"/sync/runs/\d+/", "sync-run"),
    ("settings/campaigns/", r"/settings/campaigns/\d+/", "settings-campaign"),
    ("settings/departments/", r"/settings/departments/\d+/", "settings-department"),
    ("settings/accounts/", r"/settings/accounts/\d+/check/", "api-check"),
)
BESIDE = (
    ("past-due/?by=manager", "past-due-by-manager"),
    ("past-due/?by=campaign", "past-due-by-campaign"),
    ("numbers/completion_rate/", "passport"),
    ("trends/?period=month", "trends-by-month"),
    ("exports/past_due/", "export"),
    ("schedules/new/", "schedule-new"),
    ("sync/changes/", "sync-changes"),
    ("sync/vanished/", "sync-vanished"),
    ("sync/imports/", "sync-imports"),
    ("settings/campaigns/", "settings-campaigns"),
    ("settings/departments/", "settings-departments"),
    ("settings/exemptions/", "exemptions"),
    ("settings/members/", "members"),
    ("settings/sign-on/", "single-sign-on"),
    ("settings/licenses/", "settings-licenses"),
    ("settings/mail/", "settings-mail"),
    ("settings/reports/", "settings-reports"),
    ("settings/log/", "settings-log"),
    ("settings/exemptions/new/", "exemption-new"),
    ("settings/members/invite/", "member-invite"),
    ("settings/accounts/new/", "account-new"),
    ("you/", "profile"),
    ("you/access/", "your-access"),
    ("you/tokens/", "api-and-assistants"),
    ("you/tokens/reference/", "api-reference"),
)


class Command(BaseCommand):
    """Takes the pictures in `docs/screens`, of which the README shows some."""

    help = (
        "Take pictures of every page of the running demo, at 1440 pixels and some at 390, some in the dark, with "
        "Playwright and the system's Chromium. The demo must be running on this machine: bin/run."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the demo's address and where the pictures go."""
        parser.add_argument("--url", default=settings.PUBLIC_URL, help="where the demo runs (default %(default)s)")
        parser.add_argument("--to", type=Path, default=Path("docs/screens"), help="default: %(default)s")
        parser.add_argument("--only", metavar="PAGE", help="only the pages whose name begins so")
        parser.add_argument("--all", action="store_true", help="every page at both sizes and in both lights")

    def handle(self, *_: Any, url: str, to: Path, only: str | None, **options: Any) -> None:
        """Take them all; a page that does not answer with 200 is an error, told after the others are taken."""
        try:
            from playwright.sync_api import Error, sync_playwright  # noqa: PLC0415 - only this command needs it
        except ImportError:
            raise CommandError(
                "Pictures are taken with Playwright, which is not installed: bin/install base embedded test."
            ) from None
        found = next((path for path in CHROMIUM if Path(path).exists()), None)
        if found is None:
            raise CommandError("Pictures are taken with Chromium, which is not on this machine: install it.")
        to.mkdir(parents=True, exist_ok=True)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
            try:
                problems = list(self._take(browser, url.rstrip("/") + "/", to, only or "", is_all=options["all"]))
            except Error as error:
                raise CommandError(f"{url} does not answer as the demo does: {_first_line(error)}") from error
            finally:
                browser.close()
        if problems:
            raise CommandError("\n".join(problems))

    def _take(self, browser: "Browser", url: str, to: Path, only: str, *, is_all: bool) -> Iterator[str]:
        """Take the pictures and yield what went wrong."""
        pages: dict[str, str] = {}
        for size, (width, height) in SIZES.items():
            for light in LIGHTS:
                context = browser.new_context(
                    viewport={"width": width, "height": height}, color_scheme=light, reduced_motion="reduce"
                )
                page = context.new_page()
                page.goto(url)
                # The second time the font is at hand, which is not waited for.
                page.reload()
                wanted = None if is_all or (size, light) == ("desk", "light") else ALSO.get((size, light), ())
                if (wanted is None or "sign-in" in wanted) and "sign-in".startswith(only):
                    self._picture(page, to / f"sign-in-{size}-{light}.webp")
                _sign_in(page, url)
                pages = pages or _pages(page, url)
                for name, address in pages.items():
                    if not name.startswith(only) or (wanted is not None and name not in wanted):
                        continue
                    answer = page.goto(address)
                    if answer is None or not answer.ok:
                        yield f"{urlsplit(address).path} answered {answer.status if answer else 'nothing'}."
                        continue
                    self._picture(page, to / f"{name}-{size}-{light}.webp")
                context.close()

    def _picture(self, page: "Page", path: Path) -> None:
        """Take the whole page. As WebP, a tenth of a PNG's size, which Playwright cannot write by itself."""
        page.wait_for_load_state("networkidle")
        page.evaluate("document.fonts.ready")
        width, height = page.evaluate("[document.documentElement.clientWidth, document.documentElement.scrollHeight]")
        session = page.context.new_cdp_session(page)
        taken = session.send(
            "Page.captureScreenshot",
            {
                "format": "webp",
                "quality": QUALITY,
                "captureBeyondViewport": True,
                "clip": {"x": 0, "y": 0, "width": width, "height": min(height, TALLEST), "scale": 1},
            },
        )
        session.detach()
        path.write_bytes(base64.b64decode(taken["data"]))
        self.stdout.write(str(path))


def _sign_in(page: "Page", url: str) -> None:
    """Sign in as the demo's administrator, who sees every page."""
    page.get_by_label("Email").fill(MADE_UP[Role.ADMINISTRATOR][0])
    page.get_by_label("Password", exact=True).fill(demo_password(settings.VAR_DIR))
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(url, timeout=10_000)


def _pages(page: "Page", url: str) -> dict[str, str]:
    """Return the address of every page by its picture's name: the navigation's, and one below each list."""
    entries = {entry.name: urljoin(url, reverse(entry.name)) for group in NAVIGATION for entry in group}
    found = {name.replace("_", "-"): address for name, address in entries.items()}
    for address, name in BESIDE:
        found[name] = urljoin(url, address)
    for listing, pattern, name in BELOW:
        page.goto(urljoin(url, listing))
        links = page.eval_on_selector_all("main a[href]", "links => links.map(link => link.href)")
        below = next((link for link in links if re.fullmatch(pattern, urlsplit(link).path)), None)
        if below is not None:
            found[name] = below
    if "campaign" in found:
        found["campaign-beside-knowbe4"] = urljoin(found["campaign"], "knowbe4/")
    return found


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
