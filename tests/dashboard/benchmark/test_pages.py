"""The table of pages: one figure for each page and fragment, what is sent, and nothing left behind."""

import pytest
from django.test.client import ClientMixin

from dashboard.benchmark import endpoints, pages
from dashboard.models import Membership, User
from sync.benchmark.figures import Figure
from tests.session_cookies import PLAIN


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a page and a fragment stand for all of them."""
    monkeypatch.setattr(pages, "PAGES", endpoints.PAGES[:1])
    monkeypatch.setattr(pages, "FRAGMENTS", endpoints.FRAGMENTS[1:2])


@pytest.mark.slow
@pytest.mark.django_db
def test_pages_and_fragments_are_measured(account, now, few):
    said: list[str] = []

    found = {figure.name: figure for figure in pages.measure_pages(account, now=now, say=said.append, runs=2)}

    page, fragment = found["page: overview"], found["fragment: list of past due of a department"]
    assert (page.at_most, fragment.at_most) == (50, 30)
    for figure in (page, fragment):
        assert 0 < figure.beside["median ms"] <= figure.value
        assert figure.beside["queries"] > 0
    assert found["largest page"].is_met
    paint: Figure = found["first paint of the Overview"]
    assert paint.is_met
    assert paint.beside["style sheets"] > 5
    wall = found["row-level security adds"].beside
    assert wall["sum ms"] > 0 < wall["without ms"]
    assert len(said) == 2


@pytest.mark.django_db
def test_pages_are_asked_for_outside_of_tests_too(account, now, few, monkeypatch):
    """By a client that nobody taught to sign its cookie."""
    for name, own in zip(("_login", "session"), PLAIN, strict=True):
        monkeypatch.setattr(ClientMixin, name, own)

    found = pages.measure_pages(account, now=now, say=lambda _: None, runs=1, only="overview")

    assert found[0].name == "page: overview"


@pytest.mark.django_db
def test_nobody_is_left_behind(account, now, few):
    before = (User.objects.count(), Membership.objects.count())

    pages.measure_pages(account, now=now, say=lambda _: None, runs=1, only="overview")

    assert (User.objects.count(), Membership.objects.count()) == before


@pytest.mark.django_db
def test_an_error_is_no_figure(account, now, monkeypatch):
    monkeypatch.setattr(pages, "PAGES", [endpoints.Endpoint("nowhere", lambda _: "/nowhere/")])

    with pytest.raises(ValueError, match="/nowhere/ answered 404"):
        pages.measure_pages(account, now=now, say=lambda _: None, runs=1)
