"""Single sign-on by OpenID Connect, against a provider that runs here: whom it signs in, and as what."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.db import connection
from django.test import Client

from dashboard.models import Membership, Role, SingleSignOn, User
from sync.models import Account, SyncRun
from tests import factories
from tests.clock import MOMENT
from tests.dashboard.identity_provider import ANOTHER_KEY, CLIENT_ID, SECRET, IdentityProvider, identity_provider
from tests.dashboard.signing_in import own_domains

pytestmark = pytest.mark.django_db
NOOR = {
    "sub": "noor-1",
    "email": "noor@brackwater.example",
    "email_verified": True,
    "given_name": "Noor",
    "family_name": "Velasquez",
}


@pytest.fixture
def provider() -> Iterator[IdentityProvider]:
    """Return a provider that says Noor is in the security team."""
    with identity_provider() as running:
        running.claims = NOOR | {"groups": ["security"]}
        yield running


@pytest.fixture
def single_sign_on(account: Account, published: SyncRun, provider: IdentityProvider) -> SingleSignOn:
    """Return the account's single sign-on: the security team are security managers."""
    made = SingleSignOn(
        account=account,
        name="Brackwater ID",
        email_domains=["brackwater.example"],
        server_url=provider.issuer,
        client_id=CLIENT_ID,
    )
    made.secret = SECRET
    made.save()
    made.roles.create(group="security", role=Role.SECURITY_MANAGER)
    return own_domains(made)


def come_in(client: Client, provider: IdentityProvider, single_sign_on: SingleSignOn) -> Any:
    """Go the whole way: to the provider and back; return the last answer."""
    begun = client.get(f"/sign-on/{single_sign_on.key}/")
    assert begun.status_code == 302
    assert begun["Location"].startswith(provider.issuer)
    return client.get(provider.authorize(begun["Location"]), follow=True)


def roles_of(user: User) -> dict[str, Membership]:
    """Return the roles that hold, by name."""
    return {
        held.role: held for held in Membership.objects.filter(user=user) if held.holds(MOMENT + timedelta(minutes=1))
    }


def test_first_sign_in_makes_the_user_with_the_groups_role(
    client: Client, provider: IdentityProvider, single_sign_on: SingleSignOn
) -> None:
    assert "Continue with Brackwater ID" in client.get("/sign-in/").content.decode()
    assert come_in(client, provider, single_sign_on).status_code == 200
    noor = User.objects.get(email="noor@brackwater.example")
    assert noor.get_full_name() == "Noor Velasquez"
    assert not noor.has_usable_password()
    assert roles_of(noor).keys() == {Role.SECURITY_MANAGER}
    assert roles_of(noor)[Role.SECURITY_MANAGER].source == Membership.Source.SINGLE_SIGN_ON
    assert client.get("/people/").status_code == 200
    # Nothing of what the provider said is kept.
    assert SocialAccount.objects.get().extra_data == {}
    assert not SocialToken.objects.exists()


def test_roles_follow_groups_and_invited_ones_stay(
    client: Client, provider: IdentityProvider, single_sign_on: SingleSignOn, account: Account
) -> None:
    claims = factories.DepartmentFactory(account=account, name="Claims")
    heads = single_sign_on.roles.create(group="claims-heads", role=Role.DEPARTMENT_HEAD)
    heads.departments.set([claims])
    come_in(client, provider, single_sign_on)
    noor = User.objects.get(email="noor@brackwater.example")
    factories.MembershipFactory(user=noor, account=account, role=Role.PEOPLE_MANAGER, source=Membership.Source.INVITED)
    provider.claims = NOOR | {"groups": ["claims-heads"]}
    come_in(Client(), provider, single_sign_on)
    held = roles_of(noor)
    assert held.keys() == {Role.DEPARTMENT_HEAD, Role.PEOPLE_MANAGER}
    assert list(held[Role.DEPARTMENT_HEAD].departments.all()) == [claims]
    # Out of all groups: only what was given by invitation is left.
    provider.claims = dict(NOOR)
    come_in(Client(), provider, single_sign_on)
    assert roles_of(noor).keys() == {Role.PEOPLE_MANAGER}
    # And back.
    provider.claims = NOOR | {"groups": "security"}
    come_in(Client(), provider, single_sign_on)
    assert roles_of(noor).keys() == {Role.SECURITY_MANAGER, Role.PEOPLE_MANAGER}


