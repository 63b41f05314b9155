"""Somebody's email and name: they follow the provider, their owner changes them, an administrator corrects them."""

import re
from collections.abc import Iterator
from datetime import time, timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client

from dashboard.access import Scope
from dashboard.audit import Action
from dashboard.models import AskedTask, AuditEvent, EmailDomain, Membership, Role, Schedule, SingleSignOn, User
from dashboard.requests.sent_forms import FIELD
from dashboard.row_security import within
from dashboard.services.first_role import settle_sign_in
from sync.models import Account, Person, SyncRun
from tests import factories
from tests.clock import MOMENT
from tests.dashboard.identity_provider import CLIENT_ID, SECRET, IdentityProvider, identity_provider
from tests.dashboard.provider_shapes import PERSISTENT
from tests.dashboard.signing_in import own_domains, sign_in_lately
from tests.dashboard.test_sent_forms import key_on
from tests.dashboard.test_sign_in_saml import CERTIFICATE, IDP, answer, asked, send
from tests.dashboard.test_sign_in_single_sign_on import come_in

pytestmark = pytest.mark.django_db
OLD, NEW = "bea.boss@brackwater.example", "bea.smith@brackwater.example"
BEA = {"sub": "bea-1", "email": OLD, "given_name": "Bea", "family_name": "Boss", "groups": ["leads"]}
MARRIED = BEA | {"email": NEW, "family_name": "Smith"}


@pytest.fixture
def provider() -> Iterator[IdentityProvider]:
    """Return a provider that says Bea leads people."""
    with identity_provider() as running:
        running.claims = dict(BEA)
        yield running


@pytest.fixture
def single_sign_on(account: Account, published: SyncRun, provider: IdentityProvider, settings: Any) -> SingleSignOn:
    """Return the account's single sign-on: leads are people managers. People are told by mail."""
    settings.HAS_MAIL_SERVER = True
    made = SingleSignOn(
        account=account,
        name="Brackwater ID",
        email_domains=["brackwater.example"],
        server_url=provider.issuer,
        client_id=CLIENT_ID,
    )
    made.secret = SECRET
    made.save()
    made.roles.create(group="leads", role=Role.PEOPLE_MANAGER)
    return own_domains(made)


@pytest.fixture
def bea(account: Account) -> Person:
    """Return a manager of two people."""
    person = factories.PersonFactory(account=account, email=OLD, first_name="Bea", last_name="Boss")
    factories.PersonFactory.create_batch(2, account=account, manager=person)
    return person


def in_line(user: User, account: Account) -> int:
    """Return how many people the user sees as a manager: those who report to the person with their email."""
    scope = Scope.of(user, chosen=account.pk, at=MOMENT + timedelta(minutes=1))
    with within(scope):
        return scope.people().count()


def told() -> list[tuple[str, str]]:
    """Return to whom which notices are asked for."""
    tasks = AskedTask.objects.filter(task="dashboard.tasks.send_notice").order_by("pk")
    return [(task.arguments["to"], task.arguments["subject"]) for task in tasks]


def renamed() -> list[tuple[Any, str, dict[str, Any]]]:
    """Return who is on record for a rename, by which email they had then, and what it says."""
    events = AuditEvent.objects.filter(action=Action.MEMBER_RENAMED).order_by("pk")
    return [(event.account, event.actor_email, event.details) for event in events]


def test_a_new_email_at_the_provider_is_taken_over_with_the_line(
    client: Client, provider: IdentityProvider, single_sign_on: SingleSignOn, bea: Person
) -> None:
    come_in(client, provider, single_sign_on)
    user = User.objects.get(email=OLD)
    assert in_line(user, single_sign_on.account) == 2
    # KnowBe4 has it, too; the provider says it.
    Person.objects.filter(pk=bea.pk).update(email=NEW, last_name="Smith")
    provider.claims = dict(MARRIED)
    page = come_in(Client(), provider, single_sign_on).content.decode()
    assert f"Your email here is {NEW} now" in page
    user.refresh_from_db()
    assert in_line(user, single_sign_on.account) == 2
    assert (user.email, user.get_full_name()) == (NEW, "Bea Smith")
    assert User.objects.count() == 1
    assert list(EmailAddress.objects.values_list("email", flat=True)) == [NEW]
    fields = {"fields": ["email", "last_name"], "source": "single_sign_on"}
    assert renamed() == [(single_sign_on.account, OLD, fields)]
    assert told() == [(OLD, "You sign in to Rollcall with another email")]
    # Once: the next sign-in changes nothing.
    come_in(Client(), provider, single_sign_on)
    assert len(renamed()) == 1


