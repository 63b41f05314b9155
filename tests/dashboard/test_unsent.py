"""Forms sent by who was no longer signed in: back to their page, told that nothing was done, with what was typed."""

import html
import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django import forms
from django.conf import settings
from django.test import Client

from dashboard.identity.unsent import SECRET, nothing_done
from dashboard.models import Schedule, User
from dashboard.requests.sent_forms import FIELD, new_key
from sync.models import Account
from tests import factories
from tests.dashboard.canary import Canary
from tests.dashboard.routes import addresses
from tests.dashboard.signing_in import sign_in_lately
from tests.dashboard.test_sent_forms import HARMLESS, MAKES

# Whoever sends these is not signed in.
OPEN = {"accept_invitation", "demo_sign_in", "prove_domain"}


def wanted(answer: Any) -> str:
    """Return where the sign-in page leads to."""
    assert answer.status_code == 302
    parts = urlsplit(answer["Location"])
    assert parts.path == "/sign-in/"
    return parse_qs(parts.query)["next"][0]


def kept(page: str) -> dict[str, Any]:
    """Return what a page puts back into its form."""
    found = re.search(r'<script id="unsent" type="application/json">(.*?)</script>', page)
    assert found
    return json.loads(html.unescape(found[1]))


@pytest.mark.slow
@pytest.mark.parametrize("share", range(2))
def test_every_form_leads_back_to_its_page(marked_companies: Canary, share: int) -> None:
    canary = marked_companies
    reader = canary.readers["administrator"]
    ours = {kind: keys[:1] for kind, keys in canary.keys.items()}
    for name in sorted((MAKES | HARMLESS) - OPEN)[share::2]:
        address = next(iter(addresses(name, ours)))
        client = Client()
        sent = {FIELD: new_key(reader), "email": "typed@x.example", "act": "pause"}
        answer = client.post(address, sent, headers={"Referer": "http://testserver/exports/?page=1"})
        assert wanted(answer) == "/exports/?page=1", name
        entrance = client.get(answer["Location"]).content.decode()
        if name in {"console_imports", "import_exemptions"}:
            # The form, a file with it, is not read of who is not signed in.
            assert nothing_done() in entrance
            continue
        assert "You were signed out" in entrance
        sign_in_lately(client, reader)
        page = client.get("/exports/?page=1")
        assert page.status_code == 200
        text = page.content.decode()
        assert nothing_done() in text, name
        assert kept(text)["typed"]["email"] == ["typed@x.example"]
    assert nothing_done() not in client.get("/exports/").content.decode()


def test_what_was_typed_comes_back_through_the_sign_in_form(client: Client, ines: User, company: Account) -> None:
    answer = client.post(
        "/schedules/new/?report=board",
        {FIELD: new_key(ines), "name": "Board </script>", "recipients": ["1", "2"]},
        headers={"Referer": "http://testserver/schedules/new/?report=board"},
    )
    leads_to = wanted(answer)
    signed_in = client.post(
        answer["Location"], {"login": ines.email, "password": factories.PASSWORD, "next": leads_to}, follow=True
    )
    text = signed_in.content.decode()
    assert signed_in.request["PATH_INFO"] == "/schedules/new/"
    assert nothing_done() in text
    found = kept(text)
    assert found["action"] == "/schedules/new/?report=board"
    assert found["typed"] == {"name": ["Board </script>"], "recipients": ["1", "2"]}
    assert not Schedule.objects.exists()


def test_nobody_else_gets_what_was_typed(client: Client, ines: User, alice: User, company: Account) -> None:
    client.post("/settings/members/invite/", {FIELD: new_key(ines), "email": "typed@x.example"})
    client.force_login(alice)
    assert "typed@x.example" not in client.get("/").content.decode()
    client.force_login(ines)
    assert "typed@x.example" not in client.get("/").content.decode()


@pytest.mark.parametrize(
    "referer",
    ["", "http://evil.example/", "http://testserver/nowhere/", "http://[", "http://testserver@evil.example/x"],
)
def test_without_a_page_of_ours_it_is_the_first(client: Client, ines: User, referer: str) -> None:
    answer = client.post("/sync/start/", {FIELD: new_key(ines)}, headers={"Referer": referer} if referer else {})
    assert wanted(answer) == "/"


def test_without_a_key_nothing_is_kept_but_it_is_said(client: Client, ines: User, company: Account) -> None:
    client.post("/sync/start/", {"name": "x" * 50})
    assert "sessionid" not in client.cookies
    client.force_login(ines)
    assert nothing_done() in client.get("/").content.decode()


def test_secrets_are_not_kept(client: Client, ines: User, company: Account) -> None:
    client.post("/settings/accounts/new/", {FIELD: new_key(ines), "name": "Second", "key": "abc", "secret": "abc"})
    assert client.session["unsent"]["typed"] == {"name": ["Second"]}
    client.post("/settings/accounts/new/", {FIELD: new_key(ines), "name": "x" * 30_000})
    assert client.session["unsent"]["typed"] == {}


def test_every_password_field_is_known_as_a_secret() -> None:
    import dashboard.pages.account_form as _a  # noqa: PLC0415, F401
    import dashboard.pages.members_accept_form as _b  # noqa: PLC0415, F401
    import dashboard.pages.members_single_sign_on as _c  # noqa: PLC0415, F401

    names = {
        name
        for form in forms.Form.__subclasses__()
        for name, field in form.base_fields.items()
        if isinstance(field.widget, forms.PasswordInput)
    }
    for template in (settings.BASE_DIR / "templates").rglob("*.html"):
        for field in re.findall(r'<input[^>]*type="password"[^>]*>', template.read_text()):
            names |= set(re.findall(r'name="([^"{]+)"', field))
    assert names >= {"key", "secret", "password1"}
    assert {name for name in names if not SECRET.search(name)} == set()


def test_whoever_signed_in_anew_in_another_tab_finds_the_form_as_it_was(ines: User, company: Account) -> None:
    client = sign_in_lately(Client(enforce_csrf_checks=True), ines)
    page = "/settings/members/invite/"
    form = {FIELD: new_key(ines), "email": "typed@x.example", "csrfmiddlewaretoken": "x" * 64}
    answer = client.post(page, form, headers={"Referer": f"http://testserver{page}"})
    assert (answer.status_code, answer["Location"]) == (302, page)
    assert kept(client.get(page).content.decode())["typed"] == {"email": ["typed@x.example"]}
    assert client.post(page, form | {FIELD: "forged"}).status_code == 403


def test_a_form_that_needs_a_fresh_sign_in_is_kept_too(client: Client, ines: User, company: Account) -> None:
    client.force_login(ines)
    answer = client.post("/settings/members/invite/", {FIELD: new_key(ines), "email": "typed@x.example"})
    assert answer["Location"].startswith("/confirm/")
    sign_in_lately(client, ines)
    assert kept(client.get("/settings/members/invite/").content.decode())["typed"] == {"email": ["typed@x.example"]}
