"""Providers as they are: each signs in with the right role, or is refused with the right sentence."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from dashboard.audit import Action
from dashboard.mail.alerts import watching
from dashboard.models import Alert, AskedTask, AuditEvent, EmailDomain, Role, SingleSignOn, User
from sync.models import Account, SyncRun
from tests import factories
from tests.clock import MOMENT
from tests.dashboard.identity_provider import CLIENT_ID, SECRET, IdentityProvider, identity_provider
from tests.dashboard.provider_shapes import EMAIL, GROUP, OIDC, PERSISTENT, SAML, Oidc, Saml
from tests.dashboard.signing_in import own_domains
from tests.dashboard.test_sign_in_saml import CERTIFICATE, IDP, answer, asked, send
from tests.dashboard.test_sign_in_single_sign_on import come_in, roles_of

pytestmark = pytest.mark.django_db
ELSEWHERE = {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "https://graph.example"}}}
PIA = {"sub": "pia-1", "email": EMAIL, "given_name": "Pia", "family_name": "Lund"}


@pytest.fixture
def provider() -> Iterator[IdentityProvider]:
    """Return a provider of OpenID Connect."""
    with identity_provider() as running:
        yield running


@pytest.fixture
def oidc(account: Account, published: SyncRun, provider: IdentityProvider) -> SingleSignOn:
    """Return the account's single sign-on by OpenID Connect."""
    made = SingleSignOn(
        account=account,
        name="Brackwater ID",
        email_domains=["brackwater.example"],
        server_url=provider.issuer,
        client_id=CLIENT_ID,
    )
    made.secret = SECRET
    made.save()
    return own_domains(made)


@pytest.fixture
def saml(account: Account, published: SyncRun) -> SingleSignOn:
    """Return the account's single sign-on by SAML."""
    made = SingleSignOn.objects.create(
        account=account,
        kind=SingleSignOn.Kind.SAML,
        name="Brackwater ID",
        email_domains=["brackwater.example"],
        idp_entity_id=IDP,
        idp_sso_url=f"{IDP}/sign-in",
        idp_certificate=CERTIFICATE,
    )
    return own_domains(made)


def set_up(single_sign_on: SingleSignOn, settings: dict[str, Any]) -> None:
    """Set the single sign-on up as the shape wants it; its group makes security managers."""
    fields = dict(settings)
    single_sign_on.roles.create(group=fields.pop("group", GROUP), role=Role.SECURITY_MANAGER)
    SingleSignOn.objects.update(**fields)


def check(said: Any, shape: Oidc | Saml) -> None:
    """Hold the page to what the shape says comes of it."""
    if shape.complaint:
        assert shape.complaint in said.content.decode()
        assert not User.objects.exists()
        return
    assert said.status_code == 200, said.content.decode()
    user = User.objects.get()
    assert user.email == EMAIL
    assert roles_of(user).keys() == {Role.SECURITY_MANAGER}


@pytest.mark.parametrize("name", OIDC)
def test_openid_connect_as_it_is(client: Client, provider: IdentityProvider, oidc: SingleSignOn, name: str) -> None:
    shape = OIDC[name]
    set_up(oidc, shape.settings)
    provider.claims, provider.whole_info = shape.token, shape.info
    check(come_in(client, provider, oidc), shape)
    if not shape.complaint:
        assert User.objects.get().get_full_name() == "Pia Lund"


@pytest.mark.parametrize("name", SAML)
def test_saml_as_it_is(saml: SingleSignOn, name: str) -> None:
    client, shape = Client(headers={"host": "testserver"}), SAML[name]
    set_up(saml, shape.settings)
    said = answer(
        saml, asked(client, saml), email=shape.name_id, name_format=shape.name_format, attributes=shape.attributes
    )
    check(send(client, saml, said), shape)


def test_a_name_to_sign_in_with_counts_in_proven_domains_alone(
    client: Client, provider: IdentityProvider, oidc: SingleSignOn
) -> None:
    set_up(oidc, {})
    EmailDomain.objects.update(account=factories.AccountFactory(name="Northwind Bank"))
    shape = OIDC["Entra without a mailbox"]
    provider.claims, provider.whole_info = shape.token, shape.info
    assert "is not taken for one" in come_in(client, provider, oidc).content.decode()
    assert not User.objects.exists()
    assert "brackwater.example is not proven" in SingleSignOn.objects.get(pk=oidc.pk).last_refusal


@pytest.mark.parametrize("overage", [ELSEWHERE, {"hasgroups": "true"}, {"hasgroups": True}])
def test_too_many_groups_end_no_role(
    client: Client, provider: IdentityProvider, oidc: SingleSignOn, ines: User, overage: dict[str, Any]
) -> None:
    set_up(oidc, {"default_role": Role.PEOPLE_MANAGER})
    provider.claims = PIA | {"groups": [GROUP]}
    come_in(client, provider, oidc)
    provider.claims = PIA | overage
    said = come_in(Client(), provider, oidc).content.decode()
    assert "You keep the roles you had" in said
    assert roles_of(User.objects.get(email=EMAIL)).keys() == {Role.SECURITY_MANAGER}
    assert not AuditEvent.objects.filter(action=Action.MEMBER_ENDED).exists()
    # Administrators hear of it once, and when it is over.
    now = MOMENT + timedelta(minutes=5)
    watching.look(now)
    watching.look(now + timedelta(minutes=5))
    alert = Alert.objects.get(kind=Alert.Kind.GROUPS_UNTOLD)
    assert "Groups assigned to the application" in alert.said
    watching.look(now + timedelta(days=8))
    alert.refresh_from_db()
    assert alert.ended_at is not None
    # Groups that are told count again, none of them included.
    provider.claims = PIA | {"groups": ["canteen"]}
    come_in(Client(), provider, oidc)
    assert roles_of(User.objects.get(email=EMAIL)).keys() == {Role.PEOPLE_MANAGER}


