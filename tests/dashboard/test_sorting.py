"""One grammar of order and page in addresses, and the heads of columns that speak it."""

import re

import pytest
from django.core.exceptions import BadRequest
from django.http import QueryDict
from django.test import Client

from dashboard.pages import campaigns, past_due, people
from dashboard.queries import campaigns as campaign_queries
from dashboard.queries import people as people_queries
from dashboard.queries.past_due import Sort
from dashboard.requests.paging import number_in, page_of
from dashboard.requests.sorting import Column, Order, order_in, ordered
from sync.models import Account

USUAL = Order(Sort.DAYS, is_descending=True)


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ("", USUAL),
        ("sort=", USUAL),
        ("sort=person", Order(Sort.PERSON)),
        ("sort=-person", Order(Sort.PERSON, is_descending=True)),
        # As addresses of Past due said so before.
        ("sort=items&order=asc", Order(Sort.ITEMS)),
        ("sort=person&order=desc", Order(Sort.PERSON, is_descending=True)),
        ("order=asc", Order(Sort.DAYS)),
    ],
)
def test_an_address_says_what_a_list_is_ordered_by(query: str, order: Order[Sort]) -> None:
    assert order_in(QueryDict(query), USUAL) == order


@pytest.mark.parametrize("query", ["sort=shoes", "sort=--days", "sort=DAYS", "order=up", "sort=days&order=-"])
def test_another_order_is_a_bad_request(query: str) -> None:
    with pytest.raises(BadRequest):
        order_in(QueryDict(query), USUAL)


@pytest.mark.parametrize("columns", [people.COLUMNS, campaigns.COLUMNS, past_due.COLUMNS])
def test_every_link_asks_for_what_is_read(columns: tuple[Column, ...]) -> None:
    sorts = [column.sort for column in columns if column.sort is not None]
    for sort in sorts:
        for is_descending in (False, True):
            order = Order(sort, is_descending=is_descending)
            heads = ordered(columns, order)
            (current,) = (head for head in heads if head.order)
            assert (current.sort, current.icon) == (sort, "down" if is_descending else "up")
            # A click on it turns the list round; one on another column starts that one as it likes.
            assert order_in(QueryDict(f"sort={current.asks_for}"), order) == Order(sort, not is_descending)
            for head in heads:
                if head.sort is None:
                    assert not head.asks_for
                elif head is not current:
                    assert order_in(QueryDict(f"sort={head.asks_for}"), order) == Order(head.sort, head.starts_high)


def test_every_order_has_a_column() -> None:
    assert {column.sort for column in people.COLUMNS} == set(people_queries.Sort)
    assert {column.sort for column in campaigns.COLUMNS} - {None} == set(campaign_queries.Sort)
    assert {column.sort for column in past_due.COLUMNS} - {None} == set(Sort)


@pytest.mark.parametrize(("text", "number"), [("", 1), ("1", 1), ("007", 7), ("999999", 999_999)])
def test_a_page_has_a_number(text: str, number: int) -> None:
    assert number_in(QueryDict(f"page={text}")) == number


@pytest.mark.parametrize("text", ["0", "-1", "x", "1.5", "²", "1000000", "1e3", " 1"])
def test_another_page_is_a_bad_request(text: str) -> None:
    query = QueryDict(mutable=True)
    query["page"] = text
    with pytest.raises(BadRequest):
        number_in(query)


def test_a_page_beyond_the_last_is_the_last() -> None:
    assert list(page_of(QueryDict("page=99"), range(25), 10)) == [20, 21, 22, 23, 24]
    assert list(page_of(QueryDict("rows=2"), range(25), 10, "rows", count=20)) == list(range(10, 20))


@pytest.mark.parametrize(
    "address", ["/people/", "/past-due/?by=none", "/campaigns/", "/settings/log/", "/settings/campaigns/"]
)
def test_lists_speak_the_grammar(as_alice: Client, company: Account, address: str) -> None:
    join = "&" if "?" in address else "?"
    assert as_alice.get(f"{address}{join}page=2").status_code == 200
    assert as_alice.get(f"{address}{join}page=x").status_code == 400


def test_an_old_address_lists_what_it_did(as_alice: Client, company: Account) -> None:
    def names(query: str) -> list[str]:
        text = as_alice.get(f"/past-due/?by=none&{query}").content.decode()
        return re.findall(r'aria-label="Select ([^"]+)"', text)

    for old, new in (
        ("sort=person&order=desc", "sort=-person"),
        ("sort=items&order=asc", "sort=items"),
        ("sort=items&order=desc", "sort=-items"),
        ("", "sort=-days"),
    ):
        assert names(old) == names(new) != [], old
    assert names("sort=person") == names("sort=person&order=asc") != names("sort=-person")


def test_a_link_leaves_the_old_word_out(as_alice: Client, company: Account) -> None:
    text = as_alice.get("/past-due/?by=none&sort=person&order=desc").content.decode()
    heads = re.findall(r'columnheader"[^>]*><a href="([^"]+)"', text)
    assert heads
    assert not [address for address in heads if "order=" in address]
