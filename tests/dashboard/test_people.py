"""People: searched, filtered and ordered, with figures that are those of every other page."""

import re
from datetime import datetime, timedelta
from urllib.parse import urlencode

import pytest
import redis
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from dashboard.access import Scope
from dashboard.figures.counts import figures
from dashboard.models import Membership, User
from dashboard.queries.people import Sort, Status, StatusGroup, Wanted, people
from dashboard.requests.searches import keep
from dashboard.rollups import rebuild
from sync.models import Account, Person, SyncRun
from tests import factories
from tests.clock import MOMENT

HTMX = {"HX-Request": "true", "HX-Target": "people-list"}
pytestmark = pytest.mark.usefixtures("redis_url")


def add_people(account: Account) -> None:
    """Add four people whom a search is to tell apart."""
    manager = factories.PersonFactory(account=account, first_name="Zoë", last_name="Ångström", employee_number="E-9001")
    factories.PersonFactory(account=account, first_name="Søren", last_name="Müller-Weiß", manager=manager)
    factories.PersonFactory(account=account, first_name="Ann", last_name="Lindqvist", email="al_ind@brackwater.example")
    factories.PersonFactory(
        account=account,
        first_name="Johanna",
        last_name="Abel",
        status="archived",
        archived_at=MOMENT - timedelta(days=3),
    )
    rebuild(account, at=MOMENT)


@pytest.fixture
def few(account: Account, published: SyncRun) -> Account:
    """Return an account with these four people and nobody else."""
    add_people(account)
    return account


@pytest.fixture
def crowd(company: Account) -> Account:
    """Return the company in training, and these four people."""
    add_people(company)
    return company


def scope_of(account: Account) -> Scope:
    return Scope(account=account, roles=frozenset({Membership.Role.SECURITY_MANAGER}))


def address(reader: User, text: str) -> str:
    """Return where a reader's search leads."""
    return f"/people/?found={keep(reader.pk, text)}"


def found(account: Account, text: str, status: Status = Status.ACTIVE) -> list[str]:
    page = people(scope_of(account), as_of=MOMENT, wanted=Wanted.typed(text, status))
    assert page.total == len(page.rows)
    return [row.name for row in page.rows]


def test_a_search_ignores_case_and_accents(few: Account) -> None:
    for typed, name in {
        "angstrom": "Zoë Ångström",
        "ÅNG zoe": "Zoë Ångström",
        "e-9001": "Zoë Ångström",
        "soren": "Søren Müller-Weiß",
        "weiss": "Søren Müller-Weiß",
        "müller": "Søren Müller-Weiß",
        "al_ind@": "Ann Lindqvist",
        "so": "Søren Müller-Weiß",
    }.items():
        assert found(few, typed) == [name], typed


def test_a_search_finds_nobody_it_should_not(few: Account) -> None:
    for typed in ("%", "al%nd", "al_ind\\", "zoe lindqvist", "ören\0x", "re"):
        assert found(few, typed) == [], typed


def test_whoever_begins_with_the_word_comes_first(few: Account) -> None:
    assert found(few, "ann", Status.ANY) == ["Ann Lindqvist", "Johanna Abel"]
    assert found(few, "ann") == ["Ann Lindqvist"]
    assert found(few, "ann", Status.LEFT) == ["Johanna Abel"]


def test_people_stand_as_the_figures_say(crowd: Account, now: datetime) -> None:
    scope = scope_of(crowd)
    counts = figures(scope, as_of=now).net
    totals = {standing: people(scope, as_of=now, wanted=Wanted(standing=standing)).total for standing in StatusGroup}
    assert counts.people_past_due > 0
    assert totals == {
        StatusGroup.PAST_DUE: counts.people_past_due,
        StatusGroup.COMPLIANT: counts.people_counted - counts.people_past_due,
        StatusGroup.NOTHING: counts.people_active - counts.people_counted,
    }
    everybody = people(scope, as_of=now, limit=1000)
    assert everybody.total == counts.people_active == len(everybody.rows)
    assert sum(row.assigned for row in everybody.rows) == counts.counted
    assert sum(row.completed for row in everybody.rows) == counts.completed
    assert sum(row.past_due for row in everybody.rows) == counts.past_due


