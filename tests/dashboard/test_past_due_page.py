"""The Past due page: its list, its groups, its filters, its cost, and the addresses it gives."""

import re
from datetime import datetime, timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from dashboard import rollups
from dashboard.access import Scope
from dashboard.figures.selection import Basis, By, Filters
from dashboard.metrics import Age
from dashboard.models import User
from dashboard.pages import past_due
from dashboard.queries.past_due import Sort, ageing, people_past_due
from dashboard.queries.past_due_groups import PastDue
from sync.models import Account, Person, SyncRun
from tests import factories
from tests.clock import MOMENT


@pytest.fixture
def line(account: Account, published: SyncRun) -> dict[str, Person]:
    """Return people past due in a line: Vera above Milo and Nora, Milo above Otto and Pia; Rhea under nobody."""
    # By the account's clock: a day there is an hour shorter or longer when summer time comes or goes.
    now, people = MOMENT.astimezone(account.zone), dict[str, Person]()
    claims = factories.DepartmentFactory(account=account, name="Claims")
    sales = factories.DepartmentFactory(account=account, name="Sales")
    campaigns = [factories.CampaignFactory(account=account, name=name) for name in ("Autumn awareness", "Pilot")]
    plan = [
        ("Vera", None, sales, []),
        ("Milo", "Vera", claims, [40]),
        ("Nora", "Vera", sales, []),
        ("Otto", "Milo", claims, [5]),
        ("Pia", "Milo", claims, [100, 3]),
        ("Rhea", None, sales, [20]),
    ]
    for name, manager, department, days in plan:
        person = people[name] = factories.PersonFactory(
            account=account,
            first_name=name,
            last_name="Quist",
            email=f"{name.lower()}@brackwater.example",
            job_title="Case specialist",
            department=department,
            manager=people[manager] if manager else None,
        )
        for campaign, age in zip(campaigns, days, strict=False):
            factories.EnrollmentFactory(
                account=account,
                person=person,
                campaign=campaign,
                enrolled_at=now - timedelta(days=age + 30),
                due_at=now - timedelta(days=age),
                due_source="campaign_end",
                reported_status="Past Due",
            )
    rollups.rebuild(account, at=now)
    return people


def text_of(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, response.content.decode()
    return response.content.decode()


def names_in(text: str) -> list[str]:
    return [name for name in ("Vera", "Milo", "Nora", "Otto", "Pia", "Rhea") if f"Select {name} Quist" in text]


def scope(account: Account) -> Scope:
    return Scope(account=account, roles=frozenset({"administrator"}))


def test_the_page_says_how_many_for_how_long(as_alice: Client, line: dict[str, Person]) -> None:
    text = text_of(as_alice, "/past-due/")
    assert "2 of 4 people" in text
    assert "have been past due for more than 30 days" in text
    assert "Claims" in text and "Sales" in text
    assert "and 1 more past due" in text
    assert "Autumn awareness" in text
    assert "Campaign end" in text


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", "Milo Otto Pia Rhea"),
        ("by=none", "Milo Otto Pia Rhea"),
        ("by=none&age=31-60&age=over-90", "Milo Pia"),
        ("by=department&age=1-7", "Otto"),
        ("by=campaign", "Milo Otto Pia Rhea"),
        ("by=manager", "Milo Otto Pia Rhea"),
        ("by=manager&direct=1&age=over-90", "Pia"),
    ],
)
def test_each_view_lists_whom_it_is_asked_for(
    as_alice: Client, line: dict[str, Person], query: str, names: str
) -> None:
    assert " ".join(names_in(text_of(as_alice, f"/past-due/?{query}"))) == names