def test_no_group_gives_no_role_or_the_default(
    client: Client, provider: IdentityProvider, single_sign_on: SingleSignOn
) -> None:
    provider.claims = NOOR | {"groups": ["canteen"]}
    assert come_in(client, provider, single_sign_on).status_code == 403
    assert not Membership.objects.exists()
    SingleSignOn.objects.update(default_role=Role.PEOPLE_MANAGER)
    come_in(Client(), provider, single_sign_on)
    assert Membership.objects.get().role == Role.PEOPLE_MANAGER


def test_existing_user_is_found_by_email(
    client: Client, provider: IdentityProvider, single_sign_on: SingleSignOn, charlie: User
) -> None:
    provider.claims = {"sub": "c-1", "email": "Charlie@Brackwater.example", "groups": ["security"]}
    assert come_in(client, provider, single_sign_on).status_code == 200
    assert User.objects.count() == 1
    assert roles_of(charlie).keys() == {Role.SECURITY_MANAGER}


@pytest.mark.parametrize(
    ("claims", "info", "complaint"),
    [
        ({"email": "noor@elsewhere.example"}, {}, "does not sign in this email"),
        ({"email": "noor@brackwater.example.evil.example"}, {}, "does not sign in this email"),
        ({"email_verified": False}, {}, "has not verified your email"),
        ({"email": ""}, {}, "did not say your email"),
        ({}, {"sub": "somebody-else"}, "contradicts itself"),
    ],
)
def test_provider_is_not_believed(
    client: Client,
    provider: IdentityProvider,
    single_sign_on: SingleSignOn,
    claims: dict[str, Any],
    info: dict[str, Any],
    complaint: str,
) -> None:
    provider.claims, provider.info = NOOR | {"groups": ["security"]} | claims, info
    assert complaint in come_in(client, provider, single_sign_on).content.decode()
    assert not User.objects.exists()
    assert "_auth_user_id" not in client.session


def test_token_for_another_client_is_refused(
    client: Client, provider: IdentityProvider, single_sign_on: SingleSignOn
) -> None:
    provider.audience = "another-site"
    assert "could not be used" in come_in(client, provider, single_sign_on).content.decode()
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("key", "algorithm", "key_id"),
    [(ANOTHER_KEY, "RS256", "one"), (None, "none", "one"), (SECRET, "HS256", "one"), (ANOTHER_KEY, "RS256", "two")],
)
def test_token_that_the_provider_did_not_sign_is_refused(
    client: Client, provider: IdentityProvider, single_sign_on: SingleSignOn, key: Any, algorithm: str, key_id: str
) -> None:
    provider.key, provider.algorithm, provider.key_id = key, algorithm, key_id
    answer = come_in(client, provider, single_sign_on)
    assert answer.status_code < 500
    assert not User.objects.filter(email="noor@brackwater.example").exists()
    assert client.get("/people/").status_code == 302


def test_answer_without_our_question_is_refused(client: Client, single_sign_on: SingleSignOn) -> None:
    answer = client.get(f"/sign-on/{single_sign_on.key}/callback/?code=x&state=y", follow=True)
    assert "could not be used" in answer.content.decode()


def test_provider_that_is_down_is_said(client: Client, single_sign_on: SingleSignOn) -> None:
    SingleSignOn.objects.update(server_url="http://127.0.0.1:9")
    answer = client.get(f"/sign-on/{single_sign_on.key}/", follow=True)
    assert answer.status_code == 200
    assert "does not answer just now" in answer.content.decode()


def test_provider_of_one_account_opens_no_other(
    client: Client, provider: IdentityProvider, single_sign_on: SingleSignOn, charlie: User
) -> None:
    other = factories.AccountFactory(name="Northwind Bank")
    factories.MembershipFactory(user=charlie, account=other)
    provider.claims = {"sub": "c-1", "email": charlie.email, "groups": ["security"]}
    assert come_in(client, provider, single_sign_on).status_code == 200
    assert roles_of(charlie).keys() == {Role.SECURITY_MANAGER}
    text = client.get("/you/access/").content.decode()
    assert "Northwind Bank" not in text
    assert client.post(f"/accounts/{other.pk}/switch/").status_code == 404


def test_required_refuses_passwords_but_for_administrators(
    client: Client, single_sign_on: SingleSignOn, alice: User, ines: User
) -> None:
    SingleSignOn.objects.update(is_required=True)
    answer = client.post("/sign-in/", {"login": alice.email, "password": factories.PASSWORD}, follow=True)
    assert "signs in through Brackwater ID" in answer.content.decode()
    assert "_auth_user_id" not in client.session
    assert client.post("/sign-in/", {"login": ines.email, "password": factories.PASSWORD})["Location"] == "/"
    assert "_auth_user_id" in client.session


