"""Two accounts, two providers: whoever runs one of them never gets into the other, by whatever way and whenever.

Mallory administers Northwind alone, and says through its provider that she is Noor, who is, or will be, a member of
Brackwater. The providers are real ones on this machine; no session is made up.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import LazySettings
from django.core import mail
from django.test import Client

from dashboard.models import AskedTask, AuditEvent, EmailDomain, Membership, Role, SingleSignOn, User
from dashboard.outbox.notices import TASK
from dashboard.services.members import Offer, invite
from sync.models import Account, SyncRun
from tests import factories
from tests.clock import MOMENT
from tests.dashboard.identity_provider import CLIENT_ID, SECRET, IdentityProvider, identity_provider
from tests.dashboard.passkey import Passkey
from tests.dashboard.signing_in import own_domains, sign_in_lately
from tests.dashboard.test_sign_in_saml import CERTIFICATE, IDP, answer, asked, send

pytestmark = pytest.mark.django_db
EMAIL = "noor@brackwater.example"
NOOR = {"email": EMAIL, "email_verified": True, "given_name": "Noor", "family_name": "Velasquez"}
PASSWORDS = {"mallory": "mallory knows this one well", "noor": "nobody but noor knows this"}


def browser() -> Client:
    """Return a browser that nobody is signed in on."""
    return Client(headers={"host": "localhost"})


def by_oidc(account: Account, provider: IdentityProvider) -> SingleSignOn:
    """Return the account's single sign-on by OpenID Connect, for the domain of Brackwater."""
    made = SingleSignOn(
        account=account,
        name=f"{account} ID",
        email_domains=["brackwater.example"],
        server_url=provider.issuer,
        client_id=CLIENT_ID,
    )
    made.secret = SECRET
    made.save()
    made.roles.create(group="staff", role=Role.SECURITY_MANAGER)
    return made


def by_saml(account: Account) -> SingleSignOn:
    """Return the account's single sign-on by SAML, for the domain of Brackwater."""
    made = SingleSignOn.objects.create(
        account=account,
        kind=SingleSignOn.Kind.SAML,
        name=f"{account} SAML",
        email_domains=["brackwater.example"],
        idp_entity_id=IDP,
        idp_sso_url=f"{IDP}/sign-in",
        idp_certificate=CERTIFICATE,
    )
    made.roles.create(group="staff", role=Role.SECURITY_MANAGER)
    return made


class Site:
    """Both accounts, and their providers."""

    def __init__(self, brackwater: Account, mallorys: IdentityProvider, theirs: IdentityProvider) -> None:
        self.brackwater = brackwater
        self.northwind = factories.AccountFactory(name="Northwind Bank")
        self.mallory = factories.UserFactory(email="mallory@northwind.example")
        self.ines = factories.UserFactory(email="ines@brackwater.example")
        factories.MembershipFactory(user=self.mallory, account=self.northwind, role=Role.ADMINISTRATOR)
        factories.MembershipFactory(user=self.ines, account=self.brackwater, role=Role.ADMINISTRATOR)
        mallorys.claims = NOOR | {"sub": "whatever", "groups": ["staff"]}
        theirs.claims = NOOR | {"sub": "noor-1", "groups": ["staff"]}
        self.mallorys, self.theirs = mallorys, theirs
        self.single_sign_on = own_domains(by_oidc(self.brackwater, theirs))

    def through_brackwater(self) -> Client:
        """Sign Noor in as herself, through the provider of Brackwater, which gives her its role."""
        client = browser()
        arrive(client, self.theirs, self.single_sign_on)
        return client

    def through_northwind(self, kind: str = "oidc") -> Client:
        """Come in as Noor through Mallory's provider."""
        client = browser()
        provider = SingleSignOn.objects.filter(account=self.northwind).first()
        if kind == "saml":
            provider = provider or by_saml(self.northwind)
            client = Client(headers={"host": "testserver"})
            send(client, provider, answer(provider, asked(client, provider), email=EMAIL, groups=["staff"]))
        else:
            arrive(client, self.mallorys, provider or by_oidc(self.northwind, self.mallorys))
        return client

    def let_her_in(self) -> None:
        """Let Noor accept an invitation to Northwind by the link in her mail, so that its provider may name her."""
        client = browser()
        if not User.objects.filter(email=EMAIL).exists():
            SingleSignOn.objects.filter(account=self.northwind).update(is_required=True)
            client.post(self.invited(self.northwind, self.mallory))
            SingleSignOn.objects.filter(account=self.northwind).update(is_required=False)
        else:
            user = User.objects.get(email=EMAIL)
            factories.MembershipFactory(
                user=user, account=self.northwind, role=Role.PEOPLE_MANAGER, source=Membership.Source.INVITED
            )
        assert Membership.objects.filter(user__email=EMAIL, account=self.northwind).exists()

    def invited(self, account: Account, by: User, role: Role = Role.PEOPLE_MANAGER) -> str:
        """Invite Noor and return where the link in her mail leads."""
        _invitation, token = invite(account, EMAIL, Offer(role), by=by, at=MOMENT)
        return f"/invitation/{token}/"

    def set_required(self) -> None:
        """Let the administrator of Brackwater require single sign-on, on the page."""
        client = sign_in_lately(browser(), self.ines)
        one = SingleSignOn.objects.get(account=self.brackwater)
        fields = {
            **{"kind": "oidc", "name": one.name, "email_domains": "brackwater.example", "groups_claim": "groups"},
            **{"server_url": one.server_url, "client_id": CLIENT_ID, "secret": SECRET},
            **{"is_enabled": "on", "is_required": "on"},
        }
        assert client.post("/settings/sign-on/", fields).status_code == 302