@pytest.mark.slow
@pytest.mark.parametrize("days", [0, 40])
def test_any_way_of_counting_gives_the_same_people(crowd: Account, days: int, now: datetime) -> None:
    as_of = now - timedelta(days=days)
    scope = scope_of(crowd)
    plain = {row.person_id: row for row in people(scope, as_of=as_of, limit=1000).rows}
    for are_few in (False, True):
        by_figures = people(scope, as_of=as_of, sort=Sort.PAST_DUE, is_descending=True, limit=1000, are_few=are_few)
        assert {row.person_id: row for row in by_figures.rows} == plain
        assert by_figures.total == len(plain)
        counts = [row.past_due for row in by_figures.rows]
        assert counts == sorted(counts, reverse=True)
    late = people(scope, as_of=as_of, wanted=Wanted(standing=StatusGroup.PAST_DUE), limit=1000)
    assert {row.person_id for row in late.rows} == {row.person_id for row in plain.values() if row.past_due}


def test_every_order_has_everybody_once(crowd: Account, now: datetime) -> None:
    scope = scope_of(crowd)
    everybody = people(scope, as_of=now).total
    for sort in Sort:
        for is_descending in (False, True):
            pages = [
                people(scope, as_of=now, sort=sort, is_descending=is_descending, limit=90, offset=offset).rows
                for offset in (0, 90)
            ]
            ids = [row.person_id for page in pages for row in page]
            assert len(ids) == len(set(ids)) == everybody, sort


def test_the_page_lists_people_with_where_they_stand(as_alice: Client, crowd: Account) -> None:
    text = as_alice.get("/people/").content.decode()
    assert "people are active" in text
    assert "have something past due" in text
    assert "Zoë Ångström" in text
    assert "1 to 50 of 163" in text


def test_a_fragment_is_the_list_alone(as_alice: Client, alice: User, few: Account) -> None:
    response = as_alice.get(address(alice, "angstrom"), headers=HTMX)
    text = response.content.decode()
    assert "<html" not in text
    assert text.startswith('<div id="people-list">')
    assert "Zoë Ångström" in text
    assert "1 person" in text
    assert "HX-Target" in response["Vary"]


def test_another_account_is_out_of_scope(as_alice: Client, alice: User, few: Account, now: datetime) -> None:
    stranger = factories.PersonFactory(account=factories.AccountFactory(), last_name="Elsewhere")
    rebuild(stranger.account, at=now)
    text = as_alice.get(f"{address(alice, 'elsewhere')}&status=any").content.decode()
    assert "Elsewhere" not in text
    assert "each word must be found" in text
    assert as_alice.get(f"/people/{stranger.pk}/").status_code == 404


def test_somebody_without_access_sees_nobody(client: Client, charlie: User, few: Account) -> None:
    client.force_login(charlie)
    assert client.get("/people/").status_code == 403