def test_a_persistent_name_id_says_who_it_is(account: Account, published: SyncRun) -> None:
    single_sign_on = SingleSignOn.objects.create(
        account=account,
        kind=SingleSignOn.Kind.SAML,
        name="Brackwater ID",
        email_domains=["brackwater.example"],
        idp_entity_id=IDP,
        idp_sso_url=f"{IDP}/sign-in",
        idp_certificate=CERTIFICATE,
    )
    own_domains(single_sign_on)
    for email in (OLD, NEW):
        client = Client(headers={"host": "testserver"})
        said = {"email": "G-bea-1", "name_format": PERSISTENT, "attributes": {"email": [email], "sn": ["Smith"]}}
        send(client, single_sign_on, answer(single_sign_on, asked(client, single_sign_on), **said))
        assert User.objects.get().email == email


def test_case_alone_is_no_other_email(client: Client, provider: IdentityProvider, single_sign_on: SingleSignOn) -> None:
    come_in(client, provider, single_sign_on)
    provider.claims = BEA | {"email": OLD.upper()}
    come_in(Client(), provider, single_sign_on)
    assert User.objects.get().email == OLD
    assert not renamed()


def test_who_is_in_another_account_keeps_an_email_of_its_domain(
    client: Client, provider: IdentityProvider, single_sign_on: SingleSignOn
) -> None:
    come_in(client, provider, single_sign_on)
    user = User.objects.get()
    User.objects.update(email="bea@northwind.example")
    for account in (single_sign_on.account, factories.AccountFactory(name="Northwind Bank")):
        factories.MembershipFactory(user=user, account=account)
    provider.claims = dict(MARRIED)
    browser = Client()
    page = come_in(browser, provider, single_sign_on).content.decode()
    assert "It stays bea@northwind.example here" in page
    # Nor does a session that this provider made change it: who runs the provider would get mail of the other account.
    assert browser.get("/you/name/").status_code == 403
    assert browser.post("/you/name/confirm/", {"code": "1"}).status_code == 403
    assert User.objects.get().email == "bea@northwind.example"
    assert not renamed()


def test_in_a_domain_that_is_not_proven_the_email_stays(
    client: Client, provider: IdentityProvider, single_sign_on: SingleSignOn
) -> None:
    come_in(client, provider, single_sign_on)
    factories.MembershipFactory(user=User.objects.get(), account=single_sign_on.account)
    EmailDomain.objects.all().delete()
    provider.claims = dict(MARRIED)
    page = come_in(Client(), provider, single_sign_on).content.decode()
    assert f"It stays {OLD} here" in page
    assert User.objects.get().email == OLD
    assert not told()


def test_an_email_that_another_user_has_is_a_page_of_its_own(
    client: Client, provider: IdentityProvider, single_sign_on: SingleSignOn, as_ines: Client
) -> None:
    come_in(Client(), provider, single_sign_on)
    other = factories.UserFactory(email=NEW.upper())
    provider.claims = dict(MARRIED)
    browser = Client()
    answered = come_in(browser, provider, single_sign_on)
    assert answered.status_code == 409
    page = answered.content.decode()
    assert "Somebody else signs in with this email" in page
    assert NEW in page
    assert "_auth_user_id" not in browser.session
    assert set(User.objects.values_list("email", flat=True)) >= {OLD, other.email}
    assert "with which another member signs in already" in as_ines.get("/settings/sign-on/").content.decode()
    assert not told()


