"""Email domains and their accounts: proven by a DNS record, a mail to postmaster, or whoever runs the server."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.core import mail
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.management import CommandError, call_command
from django.test import Client

from config import variables
from config.email_addresses import domain_of, validate_address
from dashboard.models import AuditEvent, EmailDomain, Role, SingleSignOn, User
from dashboard.services import RefusedError
from dashboard.services.domains import prove, record_name, record_text
from sync.models import Account, SyncRun
from tests import factories
from tests.clock import MOMENT
from tests.dashboard.at_once import at_once
from tests.dashboard.name_server import NameServer, name_server
from tests.dashboard.signing_in import sign_in_lately

pytestmark = pytest.mark.django_db
FIELDS = {
    **{"kind": "oidc", "name": "ID", "groups_claim": "groups", "server_url": "https://id.example", "client_id": "us"},
    **{"secret": "a secret", "is_enabled": "on"},
}


@pytest.fixture
def servers(settings: LazySettings) -> Iterator[NameServer]:
    """Return the name server that is asked."""
    with name_server() as running:
        settings.DNS_SERVERS = [running.address]
        yield running


@pytest.fixture
def as_ines(client: Client, ines: User, published: SyncRun) -> Client:
    """Return a client on which the administrator has set up single sign-on for a domain that is not proven."""
    sign_in_lately(client, ines)
    assert client.post("/settings/sign-on/", FIELDS | {"email_domains": "brackwater.example"}).status_code == 302
    return client


def the_domain(name: str = "brackwater.example") -> EmailDomain:
    """Return the domain of that name."""
    return EmailDomain.objects.get(name=name)


def page(client: Client) -> str:
    """Return the page of single sign-on."""
    return client.get("/settings/sign-on/").content.decode()


def test_record_proves_it(as_ines: Client, servers: NameServer, ines: User) -> None:
    domain = the_domain()
    assert "1 email domain is not proven" in page(as_ines)
    assert record_text(domain) in page(as_ines)
    for texts in (None, [], ["v=spf1 -all"], ["rollcall-domain=" + "0" * 32], [record_text(domain) + "0"]):
        if texts:
            servers.records[record_name(domain)] = texts
        as_ines.post(f"/settings/sign-on/domains/{domain.pk}/check/")
        assert "has no TXT record with this text yet" in page(as_ines)
    servers.records[record_name(domain)] = ["something else", record_text(domain)]
    as_ines.post(f"/settings/sign-on/domains/{domain.pk}/check/")
    text = page(as_ines)
    assert "brackwater.example belongs to this account." in text
    assert "All email domains are proven" in text
    assert the_domain().proof == EmailDomain.Proof.DNS
    event = AuditEvent.objects.get(action=AuditEvent.Action.DOMAIN_PROVEN)
    assert (event.actor, event.details) == (ines, {"domain": "brackwater.example", "proof": "dns"})


def test_name_servers_that_do_not_answer_are_said(as_ines: Client, servers: NameServer) -> None:
    servers.is_broken = True
    as_ines.post(f"/settings/sign-on/domains/{the_domain().pk}/check/")
    assert "The name servers did not answer" in page(as_ines)
    assert the_domain().proven_at is None


def link_in(body: str) -> str:
    """Return where the link in a mail leads."""
    found = re.search(r"/domain/\S+", body)
    assert found
    return found[0]


def test_postmaster_proves_it(as_ines: Client, ines: User) -> None:
    as_ines.post(f"/settings/sign-on/domains/{the_domain().pk}/mail/")
    (sent,) = mail.outbox
    assert sent.to == ["postmaster@brackwater.example"]
    link, postmaster = link_in(sent.body), Client()
    # A mail program that looks at links proves nothing.
    assert "Is brackwater.example the domain of Brackwater Mutual?" in postmaster.get(link).content.decode()
    assert the_domain().proven_at is None
    assert "brackwater.example is proven" in postmaster.post(link).content.decode()
    assert the_domain().proof == EmailDomain.Proof.MAIL
    assert postmaster.get(link[:-2] + "x/").status_code == 404


@pytest.mark.parametrize("end", ["a day later", "given up"])
def test_link_is_over(as_ines: Client, end: str) -> None:
    as_ines.post(f"/settings/sign-on/domains/{the_domain().pk}/mail/")
    link = link_in(mail.outbox[0].body)
    if end == "given up":
        assert Client().post(link).status_code == 200
        call_command("email_domain", "brackwater.example", "--release")
        assert Client().post(link).status_code == 404
    else:
        with time_machine.travel(MOMENT.replace(day=MOMENT.day + 1, minute=31), tick=False):
            assert Client().post(link).status_code == 404
    assert the_domain().proven_at is None


def test_domain_belongs_to_one_account(as_ines: Client, servers: NameServer, capsys: Any) -> None:
    northwind = factories.AccountFactory(name="Northwind Bank")
    call_command("email_domain", "Brackwater.Example", "--account", "Northwind Bank")
    domain = EmailDomain.objects.get(name="brackwater.example", proven_at=None)
    assert "Belongs to another account here" in page(as_ines)
    servers.records[record_name(domain)] = [record_text(domain)]
    for act in ("check", "mail"):
        as_ines.post(f"/settings/sign-on/domains/{domain.pk}/{act}/")
        assert "Whoever runs this server can move it" in page(as_ines)
    assert mail.outbox == []
    with pytest.raises(CommandError, match="belongs to another account: run this with --release first"):
        call_command("email_domain", "brackwater.example", "--account", "Brackwater Mutual")
    call_command("email_domain", "brackwater.example", "--release")
    with pytest.raises(CommandError, match="belongs to no account"):
        call_command("email_domain", "brackwater.example", "--release")
    call_command("email_domain", "brackwater.example", "--account", "Brackwater Mutual")
    capsys.readouterr()
    call_command("email_domain")
    assert capsys.readouterr().out.splitlines() == [
        "brackwater.example  Brackwater Mutual  Whoever runs this server",
        "brackwater.example  Northwind Bank  not proven",
    ]
    assert AuditEvent.objects.filter(account=northwind).values_list("action", flat=True).count() == 2
    with pytest.raises(CommandError, match="is no domain"):
        call_command("email_domain", "not a domain")


@pytest.mark.django_db(transaction=True)
def test_of_two_accounts_that_prove_it_at_once_one_does(account: Account) -> None:
    theirs = EmailDomain.objects.create(account=factories.AccountFactory(), name="brackwater.example")
    ours = EmailDomain.objects.create(account=account, name=theirs.name)
    taken = "UPDATE dashboard_emaildomain SET proof = 'dns', proven_at = now() WHERE id = %s"
    with at_once(taken, [theirs.pk]), pytest.raises(RefusedError, match="belongs to another account here"):
        prove(ours, EmailDomain.Proof.DNS, by=None, at=MOMENT)
    assert EmailDomain.objects.exclude(proven_at=None).get() == theirs


def test_domains_follow_what_the_provider_speaks_for(as_ines: Client) -> None:
    call_command("email_domain", "brackwater.example")
    as_ines.post("/settings/sign-on/", FIELDS | {"email_domains": "brackwater.example, Bücher.example"})
    assert dict(EmailDomain.objects.values_list("name", "proof")) == {
        "brackwater.example": "operator",
        "xn--bcher-kva.example": "",
    }
    as_ines.post("/settings/sign-on/", FIELDS | {"email_domains": "bücher.example"})
    assert EmailDomain.objects.get().name == "xn--bcher-kva.example"
    as_ines.post("/settings/sign-on/remove/", {"confirmed": "on"})
    assert not EmailDomain.objects.exists()
    assert not SingleSignOn.objects.exists()


def test_one_domain_has_one_spelling(as_ines: Client) -> None:
    as_ines.post("/settings/sign-on/", FIELDS | {"email_domains": "Brackwater.example., @brackwater.EXAMPLE"})
    assert EmailDomain.objects.get().name == "brackwater.example"
    assert domain_of("noor@Brackwater.example.") == "brackwater.example"
    # A full-width @ or dot becomes one where mail is sent: whose domain is it then?
    for domain in ("evil\uff20brackwater.example", "a\u3002\u3002b.example"):
        refused = as_ines.post("/settings/sign-on/", FIELDS | {"email_domains": domain})
        assert "is not a domain" in refused.content.decode(), domain
        with pytest.raises(ValidationError):
            validate_address(f"mallory@{domain}")
    for fine in (
        "a@b\u00fccher.example",
        "\u0131k@\u00f6rnek.example",
        "a@localhost",
        '"a@b"@x.example',
        "a@[127.0.0.1]",
    ):
        validate_address(fine)


def test_only_the_accounts_administrators_prove(as_ines: Client, account: Account, charlie: User) -> None:
    domain = the_domain()
    theirs = Client()
    factories.MembershipFactory(user=charlie, account=factories.AccountFactory(), role=Role.ADMINISTRATOR)
    sign_in_lately(theirs, charlie)
    for act in ("check", "mail"):
        assert theirs.post(f"/settings/sign-on/domains/{domain.pk}/{act}/").status_code == 404
    assert mail.outbox == []


def test_name_servers_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DNS_SERVERS", "10.0.0.53, 127.0.0.1:5353, [fd00::53], [::1]:54")
    assert variables.name_servers("DNS_SERVERS") == [
        *(("10.0.0.53", 53), ("127.0.0.1", 5353)),
        *(("fd00::53", 53), ("::1", 54)),
    ]
    for wrong in ("ns.example", "10.0.0.530", "[::1", "10.0.0.53:"):
        monkeypatch.setenv("DNS_SERVERS", wrong)
        with pytest.raises(ImproperlyConfigured, match="DNS_SERVERS names"):
            variables.name_servers("DNS_SERVERS")