def arrive(client: Client, provider: IdentityProvider, single_sign_on: SingleSignOn) -> Any:
    """Go to the provider and back; return the answer to what it said."""
    begun = client.get(f"/sign-on/{single_sign_on.key}/")
    return client.get(provider.authorize(begun["Location"]))


def opens(client: Client) -> set[str]:
    """Return the names of the accounts that the session opens, as its page knows them."""
    page = client.get("/you/access/", follow=True)
    return {account.name for account in page.context["request"].scope.accounts}


def by_password(password: str) -> Client:
    """Sign Noor in with a password, as far as that goes."""
    client = browser()
    client.post("/sign-in/", {"login": EMAIL, "password": password})
    return client


@pytest.fixture
def site(account: Account, published: SyncRun) -> Iterator[Site]:
    """Return both accounts with a provider each; Mallory's is set up by her when she uses it."""
    with identity_provider() as mallorys, identity_provider() as theirs:
        yield Site(account, mallorys, theirs)


@pytest.mark.parametrize("kind", ["oidc", "saml"])
def test_provider_speaks_for_no_domain_that_its_account_has_not_proven(site: Site, kind: str) -> None:
    client = site.through_northwind(kind)
    assert "_auth_user_id" not in client.session
    assert not User.objects.filter(email=EMAIL).exists()
    # Not even somebody whom Mallory invited: the link is in Noor's mailbox.
    site.invited(site.northwind, site.mallory)
    assert "_auth_user_id" not in site.through_northwind(kind).session
    # Nor a member of the other account.
    site.through_brackwater()
    assert "_auth_user_id" not in site.through_northwind(kind).session
    assert not Membership.objects.filter(user__email=EMAIL, account=site.northwind).exists()


