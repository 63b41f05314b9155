"""The Past due page: its list, its groups, its filters, its cost, and the addresses it gives."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from dashboard import rollups
from dashboard.access import Scope
from dashboard.queries.asking import By
from dashboard.queries.past_due import Sort
from dashboard.queries.past_due_groups import PastDue
from sync.models import Account, Person, SyncRun
from tests import factories


@pytest.fixture
def late_company(company: Account) -> Account:
    """Return the small company with its numbers worked out."""
    rollups.rebuild(company, at=timezone.now())
    return company


@pytest.fixture
def line(account: Account, published: SyncRun) -> dict[str, Person]:
    """Return people past due in a line: Vera above Milo and Nora, Milo above Otto and Pia; Rhea under nobody."""
    now, people = timezone.now(), dict[str, Person]()
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
    return Scope(account, frozenset({"administrator"}))


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


def test_lines_are_those_just_below_the_manager(account: Account, line: dict[str, Person]) -> None:
    now = timezone.now()
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