def test_schedules_of_who_decides_nothing_any_more_are_handed_on(
    client: Client, provider: IdentityProvider, single_sign_on: SingleSignOn, ines: User
) -> None:
    single_sign_on.roles.create(group="security", role=Role.SECURITY_MANAGER)
    provider.claims = BEA | {"groups": ["security"]}
    come_in(client, provider, single_sign_on)
    bea = User.objects.get(email=OLD)
    made = {"content": "figures", "frequency": "weekly", "weekday": 0, "at_time": time(7), "since": MOMENT}
    schedule = Schedule.objects.create(
        account=single_sign_on.account, owner=bea, name="Weekly", created_at=MOMENT, **made
    )
    provider.claims = dict(BEA)
    come_in(Client(), provider, single_sign_on)
    schedule.refresh_from_db()
    assert schedule.owner == ines


# A member's own -----------------------------------------------------------------------------------------------------


def code_mailed() -> str:
    """Return the code of the last mail."""
    found = re.search(r"^\d{4} \d{4}$", str(mail.outbox[-1].body), re.MULTILINE)
    assert found is not None
    return found.group()


def fields(user: User, **changed: str) -> dict[str, str]:
    return {"first_name": user.first_name, "last_name": user.last_name, "email": user.email, **changed}


def test_a_member_changes_their_name_at_once(client: Client, alice: User, published: SyncRun) -> None:
    sign_in_lately(client, alice)
    assert "/you/name/" in client.get("/you/").content.decode()
    assert client.post("/you/name/", fields(alice, last_name="Newman"))["Location"] == "/you/"
    alice.refresh_from_db()
    assert alice.last_name == "Newman"
    assert not mail.outbox
    assert [details for _account, _email, details in renamed()] == [{"fields": ["last_name"], "source": "member"}]


def test_a_member_changes_their_email_by_a_code_mailed_to_it(
    client: Client, alice: User, published: SyncRun, settings: Any
) -> None:
    settings.HAS_MAIL_SERVER = True
    before = alice.email
    sign_in_lately(client, alice)
    assert client.post("/you/name/", fields(alice, email=NEW))["Location"] == "/you/name/confirm/"
    assert mail.outbox[-1].to == [NEW]
    code = code_mailed()
    alice.refresh_from_db()
    assert alice.email == before
    # Of no use in another browser, nor wrong.
    other = sign_in_lately(Client(), alice)
    assert other.post("/you/name/confirm/", {"code": code})["Location"] == "/you/name/"
    assert "another code" in client.post("/you/name/confirm/", {"code": "0000 000"}).content.decode()
    assert client.post("/you/name/confirm/", {"code": code.replace(" ", "")})["Location"] == "/you/"
    alice.refresh_from_db()
    assert alice.email == NEW
    assert told() == [(before, "You sign in to Rollcall with another email")]
    assert client.post("/you/name/confirm/", {"code": code})["Location"] == "/you/name/"
    client.post("/sign-out/")
    assert client.post("/sign-in/", {"login": NEW, "password": factories.PASSWORD})["Location"] == "/"


def test_a_second_click_mails_no_second_code(client: Client, alice: User, published: SyncRun) -> None:
    sign_in_lately(client, alice)
    sent = fields(alice, email=NEW) | {FIELD: key_on(client, "/you/name/")}
    client.post("/you/name/", sent)
    client.post("/you/name/", sent)
    assert len(mail.outbox) == 1
    assert client.post("/you/name/confirm/", {"code": code_mailed()})["Location"] == "/you/"


def test_codes_are_guessed_five_times_and_hold_half_an_hour(client: Client, alice: User, published: SyncRun) -> None:
    sign_in_lately(client, alice)
    client.post("/you/name/", fields(alice, email=NEW))
    for _number in range(5):
        assert client.post("/you/name/confirm/", {"code": "x"}).status_code == 200
    assert client.post("/you/name/confirm/", {"code": code_mailed()})["Location"] == "/you/name/"
    client.post("/you/name/", fields(alice, email=NEW))
    for until in (MOMENT - timedelta(seconds=1), MOMENT + timedelta(hours=30)):
        session = client.session
        session["new_email"] |= {"until": until.isoformat()}
        session.save()
        assert client.post("/you/name/confirm/", {"code": code_mailed()})["Location"] == "/you/name/"
    alice.refresh_from_db()
    assert alice.email != NEW


