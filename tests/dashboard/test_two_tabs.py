"""One reader, several accounts, several tabs: what a page sends goes to the account that it shows, or nowhere."""

import random
import re
from html import unescape
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.conf import settings
from django.test import Client

from dashboard.access import Scope
from dashboard.models import AuditEvent, Branding, Invitation, Role, User
from dashboard.requests.account_paths import split_path
from dashboard.requests.mailed_address import mailed_address
from dashboard.requests.sent_forms import FIELD
from sync.models import Account
from tests import factories
from tests.dashboard.signing_in import sign_in_lately

pytestmark = pytest.mark.django_db
FORM = re.compile(r"<form\b([^>]*)>(.*?)</form>", re.DOTALL)
ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
SHOWN = re.compile(r'<span class="brand-org">([^<]*)</span>')


class Tab:
    """A tab of a browser: the page it shows, and whose page that is."""

    def __init__(self, client: Client) -> None:
        self.client, self.url, self.text, self.status = client, "/", "", 0

    @property
    def shows(self) -> str:
        """The name of the account that the page names to its reader; empty where it names none."""
        found = SHOWN.search(self.text)
        return unescape(found[1]) if found else ""

    def open(self, address: str) -> "Tab":
        """Open an address as a link of this page, or as typed."""
        return self._take(self.client.get(urljoin(self.url, address), follow=True), urljoin(self.url, address))

    def forms(self) -> list[tuple[str, dict[str, str]]]:
        """Return where each form that posts leads, and what it says unseen."""
        found = []
        for attributes, inside in FORM.findall(self.text):
            named = dict(ATTRIBUTE.findall(attributes))
            if named.get("method") == "post":
                hidden = {name: unescape(value) for name, value in HIDDEN.findall(inside)}
                found.append((urljoin(self.url, unescape(named.get("action", ""))), hidden))
        return found

    def send(self, path: str, fields: dict[str, str], *, but: tuple[str, ...] = (), to: str = "") -> "Tab":
        """Send the last form of this page that leads to the path, without what is named; `to`: to that address."""
        leads = [one for one in self.forms() if split_path(urlsplit(one[0]).path)[1] == path]
        assert leads, f"no form leads to {path}"
        address, hidden = leads[-1]
        said = {name: value for name, value in hidden.items() if name not in but} | fields
        response = self.client.post(to or address, said, headers={"referer": f"http://testserver{self.url}"})
        if response.status_code == 302:
            return self.open(response["Location"])
        return self._take(response, address)

    def _take(self, response: Any, address: str) -> "Tab":
        chain = getattr(response, "redirect_chain", [])
        self.url, self.status = (urljoin(address, chain[-1][0]) if chain else address), response.status_code
        is_page = not response.streaming and response["Content-Type"].startswith("text/html")
        self.text = response.content.decode() if is_page else self.text
        return self


@pytest.fixture
def accounts(account: Account, ines: User) -> list[Account]:
    """Return three accounts that Ines administers."""
    found = [account, factories.AccountFactory(name="Northwind Bank"), factories.AccountFactory(name="Zephyr")]
    for each in found[1:]:
        factories.MembershipFactory(user=ines, account=each, role=Role.ADMINISTRATOR)
    for each in found:
        factories.publish(factories.SyncRunFactory(account=each))
        factories.PersonFactory(account=each, first_name="Wren", last_name=f"Of {each}")
    return found


def browser(user: User) -> Client:
    """Return a browser on which the user has just signed in, and whose forms are held to their CSRF tokens."""
    return sign_in_lately(Client(enforce_csrf_checks=True), user)


# By where it leads: the page with the form, if that is another, and what is typed.
ACTS: dict[str, tuple[str, dict[str, str]]] = {
    "/settings/members/invite/": ("", {"email": "carla@x.example", "role": "administrator"}),
    "/settings/reports/": ("", {"color": "#aa0000"}),
    "/exports/people/": ("", {"format": "csv", "column": "name"}),
    "/sync/start/": ("/settings/reports/", {}),
}


@pytest.mark.parametrize("sent", ["as it is", "without its key", "to a bare address", "both"])
@pytest.mark.parametrize(
    "path", ["/settings/members/invite/", "/settings/reports/", "/exports/people/", "/sync/start/"]
)
def test_form_of_one_account_is_refused_while_another_is_looked_at(
    ines: User, accounts: list[Account], path: str, sent: str
) -> None:
    page, fields = ACTS[path]
    one, other = accounts[:2]
    client = browser(ines)
    first, second = Tab(client).open("/"), Tab(client)
    first.open(page or path)
    assert first.shows == str(one)
    second.open("/").send(f"/accounts/{other.pk}/switch/", {})
    assert second.shows == str(other)
    before = AuditEvent.objects.count()
    but = (FIELD,) if sent in {"without its key", "both"} else ()
    first.send(path, fields, but=but, to=path if sent in {"to a bare address", "both"} else "")
    assert first.status in {403, 409}
    if sent != "both":
        told = unescape(first.text) if first.status == 409 else ""
        is_told = f"That page shows {one}, but you look at {other} now: nothing was done." in told
        assert is_told or (sent == "without its key" and first.status == 403)
    assert AuditEvent.objects.count() == before
    assert not Invitation.objects.exists()
    assert not Branding.objects.exists()


