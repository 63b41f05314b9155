"""Names turn no sentence around and hide nothing, in every medium; what is stored stays as it came."""

import re
from collections.abc import Iterator
from datetime import datetime
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import F, Value
from django.db.models.functions import Concat
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from dashboard import isolation
from dashboard.access import Scope
from dashboard.isolation import is_plain, isolated, isolated_html, visible
from dashboard.mail.composing import compose
from dashboard.models import Schedule
from dashboard.reports import Kind, Question, make
from sync.models import Campaign, ContentItem, Department, Group, Person
from tests.dashboard.canary import Canary
from tests.dashboard.mcp.asking import scope_of, told
from tests.dashboard.routes import addresses, names
from tests.dashboard.walking import NOT_WALKED, signed_in

# Characters that set a direction or have no width, none of which a reader may meet but in pairs of ours.
HIDDEN = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2067\u206a-\u206f\ufeff\U000e0000-\U000e0fff]"
)
RIGHT = re.compile("[\u0590-\u08ff]")
LYING = "\u202ereversed \u2066left\u200bover\u2060"
ARABIC = "\u0645\u062d\u0645\u062f"
PIECES = [
    *"a1 <&\"'>=\n,;",
    "\u202e",
    "\u2066",
    "\u2069",
    "\u200b",
    "\u200d",
    "\u00ad",
    "\ufeff",
    "\U000e0041",
    *ARABIC,
    "\u05d3",
    "é",
    "山",
    "👩",
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


class Shown(HTMLParser):
    """Texts that a page shows and reads out, each text with whether it stands in an isolate."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the element, and its values that are shown."""
        if tag in {"bdi", "script", "style", "textarea"}:
            self.open.append(tag)
        shown = ("title", "alt", "placeholder", "data-label", "data-title")
        self.texts += [(value or "", False) for name, value in attrs if name in shown or name.startswith("aria-")]

    def handle_endtag(self, tag: str) -> None:
        """Leave the element."""
        if tag in self.open:
            self.open.remove(tag)

    def handle_data(self, data: str) -> None:
        """Note the text of an element."""
        if not {"script", "style", "textarea"} & {*self.open}:
            self.texts.append((data, "bdi" in self.open))


def assert_isolated(text: str, *, is_in_isolate: bool = False) -> None:
    """Fail for a hidden character, and for a letter written right to left outside an isolate."""
    assert HIDDEN.search(text) is None, ascii(text)
    outside = re.sub("\u2068[^\u2068\u2069]*\u2069", "", text)
    assert not re.search("[\u2068\u2069]", outside), ascii(text)
    assert is_in_isolate or RIGHT.search(outside) is None, ascii(text)


def assert_page_isolated(page: str) -> None:
    """Fail for a text of a page, or a value that is read out, that is not isolated."""
    shown = Shown()
    shown.feed(page)
    for text, is_in_isolate in shown.texts:
        assert_isolated(text, is_in_isolate=is_in_isolate)


@given(text=TEXTS)
def test_texts_are_isolated_once(text: str) -> None:
    shown = isolated(text)
    assert_isolated(shown)
    assert isolated(shown) == shown
    assert visible(shown) == visible(text) or shown == isolation.UNSEEN
    assert is_plain(text.encode()) <= (shown == text)


@given(text=TEXTS)
def test_html_is_isolated_and_forms_send_back_what_was_there(text: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    page = (
        f'<!doctype html><title>{escaped}</title><p class="x" title="{escaped}"><a href="/people/1/">{escaped}</a> owes'
        f'</p><input value="{escaped}"><textarea>{escaped}</textarea><option value="{escaped}">{escaped}</option>'
    )
    shown = isolated_html(page)
    assert_page_isolated(shown)
    assert re.findall(r'value="[^"]*"|<textarea>[^<]*', shown) == re.findall(r'value="[^"]*"|<textarea>[^<]*', page)
    if visible(text).strip():
        assert re.sub("</?bdi>", "", visible(shown)) == visible(page)
    assert is_plain(page.encode()) <= (shown == page)


def test_a_name_alone_is_an_element_and_no_sentence_is_split() -> None:
    """Parts of a row each stay one part."""
    page = f"<h1> {ARABIC}\u202e {ARABIC} </h1><p>{ARABIC} owes 1</p><title>{ARABIC}</title>"
    assert isolated_html(page) == (
        f"<h1> <bdi>{ARABIC} {ARABIC}</bdi> </h1><p>\u2068{ARABIC}\u2069 owes 1</p><title>\u2068{ARABIC}\u2069</title>"
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\u202eesreveR Override owes 1 of 1", "esreveR Override owes 1 of 1"),
        ("Zero\u200bWidth", "ZeroWidth"),
        ("\u202e\u200b", "\ufffd"),
        (f"{ARABIC} {ARABIC}, 3 of 4", f"\u2068{ARABIC} {ARABIC}\u2069, 3 of 4"),
        (
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
            "\u2068\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645\u2069",
        ),
        ("👩\u200d🚀 Rockets", "👩\u200d🚀 Rockets"),
        ("A\u200dnna", "Anna"),
        ("col\x1b[31mor", "col[31mor"),
        ("two\nlines – “so”…", "two\nlines – “so”…"),
    ],
)
def test_what_is_left_out_and_what_is_kept(text: str, shown: str) -> None:
    assert isolated(text) == shown


@pytest.fixture
def canary(marked_companies: Canary, db: None, redis_url: str) -> Canary:
    """Return the marked companies, with names that lie and names that are written from the right."""
    Person.objects.update(
        first_name=Concat(Value(LYING), F("first_name")), last_name=Concat(Value(f"{ARABIC} "), F("last_name"))
    )
    Person.objects.exclude(manager_name="").update(manager_name=Concat(Value(LYING), F("manager_name")))
    for model in (Department, Campaign, Group, ContentItem):
        model.objects.exclude(name="").update(name=Concat(Value(f"{LYING}{ARABIC} "), F("name")))
    return marked_companies


@pytest.mark.slow
def test_every_page_is_isolated(canary: Canary) -> None:
    client, met = signed_in(canary, "administrator"), 0
    for name in names():
        if name in NOT_WALKED:
            continue
        for address in addresses(name, canary.keys):
            response = client.get(address)
            if response.status_code == 200 and response["Content-Type"].startswith("text/html"):
                page = response.content.decode()
                assert_page_isolated(page)
                met += "reversed" in page
    assert met > 40


def test_pages_are_isolated(canary: Canary) -> None:
    client = signed_in(canary, "administrator")
    for address in ("/people/", "/past-due/", f"/people/{canary.keys['person'][0]}/", "/campaigns/", "/exemptions/"):
        page = client.get(address).content.decode()
        assert_page_isolated(page)
    people = client.get("/people/").content.decode()
    assert "reversed leftover" in people
    assert f"\u2068{ARABIC}\u2069" in people


def test_reports_are_isolated(canary: Canary, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """The words that Typst is given, for every report: a program that reads PDF orders letters as it likes."""
    seen: list[str] = []

    def shown(data: Any) -> Any:
        seen.extend(texts_of(data))
        return data

    monkeypatch.setattr("dashboard.reports.rendering.displayable", shown)
    question = Question(Scope.of(canary.readers["administrator"], chosen=canary.account.pk), now, now)
    for kind in Kind:
        subject = canary.keys.get(kind.value, [None])[0]
        assert make(kind, question, subject=subject) is not None
    assert any("reversed leftover" in text for text in seen)
    for text in seen:
        assert_isolated(text.replace("\u200b", ""))


def texts_of(data: Any) -> Iterator[str]:
    """Return every text in data."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict | list | tuple):
        for value in data.values() if isinstance(data, dict) else data:
            yield from texts_of(value)


def test_tools_are_isolated(canary: Canary) -> None:
    met = ""
    for _name, _arguments, answered in told(scope_of(canary.readers["administrator"], canary.account)):
        for text in texts_of(answered):
            assert_isolated(text)
            met += text
    assert "reversed leftover" in met
    assert f"\u2068{ARABIC}\u2069" in met


def test_reports_in_the_terminal_are_isolated(canary: Canary) -> None:
    out = StringIO()
    call_command("report", "completion_rate", by="department", account=canary.account.name, stdout=out)
    assert f"reversed leftover\u2068{ARABIC}\u2069 Claims" in out.getvalue()
    assert_isolated(out.getvalue())


def test_mails_are_isolated(canary: Canary, now: datetime, tmp_path: Path, settings: Any) -> None:
    schedule = Schedule.objects.filter(account=canary.account).order_by("pk")[0]
    schedule.name = f"{LYING}{ARABIC} 1"
    schedule.query = f"department={canary.keys['department'][0]}"
    copy = compose(schedule, canary.readers["administrator"], at=now, place=tmp_path / "report")
    message = copy.message()
    plain, html = (message.get_body((kind,)).get_content() for kind in ("plain", "html"))  # type: ignore[union-attr]
    assert_isolated(str(message["Subject"]))
    assert_isolated(plain)
    assert_page_isolated(html)
    assert "reversed leftover" in plain and f"\u2068{ARABIC}\u2069" in html


def test_a_copied_name_is_found(canary: Canary) -> None:
    client = signed_in(canary, "administrator")
    answer = client.post("/search/people/", {"q": f"\u2068{ARABIC}\u2069 zqmarkax"})
    assert "reversed leftover" in client.get(answer["Location"]).content.decode()


def test_what_is_data_stays(canary: Canary) -> None:
    """Files for spreadsheets hold names as they came: whoever looks somebody up in KnowBe4 needs them so."""
    client = signed_in(canary, "administrator")
    response = client.post(reverse("export", args=["people"]), {"format": "csv", "column": ["person"]})
    assert f"{LYING}Ann" in b"".join(response.streaming_content).decode()