def test_the_page_stays_within_twelve_queries(
    as_alice: Client, alice: User, crowd: Account, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for query in (
        "",
        f"found={keep(alice.pk, 'ang')}",
        f"found={keep(alice.pk, 'nobodyatall')}",
        "sort=-past_due",
        "sort=department",
        "standing=past_due&sort=manager",
        "as_of=2026-09-30&sort=-assigned",
        "page=999&manager=0",
    ):
        with django_assert_max_num_queries(12, info=query):
            assert as_alice.get(f"/people/?{query}").status_code == 200


def test_an_address_that_means_nothing_is_refused(as_alice: Client, account: Account, published: SyncRun) -> None:
    for query in ("sort=age", "status=gone", "standing=fine", "department=x", "as_of=tomorrow"):
        assert as_alice.get(f"/people/?{query}").status_code == 400, query


def test_an_empty_list_says_why(as_alice: Client, alice: User, few: Account) -> None:
    text = as_alice.get(address(alice, "johanna")).content.decode()
    assert "Nobody here matches “johanna”." in text
    assert "1 person does without the filters" in text
    assert "each word must be found" in as_alice.get(address(alice, "nobodyatall")).content.decode()
    department = factories.DepartmentFactory(account=few)
    assert "Nobody is left with these filters." in as_alice.get(f"/people/?department={department.pk}").content.decode()


def test_an_account_without_people_says_so(
    as_alice: Client, account: Account, published: SyncRun, now: datetime
) -> None:
    rebuild(account, at=now)
    assert "KnowBe4 lists no active person." in as_alice.get("/people/").content.decode()


def test_a_past_day_is_kept_and_counts_as_of_then(as_alice: Client, crowd: Account) -> None:
    text = as_alice.get("/people/?as_of=2026-09-30&sort=-past_due").content.decode()
    assert "You are looking at the past." in text
    person = Person.objects.filter(account=crowd, status="active").first()
    assert person is not None
    assert "as_of=2026-09-30" in text.split("<tbody")[-1].split("</th>")[0]


def test_managers_narrow_the_list_to_their_reports(as_alice: Client, few: Account) -> None:
    manager = Person.objects.get(last_name="Ångström")
    text = as_alice.get(f"/people/?manager={manager.pk}&direct=1").content.decode()
    assert "Søren Müller-Weiß" in text
    assert "1 person<" in text


def test_what_is_typed_stands_in_no_address(as_alice: Client, alice: User, few: Account) -> None:
    sent = {"q": " angstrom ", "status": "any", "manager": "", "page": "3", "found": "older"}
    answer = as_alice.post("/search/people/", sent)
    assert answer.status_code == 303
    assert re.fullmatch(r"/people/\?status=any&found=[\w-]{16}", answer["Location"])
    text = as_alice.get(answer["Location"]).content.decode()
    assert "Zoë Ångström" in text
    assert 'value="angstrom"' in text
    # Filters, order and files keep it.
    key = keep(alice.pk, "angstrom")
    assert text.count(f"found={key}") >= 8
    assert f'action="/exports/people/?status=any&amp;found={key}"' in text
    assert as_alice.post("/search/people/", {"q": " \0 "})["Location"] == "/people/"


def test_a_search_is_its_readers_alone(as_alice: Client, alice: User, ines: User, few: Account) -> None:
    for key in (keep(ines.pk, "angstrom"), "AAAAAAAAAAAAAAAA", "x", "\0", "../" * 9):
        text = as_alice.get("/people/", {"found": key}).content.decode()
        assert "This search is not kept any more, or is somebody else’s" in text, key
        assert "people-table" not in text
        file = as_alice.post(f"/exports/people/?{urlencode({'found': key})}", {"format": "csv"})
        assert b"".join(file.streaming_content).count(b"\r\n") == 1  # type: ignore[attr-defined]
        for page in ("/settings/exemptions/", "/settings/exemptions/new/"):
            assert as_alice.get(page, {"found": key}).status_code == 200


def test_a_search_ends_with_the_working_day(alice: User, few: Account, redis_url: str) -> None:
    key = keep(alice.pk, "angstrom")
    with redis.from_url(redis_url) as client:
        assert 12 * 3600 - 60 < client.ttl(f":1:search:{alice.pk}:{key}") <= 12 * 3600


def test_people_are_looked_for_on_pages_that_list_them(as_alice: Client, published: SyncRun) -> None:
    assert as_alice.post("/search/overview/", {"q": "ann"}).status_code == 404
    assert as_alice.get("/search/people/").status_code == 405