def test_too_many_groups_by_saml_end_no_role(saml: SingleSignOn) -> None:
    shape = SAML["Entra"]
    set_up(saml, shape.settings)
    for attributes in (shape.attributes, SAML["Entra, over 150 groups at the first sign-in"].attributes):
        client = Client(headers={"host": "testserver"})
        send(client, saml, answer(saml, asked(client, saml), email=EMAIL, attributes=attributes))
        assert roles_of(User.objects.get()).keys() == {Role.SECURITY_MANAGER}
        assert "_auth_user_id" in client.session


def test_administrators_see_how_to_send_fewer_groups(
    client: Client, provider: IdentityProvider, oidc: SingleSignOn, as_ines: Client
) -> None:
    set_up(oidc, {})
    assert "Groups assigned to the application" not in as_ines.get("/settings/sign-on/").content.decode()
    provider.claims = PIA | ELSEWHERE
    come_in(Client(), provider, oidc)
    assert "Groups assigned to the application" in as_ines.get("/settings/sign-on/").content.decode()


def test_a_role_that_a_sign_in_ends_is_told_and_on_record(
    client: Client, provider: IdentityProvider, oidc: SingleSignOn, settings: Any
) -> None:
    set_up(oidc, {})
    provider.claims = PIA | {"groups": [GROUP]}
    come_in(client, provider, oidc)
    factories.MembershipFactory(user=User.objects.get(), account=oidc.account, role=Role.PEOPLE_MANAGER)
    settings.HAS_MAIL_SERVER = True
    provider.claims = dict(PIA)
    said = come_in(Client(), provider, oidc).content.decode()
    assert "it has ended: Security manager" in said
    [event] = AuditEvent.objects.filter(action=Action.MEMBER_ENDED)
    assert (event.actor, event.details["role"]) == (User.objects.get(), "security_manager")
    [notice] = AskedTask.objects.filter(task="dashboard.tasks.send_notice")
    assert notice.arguments["to"] == EMAIL
    assert "it has ended: Security manager" in notice.arguments["paragraphs"][0]
    # Once: the next sign-in ends nothing.
    come_in(Client(), provider, oidc)
    assert AskedTask.objects.count() == 1


def test_what_a_refused_sign_in_said_is_not_kept(
    client: Client, provider: IdentityProvider, oidc: SingleSignOn
) -> None:
    set_up(oidc, {})
    provider.claims = PIA | {"groups": [GROUP]}
    come_in(client, provider, oidc)
    provider.claims = PIA | {"email": "pia@elsewhere.example"}
    assert "does not sign in this email" in come_in(Client(), provider, oidc).content.decode()
    assert SocialAccount.objects.get().extra_data == {}


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"is_signed": False, "is_response_signed": True}, "a signature around the response alone does not count"),
        ({"is_signed": False}, "The assertion was not signed"),
        ({"audience": "https://elsewhere.example"}, "is not a valid audience"),
        ({"at": MOMENT - timedelta(days=30)}, "clock"),
        ({"email": "noor@elsewhere.example"}, "The email was of elsewhere.example"),
        ({"email": "noor", "name_format": PERSISTENT}, "It sent no email. It sent: groups."),
    ],
    ids=["response signed", "unsigned", "for another site", "too old", "another domain", "no email"],
)
def test_administrators_read_why_an_answer_was_refused(
    saml: SingleSignOn, as_ines: Client, said: dict[str, Any], reason: str
) -> None:
    page = as_ines.get("/settings/sign-on/").content.decode()
    assert "Assertions must be signed" in page
    assert "sign-in that was refused" not in page
    client = Client(headers={"host": "testserver"})
    seen = send(client, saml, answer(saml, asked(client, saml), **said)).content.decode()
    assert "_auth_user_id" not in client.session
    page = as_ines.get("/settings/sign-on/").content.decode()
    assert "The last sign-in that was refused" in page
    assert reason in page
    assert reason not in seen or reason.startswith("It sent")
    assert "noor@" not in page


def test_why_a_token_was_refused_is_read_by_administrators(
    client: Client, provider: IdentityProvider, oidc: SingleSignOn, as_ines: Client
) -> None:
    provider.claims, provider.audience = dict(PIA), "another-site"
    come_in(client, provider, oidc)
    assert "for another client ID" in as_ines.get("/settings/sign-on/").content.decode()
    SingleSignOn.objects.filter(pk=oidc.pk).update(client_id=CLIENT_ID, encrypted_secret=b"")
    come_in(client, provider, oidc)
    assert "Look at the client ID, the client secret" in as_ines.get("/settings/sign-on/").content.decode()


def test_a_claim_for_the_email_is_set_for_openid_connect(
    as_ines: Client, provider: IdentityProvider, oidc: SingleSignOn
) -> None:
    fields = {
        "kind": "oidc", "name": "Brackwater ID", "email_domains": "brackwater.example", "groups_claim": "groups",
        "server_url": provider.issuer, "client_id": CLIENT_ID, "email_attribute": "upn", "is_enabled": "on",
    }  # fmt: skip
    assert as_ines.post("/settings/sign-on/", fields).status_code == 302
    assert SingleSignOn.objects.get().email_attribute == "upn"