def test_filters_by_manager_with_the_line_and_without(as_alice: Client, line: dict[str, Person]) -> None:
    vera = line["Vera"].pk
    assert names_in(text_of(as_alice, f"/past-due/?manager={vera}")) == ["Milo", "Otto", "Pia"]
    assert names_in(text_of(as_alice, f"/past-due/?manager={vera}&direct=1")) == ["Milo"]
    assert names_in(text_of(as_alice, f"/past-due/?manager={vera}&by=manager")) == ["Milo", "Otto", "Pia"]
    assert names_in(text_of(as_alice, "/past-due/?manager=0")) == ["Rhea"]


def test_lines_are_those_just_below_the_manager(account: Account, line: dict[str, Person], now: datetime) -> None:
    asking = PastDue.ask(scope(account), as_of=now, by=By.MANAGER)
    groups = {(group.name, group.is_direct): group for group in asking.spread().groups}
    assert {key: group.people for key, group in groups.items()} == {
        ("Milo Quist", False): 2,
        ("Vera Quist", True): 1,
        ("", False): 1,
    }
    rows = asking.with_rows(list(groups.values()), Sort.DAYS, is_descending=True, each=1)
    assert [group.of for group in rows] == [2, 1, 1]
    assert [row.name for group in rows for row in group.rows] == ["Pia Quist", "Milo Quist", "Rhea Quist"]


def test_groups_by_campaign_hold_people_by_their_own_age(
    account: Account, line: dict[str, Person], now: datetime
) -> None:
    asking = PastDue.ask(scope(account), as_of=now, by=By.CAMPAIGN, ages={Age.OLDER})
    spread = asking.spread()
    assert spread.everybody == 4
    assert spread.people == 1
    assert [(group.name, group.people) for group in spread.groups] == [("Autumn awareness", 1), ("Pilot", 1)]
    rows = asking.with_rows(spread.groups, Sort.DAYS, is_descending=True, each=6)
    assert [[(row.name, row.items, row.days_past_due) for row in group.rows] for group in rows] == [
        [("Pia Quist", 1, 100)],
        [("Pia Quist", 1, 3)],
    ]


@pytest.mark.parametrize("by", [None, By.DEPARTMENT, By.MANAGER, By.CAMPAIGN])
@pytest.mark.parametrize("basis", list(Basis))
def test_every_grouping_has_the_same_people(company: Account, by: By | None, basis: Basis, now: datetime) -> None:
    everybody = people_past_due(scope(company), as_of=now, basis=basis, limit=1000)
    ages = ageing(scope(company), as_of=now, basis=basis).net
    asking = PastDue.ask(scope(company), as_of=now, basis=basis, by=by)
    spread = asking.spread()
    assert spread.ages == {group.age: group.people for group in ages}
    assert spread.people == len(everybody) > 0
    shown = asking.with_rows(spread.groups, Sort.DAYS, is_descending=True, each=1000)
    if by is None:
        assert asking.people(Sort.DAYS, is_descending=True, limit=1000) == everybody
    else:
        assert {row.person_id for group in shown for row in group.rows} == {row.person_id for row in everybody}
        assert all(len(group.rows) == group.people for group in shown)


@pytest.mark.parametrize("ages", [frozenset(), frozenset({Age.QUARTER})])
@pytest.mark.parametrize("whole_line", [True, False])
def test_a_page_of_managers_names_those_who_are_on_it(
    company: Account, whole_line: bool, ages: frozenset[Age], now: datetime
) -> None:
    managers = list(Person.objects.filter(account=company).order_by("pk")[:9])
    for place, person in enumerate(Person.objects.filter(account=company).order_by("pk")[9:]):
        # Some have many reports and most as many as others; the last ones have nobody above them.
        person.manager = managers[min(place % 14, 8)] if place < 120 else None
        person.save()
    rollups.rebuild(company, at=now)
    filters = Filters(whole_line=whole_line)
    asking = PastDue.ask(scope(company), as_of=now, by=By.MANAGER, filters=filters, ages=ages)
    every = asking.spread().groups
    assert len(every) > 5
    assert sum(1 for group in every if group.name) >= len(every) - 1
    for first in range(0, len(every), 3):
        page = asking.spread(first=first, most=3)
        assert page.groups[first : first + 3] == every[first : first + 3]
        assert (page.people, page.ages) == (asking.spread().people, asking.spread().ages)
    beyond = (len(every) - 1) // 3 * 3
    assert asking.spread(first=999, most=3).groups[beyond:] == every[beyond:]