def test_an_email_that_somebody_has_is_refused_when_it_is_confirmed(
    client: Client, alice: User, ines: User, published: SyncRun
) -> None:
    sign_in_lately(client, alice)
    # Who signs in here is told only to whoever reads that address's mail.
    assert client.post("/you/name/", fields(alice, email=ines.email))["Location"] == "/you/name/confirm/"
    said = client.post("/you/name/confirm/", {"code": code_mailed()}, follow=True).content.decode()
    assert "Somebody else signs in with this email." in said


def test_whoever_comes_by_single_sign_on_changes_it_there(
    client: Client, provider: IdentityProvider, single_sign_on: SingleSignOn
) -> None:
    come_in(client, provider, single_sign_on)
    user = User.objects.get(email=OLD)
    assert "Have your organization change them in Brackwater ID" in client.get("/you/name/").content.decode()
    client.post("/you/name/", fields(user, email="bea@home.example", last_name="X"))
    user.refresh_from_db()
    assert (user.email, user.last_name) == (OLD, "Boss")
    assert not mail.outbox


def test_required_single_sign_on_keeps_the_email(client: Client, alice: User, single_sign_on: SingleSignOn) -> None:
    SingleSignOn.objects.update(is_required=True)
    sign_in_lately(client, alice)
    session = client.session
    session["signed_in_through"] = single_sign_on.key
    session.save()
    said = client.post("/you/name/", fields(alice, email="alice@home.example"))
    assert "You sign in through Brackwater ID only" in said.content.decode()
    assert not mail.outbox


# An administrator's -------------------------------------------------------------------------------------------------


def test_an_administrator_corrects_an_email_and_both_are_told(
    client: Client, ines: User, alice: User, published: SyncRun, settings: Any
) -> None:
    settings.HAS_MAIL_SERVER = True
    sign_in_lately(client, ines)
    membership = Membership.objects.get(user=alice)
    before, address = alice.email, f"/settings/members/{membership.pk}/name/"
    assert address in client.get(f"/settings/members/{membership.pk}/").content.decode()
    assert client.post(address, fields(alice, email=NEW)).status_code == 302
    alice.refresh_from_db()
    assert alice.email == NEW
    assert renamed() == [(membership.account, ines.email, {"fields": ["email"], "source": "administrator"})]
    assert [to for to, _subject in told()] == [before, NEW]


@pytest.mark.parametrize("is_proven", [False, True])
def test_a_corrected_email_opens_no_other_account(
    client: Client, ines: User, alice: User, published: SyncRun, is_proven: bool
) -> None:
    here = Membership.objects.get(user=alice)
    if is_proven:
        EmailDomain.objects.create(account=here.account, name="victims.example", proof="dns", proven_at=MOMENT)
    sign_in_lately(client, ines)
    # Whoever holds Alice's password now has an email that is somebody else's.
    client.post(f"/settings/members/{here.pk}/name/", fields(alice, email="victim@victims.example"))
    alice.refresh_from_db()
    assert alice.has_usable_password()
    assert settle_sign_in(alice, factories.AccountFactory(name="Northwind Bank")) is not is_proven
    assert alice.has_usable_password() is is_proven


def test_an_administrator_corrects_nobody_of_another_account(
    client: Client, ines: User, alice: User, published: SyncRun
) -> None:
    sign_in_lately(client, ines)
    here = Membership.objects.get(user=alice)
    other = factories.AccountFactory(name="Northwind Bank")
    there = factories.MembershipFactory(user=factories.UserFactory(), account=other)
    assert client.post(f"/settings/members/{there.pk}/name/", fields(there.user, email=NEW)).status_code == 404
    taken = factories.UserFactory(email=NEW)
    address = f"/settings/members/{here.pk}/name/"
    assert "Somebody else signs in" in client.post(address, fields(alice, email=taken.email)).content.decode()
    theirs = SingleSignOn.objects.create(
        account=other, name="Theirs", email_domains=["northwind.example"], server_url="https://x", client_id="x"
    )
    own_domains(theirs)
    said = client.post(address, fields(alice, email="victim@northwind.example")).content.decode()
    assert "Emails of this domain belong to another account" in said
    factories.MembershipFactory(user=alice, account=other)
    assert "only they can change" in client.post(address, fields(alice, last_name="X")).content.decode()
    assert not renamed()