@pytest.mark.slow
@pytest.mark.parametrize("is_required", [False, True], ids=["free", "required"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("way", ["oidc", "saml", "password", "passkey", "invitation"])
def test_what_one_account_vouches_for_opens_no_other(site: Site, way: str, when: str, is_required: bool) -> None:
    """Noor is invited to Northwind by name, so that Mallory's provider may name her, before or after her first role."""
    passkey, password = Passkey(), PASSWORDS["mallory"]
    if when == "after":
        site.through_brackwater()
    if is_required:
        site.set_required()
    if way == "invitation":
        take_invitation(site, when, is_required=is_required)
        return
    (by_saml(site.northwind) if way == "saml" else by_oidc(site.northwind, site.mallorys))
    site.let_her_in()
    session = site.through_northwind(way)
    assert opens(session) == {"Northwind Bank"}
    if way == "password":
        set_it = session.post("/password/set/", {"password1": password, "password2": password})
        assert set_it.status_code == (302 if when == "before" else 403)
    if way == "passkey":
        assert passkey.add(session).status_code == (302 if when == "before" else 403)
        if when == "before":
            # It works, for the account that vouches for it.
            theirs = browser()
            passkey.sign_in(theirs)
            assert opens(theirs) == {"Northwind Bank"}
    if when == "before":
        assert opens(site.through_brackwater()) == {"Brackwater Mutual"}
    noor = User.objects.get(email=EMAIL)
    assert "Brackwater Mutual" not in opens(session)
    assert session.post(f"/accounts/{site.brackwater.pk}/switch/").status_code in {302, 404}
    assert "Brackwater Mutual" not in opens(session)
    # The password is no key to anything, nor is the passkey, nor are new ones set.
    assert opens(by_password(password)) == set()
    assert not noor.has_usable_password()
    assert not Authenticator.objects.filter(user=noor).exists()
    if way == "passkey" and when == "before":
        stolen = browser()
        passkey.sign_in(stolen)
        assert "_auth_user_id" not in stolen.session
    again = site.through_northwind(way)
    assert opens(again) == {"Northwind Bank"}
    assert again.get("/password/set/").status_code == 403
    assert again.get("/you/passkeys/add/").status_code == 403
    assert again.get("/you/app/").status_code == 403
    # And the real one is not locked out.
    assert opens(site.through_brackwater()) == {"Brackwater Mutual"}


def take_invitation(site: Site, when: str, *, is_required: bool) -> None:
    """See what a password opens that Noor chose by the link of an invitation: her mailbox vouches for it."""
    password = PASSWORDS["noor"]
    link = site.invited(site.northwind, site.mallory)
    if when == "after":
        hers = site.through_brackwater()
        assert hers.post(link).status_code == 302
        told = hers.get("/", follow=True).content.decode()
        assert "How you are signed in now does not open Northwind Bank" in told
        # What Brackwater's provider says opens nothing of Northwind's.
        assert opens(hers) == {"Brackwater Mutual"}
        set_it = hers.post("/password/set/", {"password1": password, "password2": password})
        assert set_it.status_code == 403
        reset(password)
    else:
        names = {"first_name": "Noor", "last_name": "Velasquez", "password": password, "again": password}
        assert browser().post(link, names).status_code == 302
        assert opens(site.through_brackwater()) == {"Brackwater Mutual"}
    expected = {"Northwind Bank"} if is_required else {"Northwind Bank", "Brackwater Mutual"}
    assert opens(by_password(password)) == expected


def reset(password: str) -> None:
    """Choose a password by a link that is mailed."""
    client = browser()
    client.post("/password/reset/", {"email": EMAIL})
    found = re.search(r"http://[^/]+(/password/reset/\S+)", mail.outbox[-1].body)
    assert found
    page = client.get(found[1], follow=True)
    client.post(page.request["PATH_INFO"], {"password1": password, "password2": password})


def test_attack_through_a_session_that_was_open_before(site: Site, settings: LazySettings) -> None:
    """Replay the attack as it was found: the session, and the password, were there before Noor came."""
    EmailDomain.objects.filter(account=site.brackwater).update(proof="", proven_at=None)
    by_oidc(site.northwind, site.mallorys)
    SingleSignOn.objects.filter(account=site.northwind).update(default_role="")
    SingleSignOn.objects.get(account=site.northwind).roles.all().delete()
    own_domains(SingleSignOn.objects.get(account=site.northwind))
    session, password = site.through_northwind(), PASSWORDS["mallory"]
    assert session.get("/").status_code == 403
    session.post("/password/set/", {"password1": password, "password2": password})
    noor = User.objects.get(email=EMAIL)
    assert noor.has_usable_password()
    assert noor.vouched_by == site.northwind
    # Whoever runs the server moves the domain to whom it belongs, and Noor comes.
    EmailDomain.objects.filter(account=site.northwind).update(proof="", proven_at=None)
    own_domains(site.single_sign_on)
    settings.HAS_MAIL_SERVER = True
    hers = site.through_brackwater()
    assert opens(hers) == {"Brackwater Mutual"}
    assert opens(session) == set()
    assert "_auth_user_id" not in session.session
    assert opens(by_password(password)) == set()
    noor.refresh_from_db()
    assert not noor.has_usable_password()
    assert noor.vouched_by is None
    told = AskedTask.objects.get(task=TASK).arguments
    assert told["to"] == EMAIL
    assert told["paragraphs"][0] == "Brackwater Mutual has given you access to Rollcall."
    assert "Northwind" not in str(told)
    removed = AuditEvent.objects.filter(account=site.brackwater, action=AuditEvent.Action.PASSWORD_CHANGED)
    assert removed.get().details == {"removed_before_first_role": True}
    ended = AuditEvent.objects.filter(account=site.brackwater, action=AuditEvent.Action.SESSION_ENDED)
    assert ended.get().details["before_first_role"] is True


def test_invitation_lets_somebody_choose_anew_what_was_set_for_them(site: Site) -> None:
    by_oidc(site.northwind, site.mallorys)
    site.let_her_in()
    session, password = site.through_northwind(), PASSWORDS["mallory"]
    session.post("/password/set/", {"password1": password, "password2": password})
    link = site.invited(site.brackwater, site.ines)
    client = browser()
    assert "Choose a password" in client.get(link).content.decode()
    new = PASSWORDS["noor"]
    client.post(link, {"password": new, "again": new})
    assert opens(client) == {"Brackwater Mutual", "Northwind Bank"}
    assert opens(session) == set()
    assert opens(by_password(password)) == set()


def test_loan_counts_as_a_first_role(site: Site) -> None:
    by_oidc(site.northwind, site.mallorys)
    site.let_her_in()
    session, password = site.through_northwind(), PASSWORDS["mallory"]
    session.post("/password/set/", {"password1": password, "password2": password})
    head = factories.UserFactory(email="sam@brackwater.example")
    factories.MembershipFactory(user=head, account=site.brackwater, role=Role.PEOPLE_MANAGER)
    invite(site.brackwater, EMAIL, Offer(Role.AUDITOR, ends_at=MOMENT + timedelta(days=9)), by=site.ines, at=MOMENT)
    lender = browser()
    lender.force_login(head)
    lent = {"email": EMAIL, "first_day": "2026-11-23", "last_day": "2026-11-30"}
    assert lender.post("/you/access/", lent).status_code == 302
    assert not User.objects.get(email=EMAIL).has_usable_password()
    assert opens(by_password(password)) == set()


def test_requiring_ends_other_sessions_at_once(site: Site) -> None:
    noor = factories.UserFactory(email=EMAIL)
    factories.MembershipFactory(user=noor, account=site.brackwater)
    both = factories.UserFactory(email="bo@brackwater.example")
    for account in (site.brackwater, site.northwind):
        factories.MembershipFactory(user=both, account=account)
    client, other = by_password(factories.PASSWORD), browser()
    other.post("/sign-in/", {"login": both.email, "password": factories.PASSWORD})
    through = site.through_brackwater()
    assert opens(client) == opens(through) == {"Brackwater Mutual"}
    assert opens(other) == {"Brackwater Mutual", "Northwind Bank"}
    site.set_required()
    assert UserSession.objects.filter(user=noor).count() == 1
    assert client.get("/people/")["Location"].startswith("/sign-in/")
    assert opens(through) == {"Brackwater Mutual"}
    # What does not require it is open still.
    assert opens(other) == {"Northwind Bank"}
    assert AuditEvent.objects.get(action=AuditEvent.Action.SESSION_ENDED).details == {"sessions": 1, "required": True}


@pytest.mark.parametrize("act", ["switched off", "removed", "another issuer"])
def test_session_ends_with_the_provider_that_made_it(site: Site, act: str) -> None:
    through = site.through_brackwater()
    admin = sign_in_lately(browser(), site.ines)
    if act == "removed":
        admin.post("/settings/sign-on/remove/", {"confirmed": "on"})
        factories.MembershipFactory(
            user=User.objects.get(email=EMAIL), account=site.brackwater, role=Role.PEOPLE_MANAGER
        )
    else:
        fields = {
            **{"kind": "oidc", "name": "ID", "email_domains": "brackwater.example", "groups_claim": "groups"},
            **{"client_id": CLIENT_ID, "secret": SECRET},
            "server_url": site.theirs.issuer if act == "switched off" else "https://id.elsewhere.example",
        }
        admin.post("/settings/sign-on/", fields | ({} if act == "switched off" else {"is_enabled": "on"}))
    answered = through.get("/people/")
    assert answered.status_code == 302
    assert answered["Location"].startswith("/sign-in/")