def test_a_loop_of_managers_is_listed_once(account: Account, line: dict[str, Person], now: datetime) -> None:
    line["Vera"].manager = line["Otto"]
    line["Vera"].save()
    rollups.rebuild(account, at=now)
    for manager in (None, line["Milo"].pk):
        filters = Filters(manager=manager)
        asking = PastDue.ask(scope(account), as_of=now, by=By.MANAGER, filters=filters)
        spread = asking.spread()
        listed = [
            row.name
            for group in asking.with_rows(spread.groups, Sort.DAYS, is_descending=True, each=9)
            for row in group.rows
        ]
        expected = people_past_due(scope(account), as_of=now, filters=filters)
        assert sorted(listed) == sorted(row.name for row in expected)


def test_sorting_and_paging(as_alice: Client, company: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(past_due, "PER_PAGE", 10)
    first = text_of(as_alice, "/past-due/?by=none&sort=person")
    assert 'aria-sort="ascending"' in first
    assert first.count('name="person"') == 10
    last = text_of(as_alice, "/past-due/?by=none&sort=person&page=9999")
    assert "Previous" in last
    assert 'aria-sort="descending"' in text_of(as_alice, "/past-due/?by=department&sort=-items")


@pytest.mark.parametrize(
    "query",
    [
        "by=",
        "by=none",
        "by=manager",
        "by=campaign",
        "by=department&department=0&age=1-7",
        "by=manager&as_of=2026-01-01",
    ],
)
def test_the_page_stays_within_twelve_queries(
    as_alice: Client, company: Account, query: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(12):
        text_of(as_alice, f"/past-due/?{query}")


@pytest.mark.parametrize(
    "query", ["by=manager", "by=manager&direct=1", "by=department", "by=campaign", "age=1-7&type=Policy"]
)
def test_a_line_of_managers_stays_within_twelve_queries(
    as_alice: Client, line: dict[str, Person], query: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(12):
        text_of(as_alice, f"/past-due/?manager={line['Vera'].pk}&{query}")


def test_a_change_replaces_the_list_alone(as_alice: Client, line: dict[str, Person]) -> None:
    response = as_alice.get("/past-due/?age=1-7", headers={"HX-Request": "true", "HX-Target": "past-due-list"})
    text = response.content.decode()
    assert text.lstrip().startswith('<div id="past-due-list">')
    assert 'id="past-due-said" hx-swap-oob="innerHTML">1 person' in text
    assert "<html" not in text


@pytest.mark.parametrize(
    "query", ["by=nobody", "sort=shoes", "age=old", "page=0", "page=x", "order=up", "department=x"]
)
def test_what_cannot_be_asked_is_a_bad_request(as_alice: Client, line: dict[str, Person], query: str) -> None:
    assert as_alice.get(f"/past-due/?{query}").status_code == 400


def test_nobody_past_due_is_said_with_how_many_are_fine(
    as_alice: Client, line: dict[str, Person], now: datetime
) -> None:
    sales = line["Nora"].department_id
    campaign = factories.CampaignFactory(account=line["Nora"].account)
    factories.EnrollmentFactory(account=campaign.account, person=line["Nora"], campaign=campaign)
    rollups.rebuild(campaign.account, at=now)
    text = text_of(as_alice, f"/past-due/?manager={line['Vera'].pk}&department={sales}")
    assert "No one matches these filters" in text
    assert "4 people" in text
    assert "You filtered by Department Sales, Manager Vera Quist." in text
    assert "Without Department" in text


def test_one_department_without_anyone_past_due(as_alice: Client, line: dict[str, Person], now: datetime) -> None:
    legal = factories.DepartmentFactory(account=line["Nora"].account, name="Legal")
    campaign = factories.CampaignFactory(account=legal.account)
    person = factories.PersonFactory(account=legal.account, department=legal)
    factories.EnrollmentFactory(account=legal.account, person=person, campaign=campaign)
    rollups.rebuild(legal.account, at=now)
    text = text_of(as_alice, f"/past-due/?department={legal.pk}")
    assert "No one in Legal is past due." in text
    assert "1 person in Legal is up to date" in text


def test_an_empty_account_says_there_is_nothing_to_be_past_due(
    as_alice: Client, published: SyncRun, now: datetime
) -> None:
    rollups.rebuild(published.account, at=now)
    assert "Nobody is enrolled in training that counts." in text_of(as_alice, "/past-due/")


def test_without_data_the_page_says_how_to_connect(as_alice: Client, account: Account) -> None:
    assert "KnowBe4" in text_of(as_alice, "/past-due/")


def test_a_past_day_lists_who_was_past_due_then(as_alice: Client, line: dict[str, Person], now: datetime) -> None:
    day = now.astimezone(line["Vera"].account.zone).date() - timedelta(days=30)
    text = text_of(as_alice, f"/past-due/?by=none&as_of={day}")
    assert names_in(text) == ["Milo", "Pia"]
    assert "You are looking at the past." in text
    assert f"as_of={day}" in text


def test_whoever_has_nothing_here_sees_nothing(
    client: Client, charlie: User, line: dict[str, Person], now: datetime
) -> None:
    client.force_login(charlie)
    assert client.get("/past-due/").status_code == 403
    assert client.get("/past-due/addresses/").status_code == 403
    nobody = PastDue.ask(Scope(), as_of=now, by=By.DEPARTMENT)
    assert nobody.spread().everybody == 0
    assert nobody.people(Sort.DAYS, is_descending=True, limit=9) == []


def test_addresses_of_chosen_people(as_alice: Client, line: dict[str, Person]) -> None:
    text = text_of(as_alice, f"/past-due/addresses/?person={line['Otto'].pk}&person={line['Pia'].pk}")
    assert "otto@brackwater.example; pia@brackwater.example" in text
    assert "2 addresses to copy." in text


def test_addresses_of_the_whole_list_keep_its_filters(as_alice: Client, line: dict[str, Person]) -> None:
    line["Otto"].email = ""
    line["Otto"].save()
    text = text_of(as_alice, f"/past-due/addresses/?manager={line['Milo'].pk}")
    assert "pia@brackwater.example</textarea>" in text
    assert "1 person has none in KnowBe4." in text


WRONG = ["not an address", "a@x.example;b@x.example", "a@x.example\nbcc: b@x.example", "a@x.example?bcc=b@x.example"]


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_no_address_is_left_out_and_counted(as_alice: Client, line: dict[str, Person], wrong: str) -> None:
    line["Otto"].email = wrong
    line["Otto"].save()
    text = text_of(as_alice, f"/past-due/addresses/?person={line['Otto'].pk}&person={line['Pia'].pk}")
    assert ">pia@brackwater.example</textarea>" in text
    assert "1 address to copy." in text
    assert "1 is left out: what KnowBe4 has is no single address." in text
    rows = text_of(as_alice, "/past-due/?by=none")
    assert re.findall(rf'value="{line["Otto"].pk}" data-email="([^"]*)"', rows) == [""]
    assert "mailto:" not in text_of(as_alice, f"/people/{line['Otto'].pk}/").partition("Email manager")[2]


def test_addresses_of_strangers_are_not_given(as_alice: Client, line: dict[str, Person]) -> None:
    stranger = factories.PersonFactory(account=factories.AccountFactory(name="Elsewhere"))
    assert as_alice.get(f"/past-due/addresses/?person={stranger.pk}").status_code == 404
    assert as_alice.get("/past-due/addresses/?person=999999").status_code == 404
    assert as_alice.get("/past-due/addresses/?person=x").status_code == 400
