"""The way out as docs/operate/proxies.md tells it: a proxy, and certificates of one's own, on real connections."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core import mail
from django.test import Client as Browser

from dashboard.models import SingleSignOn
from sync.knowbe4 import errors, resources
from sync.knowbe4.client import Client
from sync.knowbe4.retry import Retry
from tests.dashboard.identity_provider import CLIENT_ID, SECRET, identity_provider
from tests.dashboard.mail.server import Inbox, certificate_in, serving
from tests.dashboard.signing_in import own_domains
from tests.factories import AccountFactory
from tests.forward_proxy import ForwardProxy, forward_proxy
from tests.sync.knowbe4.server import serving as knowbe4

# Names that nobody resolves: only by way of the proxy can they be reached.
KNOWBE4, PROVIDER = "eu.api.knowbe4.example", "id.brackwater.example"
ACCOUNT = {"name": "Brackwater Mutual", "type": "paid", "domains": [], "admins": []}
HURRIED = {"retry": Retry(attempts=1), "timeout": (5.0, 5.0)}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a certificate for both names that nobody vouches for, and its key."""
    return certificate_in(tmp_path_factory.mktemp("certificate"), KNOWBE4, PROVIDER)


@pytest.fixture
def context(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    """Return what servers with that certificate speak TLS by."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(*certificate)
    return made


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[ForwardProxy]:
    """Return a proxy that the environment names."""
    for name in ("NO_PROXY", "no_proxy", "https_proxy", "ALL_PROXY", "all_proxy", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    with forward_proxy() as running:
        monkeypatch.setenv("HTTPS_PROXY", running.url)
        yield running


def test_knowbe4_is_reached_through_the_proxy(
    proxy: ForwardProxy, context: ssl.SSLContext, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with knowbe4(context) as server:
        server.says(ACCOUNT)
        proxy.routes[KNOWBE4] = urlsplit(server.url).port or 0
        with (
            Client(f"https://{KNOWBE4}", "a-key", **HURRIED) as client,
            pytest.raises(errors.Unreachable, match="no trusted certificate"),
        ):
            client.get(resources.ACCOUNT)
        assert server.asked == []
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
        with Client(f"https://{KNOWBE4}", "a-key", **HURRIED) as client:
            assert client.get(resources.ACCOUNT).name == "Brackwater Mutual"
        assert proxy.asked == [f"{KNOWBE4}:443"] * 2
        proxy.user = "ann:p@ss"
        with (
            Client(f"https://{KNOWBE4}", "a-key", **HURRIED) as client,
            pytest.raises(errors.Unreachable, match="the proxy failed"),
        ):
            client.get(resources.ACCOUNT)
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("//", "//ann:p%40ss@"))
        with Client(f"https://{KNOWBE4}", "a-key", **HURRIED) as client:
            assert client.get(resources.ACCOUNT).name == "Brackwater Mutual"
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        with Client(server.url, "a-key", **HURRIED) as client:
            assert client.get(resources.ACCOUNT).name == "Brackwater Mutual"
    assert len(proxy.asked) == 4


@pytest.mark.django_db
def test_a_provider_of_single_sign_on_is_reached_through_the_proxy(
    proxy: ForwardProxy, context: ssl.SSLContext, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    single_sign_on = SingleSignOn(
        account=AccountFactory(),
        name="Brackwater ID",
        email_domains=["brackwater.example"],
        server_url=f"https://{PROVIDER}",
        client_id=CLIENT_ID,
    )
    single_sign_on.secret = SECRET
    single_sign_on.save()
    own_domains(single_sign_on)
    browser, address = Browser(), f"/sign-on/{single_sign_on.key}/"
    with identity_provider(f"https://{PROVIDER}", context) as provider:
        provider.claims = {"sub": "noor-1", "email": "noor@brackwater.example", "email_verified": True}
        proxy.routes[PROVIDER] = provider.server_address[1]
        assert browser.get(address)["Location"] == "/sign-in/"
        assert provider.asked == []
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
        begun = browser.get(address)
        assert begun["Location"].startswith(f"https://{PROVIDER}/authorize?")
        browser.get(provider.authorize(begun["Location"]))
        assert "_auth_user_id" in browser.session
        # What it says of itself, the token, the keys that sign it, and the reader's data.
        assert {"/token", "/keys", "/userinfo"} < set(provider.asked)
    assert set(proxy.asked) == {f"{PROVIDER}:443"}


@pytest.mark.parametrize("secure", ["starttls", "tls"])
def test_mail_trusts_the_certificates_it_is_given(certificate: tuple[Path, Path], settings: Any, secure: str) -> None:
    settings.EMAIL_BACKEND = "dashboard.outbox.backend.EmailBackend"
    settings.EMAIL_USE_TLS, settings.EMAIL_USE_SSL = secure == "starttls", secure == "tls"
    inbox = Inbox()
    with serving(inbox, secure=secure, certificate=certificate) as port:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        with pytest.raises(ssl.SSLCertVerificationError):
            mail.send_mail("Hello", "text", "a@rollcall.example", ["b@rollcall.example"])
        assert inbox.mails == []
        settings.EMAIL_CA_FILE = str(certificate[0])
        assert mail.send_mail("Hello", "text", "a@rollcall.example", ["b@rollcall.example"]) == 1
    assert inbox.to == ["b@rollcall.example"]
