"""Every page and fragment asked for as a browser asks: through the whole middleware, nothing cached, in this process.

Beside the wall time stands the processor time of this process: on a busy machine the one that tells what a page costs.
Each page is asked in turns with the database's own wall (`dashboard.row_security`) and without, which tells what it
costs.
"""

import gzip
import re
import statistics
import time
from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.db import connection, transaction
from django.test import Client
from django.test.utils import override_settings

from dashboard.access import Scope
from dashboard.benchmark.endpoints import FRAGMENTS, PAGES, Endpoint, Places
from dashboard.benchmark.queries import Statements, percentile
from dashboard.models import Membership, User
from dashboard.services.accounts import grant_administrator
from dashboard.web.session_cookie import signed
from sync.benchmark.figures import Figure
from sync.models import Account

PAGE_GOAL, FRAGMENT_GOAL = 50.0, 30.0
# Compressed, in kilobytes of 1,000 bytes.
HTML_GOAL, FIRST_PAINT_GOAL = 60.0, 100.0
# What row-level security may add to all pages together, in percent.
WALL_GOAL = 10.0
COMPRESSION = 6
RUNS, WARM_UP = 20, 2
# What a page needs before it is drawn: style sheets, scripts that do not wait, and fonts.
_NEEDED = re.compile(r'<link rel="stylesheet"[^>]* href="([^"]+)"|<script src="([^"]+)"')
_FONT = re.compile(r"url\(([^)]+\.woff2)\)")


def measure_pages(
    account: Account, *, now: datetime, say: Callable[[str], None], runs: int = RUNS, only: str = ""
) -> list[Figure]:
    """Return the 95th percentile of each page and fragment, in milliseconds, and what has to be sent for it.

    A reader is made for the time of it, and undone: nothing of the installation changes. `only`: names that begin so.
    """
    with transaction.atomic():
        reader = User.objects.create_user("benchmark@rollcall.invalid")
        grant_administrator(reader, account)
        client = Client(SERVER_NAME=_host())
        client.force_login(reader)
        session = client.session
        session["account"] = account.pk
        session.save()
        # As a browser has it: the client puts the bare key there, which nobody is signed in by.
        client.cookies[settings.SESSION_COOKIE_NAME] = signed(str(session.session_key))
        places = Places(
            Scope(account=account, roles=frozenset({Membership.Role.ADMINISTRATOR})), now=now, reader=reader.pk
        )
        asker = _Asker(client, places, runs)
        figures: list[Figure] = []
        for kind, endpoints, goal in (("page", PAGES, PAGE_GOAL), ("fragment", FRAGMENTS, FRAGMENT_GOAL)):
            for endpoint in endpoints:
                if not endpoint.name.startswith(only):
                    continue
                figure = asker.measure(f"{kind}: {endpoint.name}", endpoint, goal)
                say(f"{figure.name}: {figure.measured} ({figure.goal}; {figure.remarks})")
                figures.append(figure)
        if asker.medians:
            figures.append(_wall(asker.medians))
        if not only:
            figures += [_largest(asker.sizes), _first_paint(asker.ask(PAGES[0]))]
        transaction.set_rollback(True)
    return figures


def _host() -> str:
    """Return a host name that the site answers to."""
    name = settings.ALLOWED_HOSTS[0] if settings.ALLOWED_HOSTS else "127.0.0.1"
    return f"benchmark{name}" if name.startswith(".") else "127.0.0.1" if name == "*" else name


