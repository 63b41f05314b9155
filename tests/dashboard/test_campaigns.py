"""The list of campaigns: its figures, filters, order, cost and empty states."""

import re
from datetime import datetime, timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from dashboard.access import Scope
from dashboard.figures.selection import Filters
from dashboard.metrics import CampaignState
from dashboard.models import CampaignSetting, User
from dashboard.queries.campaigns import Sort, campaigns, narrowed, next_deadline, ordered
from sync.models import Account, Campaign, SyncRun
from sync.models.training import ContentType
from tests import factories


def _names(text: str) -> list[str]:
    return re.findall(r'class="main-link" href="/campaigns/\d+/[^"]*">([^<]+)<', text)


def test_campaigns_are_listed_active_first_with_their_figures(as_alice: Client, company: Account) -> None:
    text = as_alice.get("/campaigns/").content.decode()
    assert "3 of 6 campaigns are active." in text
    assert re.search(r"Next deadline:.*Use of AI tools policy</a>, in [45] days", text)
    assert _names(text) == [
        "Payment fraud awareness",
        "Use of AI tools policy",
        "Autumn awareness 2026",
        "Code of conduct policy 2027",
        "Information handling policy 2026",
        "Withdrawn pilot",
    ]
    row = text.split("Autumn awareness 2026")[1].split("</tr>")[0]
    late = Campaign.objects.get(name="Autumn awareness 2026")
    assert f'href="/campaigns/{late.pk}/?state=past_due#people"' in row
    assert ">160</a>" in row


def test_campaigns_stay_within_twelve_queries(
    as_alice: Client, company: Account, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for address in ("/campaigns/", "/campaigns/?type=Policy&campaign_state=active", "/campaigns/?as_of=2026-03-01"):
        with django_assert_max_num_queries(12):
            assert as_alice.get(address).status_code == 200


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("campaign_state=closed", ["Information handling policy 2026"]),
        ("name=POLICY+2026", ["Information handling policy 2026"]),
        ("requirement=optional", ["Autumn awareness 2026"]),
        ("campaign_state=scheduled&campaign_state=cancelled", ["Code of conduct policy 2027", "Withdrawn pilot"]),
        ("type=Game", []),
    ],
)
def test_campaigns_are_narrowed(as_alice: Client, company: Account, query: str, expected: list[str]) -> None:
    chosen = Campaign.objects.get(name="Autumn awareness 2026")
    CampaignSetting.objects.create(account=company, campaign=chosen, requirement="optional")
    text = as_alice.get(f"/campaigns/?{query}").content.decode()
    assert _names(text) == expected
    if not expected:
        assert "No campaign matches." in text
        assert "Show all campaigns" in text


def test_campaigns_are_narrowed_by_the_type_of_their_content(company: Account, now: datetime) -> None:
    scope = Scope(account=company, roles=frozenset({"security_manager"}))
    game = factories.ContentItemFactory(account=company, content_type=ContentType.GAME)
    Campaign.objects.filter(name="Autumn awareness 2026").update(content_ids=[game.pk])
    filters = Filters(content_types=frozenset({ContentType.GAME}))
    rows = narrowed(campaigns(scope, as_of=now, filters=filters), filters)
    assert [str(row.campaign) for row in rows] == ["Autumn awareness 2026"]
    assert rows[0].plan.content[0].name == game.name
    # Nobody is enrolled in the game itself.
    assert rows[0].totals.net.counted == 0


def test_campaigns_sort_by_every_column(as_alice: Client, company: Account, now: datetime) -> None:
    for sort in Sort:
        for direction in ("", "-"):
            response = as_alice.get(f"/campaigns/?sort={direction}{sort}")
            assert response.status_code == 200
            order = "descending" if direction else "ascending"
            assert response.content.decode().count(f'aria-sort="{order}"') == 1
    rows = campaigns(Scope(account=company, roles=frozenset({"security_manager"})), as_of=now)
    rates = [row.totals.net.completion_rate.percent for row in ordered(rows, Sort.COMPLETION, is_descending=True)]
    known = [rate for rate in rates if rate is not None]
    assert rates == sorted(known, reverse=True) + [None] * (len(rates) - len(known))


@pytest.mark.parametrize("query", ["sort=luck", "requirement=maybe", "campaign_state=odd", f"name={'x' * 101}"])
def test_campaigns_refuse_what_cannot_be_asked(as_alice: Client, company: Account, query: str) -> None:
    assert as_alice.get(f"/campaigns/?{query}").status_code == 400


def test_a_change_of_filter_replaces_the_list_alone(as_alice: Client, company: Account) -> None:
    response = as_alice.get("/campaigns/?name=tools", headers={"HX-Request": "true", "HX-Target": "campaign-list"})
    text = response.content.decode()
    assert text.lstrip().startswith("<section")
    assert "<h1>" not in text
    assert _names(text) == ["Use of AI tools policy"]
    assert "1 campaign</p>" in text


def test_campaigns_show_a_past_day_and_keep_it_in_links(as_alice: Client, company: Account, now: datetime) -> None:
    day = now.date() - timedelta(days=30)
    text = as_alice.get(f"/campaigns/?as_of={day}").content.decode()
    late = Campaign.objects.get(name="Autumn awareness 2026")
    assert f'href="/campaigns/{late.pk}/?as_of={day}"' in text
    row = text.split("Autumn awareness 2026")[1].split("</tr>")[0]
    assert "state=past_due" not in row  # nothing was due then


def test_campaigns_of_an_empty_account_say_so(as_alice: Client, published: SyncRun) -> None:
    text = as_alice.get("/campaigns/").content.decode()
    assert "KnowBe4 has no training campaign." in text
    assert "appears here after the next sync" in text


def test_campaigns_need_a_membership(client: Client, charlie: User, company: Account) -> None:
    client.force_login(charlie)
    response = client.get("/campaigns/")
    assert response.status_code == 403
    assert "Autumn awareness" not in response.content.decode()


def test_the_next_deadline_is_that_of_open_work(company: Account, now: datetime) -> None:
    rows = campaigns(Scope(account=company, roles=frozenset({"security_manager"})), as_of=now)
    following = next_deadline(rows, now)
    assert following is not None
    assert str(following.campaign) == "Use of AI tools policy"
    assert following.plan.state == CampaignState.ACTIVE
    assert next_deadline([], now) is None
