"""Every address of every page names its account, and is refused while the session looks at another."""

import re
from html import unescape
from urllib.parse import urljoin

import pytest
from django.test import Client

from dashboard.models import Role
from dashboard.requests.account_paths import split_path
from dashboard.requests.sent_forms import FIELD
from tests import factories
from tests.dashboard.canary import Canary
from tests.dashboard.routes import addresses, names
from tests.dashboard.signing_in import sign_in_lately
from tests.dashboard.test_two_tabs import Tab

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
LINKS = re.compile(r'(?:hx-get|hx-post|href|action|formaction|src)="([^"#]+)')
# Of the sign-in, which no account has a part in; of programs, which have tokens; files that are everybody's.
UNNAMED = re.compile(
    r"/(static/|sign-in/|sign-out/|sign-up/|sign-on/|password/|confirm/|second-factor/|passkey/|you/(factors|app|codes|"
    r"passkeys)/|invitation/|domain/|demo/|inactive/|accounts/\d+/switch/|api/|mcp)"
)


def test_every_address_on_every_page_names_its_account(marked_companies: Canary) -> None:
    canary = marked_companies
    reader = canary.readers["administrator"]
    factories.MembershipFactory(user=reader, account=factories.AccountFactory(name="Zephyr"), role=Role.ADMINISTRATOR)
    client = sign_in_lately(Client(raise_request_exception=False), reader)
    client.post(f"/accounts/{canary.account.pk}/switch/")
    ours = {kind: keys[:1] for kind, keys in canary.keys.items()}
    named, walked = f"/account-{canary.account.pk}/", 0
    for name in names():
        if name in {"account_logout", "demo_sign_in"} or name.startswith(
            ("api_", "saml_", "openid_", "mfa_", "account_")
        ):
            continue
        for address in addresses(name, ours):
            answer = client.get(address, follow=True)
            if answer.streaming or not answer["Content-Type"].startswith("text/html") or answer.status_code != 200:
                continue
            tab = Tab(client)._take(answer, address)
            if not split_path(tab.url)[0]:
                assert UNNAMED.match(tab.url) or tab.url == "/mcp", f"{tab.url} names no account"
                continue
            walked += 1
            for link in LINKS.findall(tab.text):
                found = urljoin(tab.url, unescape(link))
                if found.startswith("/") and not found.startswith("//"):
                    assert found.startswith(named) or UNNAMED.match(found), f"{found} on {tab.url}"
            for leads_to, hidden in tab.forms():
                assert FIELD in hidden, f"a form on {tab.url} that leads to {leads_to} has no key"
    assert walked > 40


def test_every_address_is_refused_while_another_account_is_looked_at(marked_companies: Canary) -> None:
    canary = marked_companies
    reader = canary.readers["administrator"]
    other = factories.AccountFactory(name="Zephyr")
    factories.MembershipFactory(user=reader, account=other, role=Role.ADMINISTRATOR)
    client = sign_in_lately(Client(raise_request_exception=False), reader)
    client.post(f"/accounts/{other.pk}/switch/")
    ours = {kind: keys[:1] for kind, keys in canary.keys.items()}
    refused = set()
    for name in names():
        for address in addresses(name, ours):
            if UNNAMED.match(address) or address == "/mcp":
                continue
            path = f"/account-{canary.account.pk}{address}"
            for answer in (client.get(path), client.post(path), client.get(path, headers={"HX-Request": "true"})):
                assert answer.status_code == 409, path
                assert "you look at Zephyr now" in answer.content.decode(), path
            refused.add(name)
    assert {"people", "person", "export", "export_file", "delivery_file", "evidence_file", "report"} <= refused
    assert {"sync_start", "sync_status", "invite_member", "settings_logo", "passport", "preview_file"} <= refused