def test_refused_form_is_there_again_once_its_account_is(ines: User, accounts: list[Account]) -> None:
    one, other = accounts[:2]
    client = browser(ines)
    first, second = Tab(client).open("/settings/members/invite/"), Tab(client)
    second.open("/").send(f"/accounts/{other.pk}/switch/", {})
    first.send("/settings/members/invite/", {"email": "carla@x.example", "role": "administrator"})
    assert first.status == 409
    assert f"Look at {one} again" in first.text
    first.send(f"/accounts/{one.pk}/switch/", {})
    assert first.shows == str(one)
    said = f"Nothing was done, as you looked at {other}. Press the button again if you mean {one}."
    assert said in unescape(first.text)
    assert "carla@x.example" in first.text
    first.send("/settings/members/invite/", {"email": "carla@x.example", "role": "administrator"})
    assert Invitation.objects.get().account == one
    # The other tab is the one that is refused now; it can be signed out of, whatever it shows.
    assert "you look at" in second.open("/people/?page=1").text or second.shows == str(one)
    second.open(f"/account-{other.pk}/people/")
    assert second.status == 409
    third = Tab(client).open("/")
    second.open("/").send(f"/accounts/{other.pk}/switch/", {})
    third.send("/sign-out/", {})
    assert "_auth_user_id" not in client.session


def test_bookmark_opens_its_account_where_none_is_chosen(ines: User, accounts: list[Account]) -> None:
    tab = Tab(browser(ines)).open(f"/account-{accounts[2].pk}/people/")
    assert tab.shows == "Zephyr"
    stranger = factories.AccountFactory(name="Somebody else's")
    tab.open(f"/account-{stranger.pk}/people/")
    assert tab.status == 409
    assert "Somebody else" not in tab.text
    assert Client().get(f"/account-{accounts[2].pk}/people/")["Location"].startswith("/sign-in/?next=/account-")


def test_mails_link_to_addresses_that_name_the_account(ines: User, accounts: list[Account], alice: User) -> None:
    of_several, of_one = Scope.of(ines, chosen=accounts[1].pk), Scope.of(alice)
    assert mailed_address("/schedules/3/", of_several) == f"{settings.PUBLIC_URL}/account-{accounts[1].pk}/schedules/3/"
    # A mail that is looked at beforehand, on a page of another address.
    assert mailed_address(f"/account-{accounts[0].pk}/people/?by=x", of_one) == f"{settings.PUBLIC_URL}/people/?by=x"


def test_reader_of_one_account_meets_no_names(ines: User, account: Account) -> None:
    client = browser(ines)
    assert client.get("/people/").status_code == 200
    assert "/account-" not in client.get("/").content.decode()
    assert client.get(f"/account-{account.pk}/people/").status_code == 200
    assert client.get(f"/account-{account.pk}/api/v1/people").status_code == 404


@pytest.mark.slow
@pytest.mark.parametrize("acts", [40, pytest.param(200, marks=pytest.mark.soak)])
def test_random_acts_land_where_their_page_is(ines: User, accounts: list[Account], seed: int, acts: int) -> None:
    """Two browsers with two tabs each, three accounts: whatever is done is in the log of the account that was shown."""
    draw = random.Random(seed)
    browsers = [browser(ines) for _number in range(2)]
    tabs = [Tab(client) for client in browsers for _number in range(2)]
    keys, done, refused = {str(one): one.pk for one in accounts}, 0, 0
    for number in range(acts):
        tab, before = draw.choice(tabs), latest()
        if not tab.shows:
            tab.open("/")
        shown, act = tab.shows, draw.choice(["open", "switch", "send", "send"])
        waiting = {split_path(urlsplit(where)[2])[1] for where, _hidden in tab.forms()} & ACTS.keys()
        if act == "switch":
            tab.send(f"/accounts/{draw.choice(accounts).pk}/switch/", {})
        elif act == "open" or not waiting:
            path = draw.choice(sorted(ACTS))
            people = re.findall(r'href="([^"]*/people/\d+/[^"]*)"', tab.text)
            tab.open(draw.choice([*map(unescape, people), ACTS[path][0] or path]))
            shown = tab.shows
        else:
            path = draw.choice(sorted(waiting))
            tab.send(path, ACTS[path][1] | {"email": f"n{number}@x.example", "color": f"#{number:06x}"})
            refused += tab.status in {403, 409}
        landed = set(AuditEvent.objects.filter(pk__gt=before).values_list("account", flat=True))
        assert landed <= {keys.get(shown)}, f"act {number}, {act}: a page of {shown}, but {landed}"
        done += len(landed)
    assert done
    # Of a few acts it may be that none came too late.
    assert refused or acts < 200


def latest() -> int:
    """Return the key of the newest event of the log."""
    newest = AuditEvent.objects.order_by("-pk").first()
    return newest.pk if newest else 0