class _Asker:
    """Asks as one browser that is signed in."""

    def __init__(self, client: Client, places: Places, runs: int) -> None:
        self._client, self._places, self._runs = client, places, runs
        self.sizes: dict[str, float] = {}
        # Of each page and fragment, with row-level security and without.
        self.medians: list[tuple[float, float]] = []

    def ask(self, endpoint: Endpoint) -> bytes:
        """Return the answer, which must be one: an error would be quick, and so is none of the figures."""
        headers = {"hx-request": "true", "hx-target": endpoint.target} if endpoint.target else {}
        address = endpoint.address(self._places)
        answer = self._client.get(address, headers=headers, secure=settings.SECURE_SSL_REDIRECT)
        if answer.status_code != 200:
            raise ValueError(f"{address} answered {answer.status_code}.")
        return answer.content

    def measure(self, name: str, endpoint: Endpoint, goal: float) -> Figure:
        """Ask so many times, each time about something else as far as the endpoint allows."""
        sizes = [_kilobytes(self.ask(endpoint)) for _again in range(WARM_UP)]
        counter = Statements()
        with connection.execute_wrapper(counter):
            self.ask(endpoint)
        with_wall, processor, without = [], [], []
        for _run in range(self._runs):
            used = time.process_time()
            milliseconds, answer = self._timed(endpoint)
            with_wall.append(milliseconds)
            processor.append((time.process_time() - used) * 1_000)
            sizes.append(_kilobytes(answer))
            with override_settings(ROW_SECURITY=False):
                without.append(self._timed(endpoint)[0])
        self.sizes[name] = max(sizes)
        self.medians.append((statistics.median(with_wall), statistics.median(without)))
        return Figure(
            name,
            round(percentile(with_wall, 95), 2),
            "ms",
            at_most=goal,
            beside={
                "median ms": round(statistics.median(with_wall), 2),
                "without row security ms": round(statistics.median(without), 2),
                "processor ms": round(statistics.median(processor), 2),
                "in Postgres ms": round(counter.milliseconds, 2),
                "queries": counter.count,
                "kB": round(max(sizes), 1),
                "runs": self._runs,
            },
        )

    def _timed(self, endpoint: Endpoint) -> tuple[float, bytes]:
        """Return how many milliseconds an answer took, and the answer."""
        began = time.perf_counter()
        answer = self.ask(endpoint)
        return (time.perf_counter() - began) * 1_000, answer


def _wall(medians: list[tuple[float, float]]) -> Figure:
    """Return what row-level security adds to all that was asked, by the sum of the medians."""
    on, off = (sum(of_door) for of_door in zip(*medians, strict=True))
    ratios = sorted(one / other for one, other in medians)
    beside = {"sum ms": round(on, 1), "without ms": round(off, 1), "median ratio": round(statistics.median(ratios), 3)}
    return Figure("row-level security adds", round((on / off - 1) * 100, 1), "%", at_most=WALL_GOAL, beside=beside)


def _largest(sizes: dict[str, float]) -> Figure:
    """Return the size of the largest page, compressed."""
    return Figure("largest page", round(max(sizes.values(), default=0.0), 1), "kB", at_most=HTML_GOAL)


def _first_paint(answer: bytes) -> Figure:
    """Return what a browser loads before it draws: the HTML, style sheets, scripts and fonts, compressed."""
    html = answer.decode()
    names = [first or second for first, second in _NEEDED.findall(html)]
    files = [_file(name) for name in names]
    fonts = {font for text in files for font in _FONT.findall(text.decode(errors="replace"))}
    parts = {
        "HTML": _kilobytes(answer),
        "style sheets": sum(_kilobytes(text) for name, text in zip(names, files, strict=True) if ".css" in name),
        "scripts": sum(_kilobytes(text) for name, text in zip(names, files, strict=True) if ".js" in name),
        "fonts": sum(len(_file(font.rsplit("/", 1)[-1])) / 1_000 for font in fonts),
    }
    return Figure(
        "first paint of the Overview",
        round(sum(parts.values()), 1),
        "kB",
        at_most=FIRST_PAINT_GOAL,
        beside={**{name: round(size, 1) for name, size in parts.items()}, "files": 1 + len(names) + len(fonts)},
    )


def _file(address: str) -> bytes:
    """Return what a static address serves. ValueError when there is no such file."""
    name = address.split("?", maxsplit=1)[0].removeprefix(settings.STATIC_URL)
    if staticfiles_storage.exists(name):
        with staticfiles_storage.open(name) as stored:
            return stored.read()
    found = finders.find(name)
    if found is None:
        raise ValueError(f"{address} is not among the static files.")
    with open(found, "rb") as file:  # noqa: PTH123 - finders return plain paths
        return file.read()


def _kilobytes(content: bytes) -> float:
    return len(gzip.compress(content, COMPRESSION)) / 1_000