def test_switched_off_provider_is_not_there(client: Client, single_sign_on: SingleSignOn, alice: User) -> None:
    SingleSignOn.objects.update(is_enabled=False, is_required=True)
    assert client.get(f"/sign-on/{single_sign_on.key}/").status_code == 404
    assert "Brackwater ID" not in client.get("/sign-in/").content.decode()
    # And binds nobody.
    assert client.post("/sign-in/", {"login": alice.email, "password": factories.PASSWORD})["Location"] == "/"


def test_last_administrator_outlives_the_group(
    client: Client, provider: IdentityProvider, single_sign_on: SingleSignOn
) -> None:
    single_sign_on.roles.create(group="it", role=Role.ADMINISTRATOR)
    provider.claims = NOOR | {"groups": ["it"]}
    come_in(client, provider, single_sign_on)
    provider.claims = dict(NOOR)
    come_in(Client(), provider, single_sign_on)
    assert roles_of(User.objects.get()).keys() == {Role.ADMINISTRATOR}


def test_secret_is_encrypted_at_rest(single_sign_on: SingleSignOn) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT encrypted_secret FROM dashboard_singlesignon")
        stored = bytes(cursor.fetchone()[0])
    assert SECRET.encode() not in stored
    assert SingleSignOn.objects.get().secret == SECRET


def test_auditors_group_has_an_end(
    client: Client, provider: IdentityProvider, single_sign_on: SingleSignOn, now: datetime
) -> None:
    ends_at = now + timedelta(days=30)
    single_sign_on.roles.create(group="audit", role=Role.AUDITOR, ends_at=ends_at)
    provider.claims = NOOR | {"groups": ["audit"]}
    come_in(client, provider, single_sign_on)
    assert Membership.objects.get(role=Role.AUDITOR).ends_at == ends_at


def test_administrator_sets_it_up(client: Client, ines: User, published: SyncRun, provider: IdentityProvider) -> None:
    client.post("/sign-in/", {"login": ines.email, "password": factories.PASSWORD})
    fields = {
        "kind": "oidc",
        "name": "Brackwater ID",
        "email_domains": "Brackwater.example, @claims.brackwater.example",
        "groups_claim": "groups",
        "server_url": provider.issuer,
        "client_id": CLIENT_ID,
        "secret": SECRET,
        "is_enabled": "on",
    }
    # The provider wants to know where it leads before it says what is typed here.
    page = client.get("/settings/sign-on/").content.decode()
    before = re.findall(r"/sign-on/[a-z0-9/]+/", page)
    assert "OpenID Connect: Redirect URI" in page
    assert "SAML: Assertion consumer service" in page
    assert client.post("/settings/sign-on/", fields)["Location"] == "/settings/sign-on/"
    made = SingleSignOn.objects.get()
    assert f"/sign-on/{made.key}/callback/" in before
    assert made.email_domains == ["brackwater.example", "claims.brackwater.example"]
    assert SECRET not in client.get("/settings/sign-on/").content.decode()
    client.post("/settings/sign-on/groups/new/", {"group": "security", "role": "security_manager"})
    assert "security" in client.get("/settings/sign-on/").content.decode()
    refused = come_in(Client(), provider, made).content.decode()
    assert "signs in only people invited by name" in refused
    assert "only people invited by name until brackwater.example is proven" in refused
    own_domains(made)
    assert come_in(Client(), provider, made).status_code == 200
    # Another address gets the secret only when it is typed again.
    moved = fields | {"server_url": "https://elsewhere.example", "secret": ""}
    assert "Enter the secret again" in client.post("/settings/sign-on/", moved).content.decode()
    plain = fields | {"server_url": "http://elsewhere.example"}
    assert "must begin with https" in client.post("/settings/sign-on/", plain).content.decode()
    # Gone, with what it gave, and with its key: what it signed in must not come back with the next.
    assert "Nothing was done" in client.post("/settings/sign-on/remove/", follow=True).content.decode()
    client.post("/settings/sign-on/remove/", {"confirmed": "on"})
    assert not SingleSignOn.objects.exists()
    assert made.key not in client.get("/settings/sign-on/").content.decode()
    assert roles_of(User.objects.get(email="noor@brackwater.example")) == {}
