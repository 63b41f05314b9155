"""Reading lists and objects, and what is put on the request."""

import pytest

from sync.knowbe4 import payloads, resources
from sync.knowbe4.client import Client
from sync.knowbe4.errors import NotFound, Unauthorized
from tests.sync.knowbe4.conftest import KEY
from tests.sync.knowbe4.rows import enrollment, enrollments
from tests.sync.knowbe4.server import Reply


def test_get_account_sends_key_and_accept(client, server):
    server.says({"name": "Northwind", "type": "paid", "domains": ["northwind.example"], "number_of_seats": 25})

    account = client.get(resources.ACCOUNT)

    assert isinstance(account, payloads.Account)
    assert (account.name, account.number_of_seats, account.subscription_level) == ("Northwind", 25, None)
    (asked,) = server.asked
    assert asked.path == "/v1/account"
    assert asked.headers["Authorization"] == f"Bearer {KEY}"
    assert asked.headers["Accept"] == "application/json"
    assert asked.params == {}


@pytest.mark.parametrize("wrap", [lambda row: row, lambda row: [row]], ids=["object", "array of one"])
def test_get_takes_object_and_array_of_one(client, server, wrap):
    server.says(wrap({"pst_id": 7, "status": "Closed", "name": "March", "scheduled_count": None}))

    test = client.get(resources.SECURITY_TEST, pst_id=7)

    assert (test.pst_id, test.scheduled_count) == (7, None)
    assert server.asked[0].path == "/v1/phishing/security_tests/7"


def test_get_of_an_empty_array_is_not_found(client, server):
    server.says([])

    with pytest.raises(NotFound, match=r"pst_id 7"):
        client.get(resources.SECURITY_TEST, pst_id=7)
    assert len(server.asked) == 1


def test_get_wants_the_ids_of_the_path(client):
    with pytest.raises(TypeError, match="campaign_id"):
        client.get(resources.CAMPAIGN)
    with pytest.raises(TypeError, match="whole numbers"):
        client.get(resources.CAMPAIGN, campaign_id="../account")


def test_lists_and_objects_are_not_mixed_up(client):
    with pytest.raises(TypeError, match=r"pages\(\)"):
        client.get(resources.USERS)
    with pytest.raises(TypeError, match=r"get\(\)"):
        client.pages(resources.ACCOUNT)


def test_parameters_travel_as_knowbe4_spells_them(client, server):
    server.says([enrollment(1)])

    list(
        client.pages(
            resources.ENROLLMENTS, params={"campaign_id": 3, "user_id": None, "include_employee_number": False}
        )
    )

    assert server.params == [
        {
            "include_campaign_id": "true",
            "include_store_purchase_id": "true",
            "include_employee_number": "false",
            "campaign_id": "3",
            "per_page": "500",
            "cursor": "true",
        }
    ]


def test_requests_are_counted(client, server):
    server.says(enrollments(500), enrollments(3, first=501))

    pages = list(client.pages(resources.ENROLLMENTS))

    assert [page.requests for page in pages] == [1, 1]
    assert client.requests_made == 2


@pytest.mark.parametrize("key", ["", "  ", "a\nb", "käse", "a b"])
def test_impossible_key_is_named_but_not_shown(key):
    with pytest.raises(ValueError, match="KNOWBE4_API_KEY") as caught:
        Client("http://127.0.0.1:1", key)
    assert not key.strip() or key not in str(caught.value)


def test_impossible_address_is_refused():
    with pytest.raises(ValueError, match="KNOWBE4_BASE_URL"):
        Client("us.api.knowbe4.com", KEY)


def test_key_is_not_replaced_by_netrc(server, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    server.says({"name": "Northwind"})

    with Client(server.url, KEY) as client:
        client.get(resources.ACCOUNT)

    assert server.asked[0].headers["Authorization"] == f"Bearer {KEY}"


def test_cookies_are_not_kept(client, server):
    server.says(Reply({"name": "Northwind"}, headers={"Set-Cookie": "session=1; Path=/"}))

    client.get(resources.ACCOUNT)
    client.get(resources.ACCOUNT)

    assert "Cookie" not in server.asked[1].headers


@pytest.mark.parametrize("body", [{"message": "Invalid Token"}, {"error": "Invalid Token"}])
def test_message_in_place_of_data_is_an_auth_error(client, server, body):
    server.says(body)

    with pytest.raises(Unauthorized, match="check KNOWBE4_API_KEY and the region"):
        client.get(resources.ACCOUNT)
    with pytest.raises(Unauthorized):
        client.get(resources.CAMPAIGN, campaign_id=3)
    with pytest.raises(Unauthorized):
        list(client.pages(resources.USERS))
    assert len(server.asked) == 3
