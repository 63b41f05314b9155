"""SECRET_KEY changes: what it sealed is read by its fallbacks, sealed again, and never a 500 without them."""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from allauth.mfa.utils import decrypt
from allauth.socialaccount.adapter import get_adapter
from django.apps import apps
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import URLPattern

from config.sealing import SecretUnreadableError
from config.urls import urlpatterns
from dashboard.models import AuditEvent, SingleSignOn, User
from sync.models import Account
from tests import factories
from tests.dashboard.secret_keys import use_secret_key
from tests.dashboard.signing_in import sign_in_lately

_OF_SIGNING_IN = ("mfa_", "account_", "openid_", "saml_", "single_sign_on", "profile", "demo")
OLD, NEW = "what it was before, long enough", "what it is today, and long enough"


@pytest.fixture
def sealed(account: Account, alice: User, settings: LazySettings) -> dict[str, Any]:
    """Store one secret of each kind under OLD; then SECRET_KEY is NEW."""
    use_secret_key(settings, OLD)
    account.api_key = "knowbe4-key"
    account.save()
    provider = SingleSignOn(account=account, name="Brackwater", email_domains=["brackwater.example"])
    provider.server_url, provider.client_id, provider.secret = "https://127.0.0.1:1/", "rollcall", "client-secret"
    provider.save()
    totp = generate_totp_secret()
    TOTP.activate(alice, totp)
    codes = RecoveryCodes.activate(alice).generate_codes()
    use_secret_key(settings, NEW)
    return {"provider": provider, "totp": totp, "codes": codes}


def read(account: Account, alice: User) -> list[Any]:
    """Return every stored secret in clear, as the product reads it."""
    totp = TOTP(Authenticator.objects.get(user=alice, type=Authenticator.Type.TOTP))
    codes = RecoveryCodes(Authenticator.objects.get(user=alice, type=Authenticator.Type.RECOVERY_CODES))
    found = [Account.objects.get(pk=account.pk).api_key, SingleSignOn.objects.get(account=account).secret]
    return [*found, decrypt(totp.instance.data["secret"]), codes.generate_codes()]


def test_fallbacks_read_what_was_sealed_before_and_sealing_again_makes_them_needless(
    account: Account, alice: User, sealed: dict[str, Any], settings: LazySettings, capsys: pytest.CaptureFixture[str]
) -> None:
    clear = ["knowbe4-key", "client-secret", sealed["totp"], sealed["codes"]]
    use_secret_key(settings, NEW, "another still", OLD)
    assert read(account, alice) == clear
    call_command("seal_again")
    assert "4 secrets sealed again; 0 were under" in capsys.readouterr().out
    use_secret_key(settings, NEW)
    assert read(account, alice) == clear
    call_command("seal_again")
    assert "0 secrets sealed again; 4 were under" in capsys.readouterr().out
    first, _again = AuditEvent.objects.filter(action="secrets_sealed_again").order_by("pk")
    assert (first.through, first.details) == ("command", {"sealed_again": 4, "unreadable": 0, "forgotten": 0})


def test_every_sealed_column_is_sealed_again() -> None:
    """Holds the command against the models: a column or key of data that is sealed is one it knows."""
    columns = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if field.name.startswith("encrypted")
    }
    assert columns == {"sync.Account.encrypted_key", "dashboard.SingleSignOn.encrypted_secret"}


def test_what_no_key_reads_is_named_and_left_unless_it_is_to_be_forgotten(
    account: Account, alice: User, sealed: dict[str, Any], settings: LazySettings, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CommandError, match=r"^4 cannot be read: put the SECRET_KEY that stored them into"):
        call_command("seal_again")
    assert "Unreadable: KnowBe4 key of Brackwater Mutual\n" in capsys.readouterr().out
    use_secret_key(settings, NEW, OLD)
    assert read(account, alice)[0] == "knowbe4-key"
    use_secret_key(settings, NEW)
    call_command("seal_again", forget_unreadable=True)
    account.refresh_from_db()
    assert (account.api_key, SingleSignOn.objects.get().secret, Authenticator.objects.count()) == ("", "", 0)


def code_of(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def test_signing_in_with_an_app_that_cannot_be_read_is_answered_in_words(
    client: Client, alice: User, sealed: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    page = client.get("/sign-in/")
    assert "Brackwater" in page.content.decode(), "the page itself needs no secret"
    credentials = {"login": alice.email, "password": factories.PASSWORD}
    assert client.post("/sign-in/", credentials)["Location"].startswith("/second-factor/")
    response = client.post("/second-factor/", {"code": code_of(sealed["totp"])})
    assert response.status_code == 503
    text = " ".join(response.content.decode().split())
    assert "This server cannot read a secret it stored." in text
    assert "Put the SECRET_KEY that stored it into SECRET_KEY_FALLBACKS." in text
    assert "/second-factor/ cannot be answered" in caplog.text


def test_no_address_breaks_while_secrets_cannot_be_read(client: Client, ines: User, sealed: dict[str, Any]) -> None:
    Authenticator.objects.update(user=ines)
    key = sealed["provider"].key
    words = {"provider_id": key, "organization_slug": key, "role": "auditor", "token": "none"}
    addresses = []
    for pattern in urlpatterns:
        is_of_signing_in = isinstance(pattern, URLPattern) and str(pattern.name).startswith(_OF_SIGNING_IN)
        if is_of_signing_in and not pattern.pattern.converters.keys() - words:
            address = "/" + str(pattern.pattern).lstrip("^")
            for name in pattern.pattern.converters:
                address = address.replace(f"<slug:{name}>", words[name]).replace(f"<str:{name}>", words[name])
            addresses.append(address)
    answers = {}
    for method in ("get", "post"):  # some acts make a factor anew: first all that looks
        for address in addresses:
            ask = getattr(sign_in_lately(client, ines), method)
            answers[method, address] = ask(address).status_code
    assert {code for code in answers.values() if code >= 500} == {503}
    refused = {address for (_method, address), code in answers.items() if code == 503}
    codes = {"/you/codes/", "/you/codes/download/", "/you/codes/new/"}
    assert refused == {f"/sign-on/{key}/", f"/sign-on/{key}/callback/"} | codes


def test_another_providers_secret_stops_nobody(sealed: dict[str, Any], rf: Any, settings: LazySettings) -> None:
    other = factories.AccountFactory(name="Elsewhere")
    provider = SingleSignOn(account=other, name="Else", email_domains=["else.example"])
    provider.server_url, provider.client_id, provider.secret = "https://127.0.0.1:1/", "else", "its-own"
    provider.save()
    adapter = get_adapter()
    (app,) = adapter.list_apps(rf.get("/"), provider=provider.key)
    assert app.secret == "its-own"
    with pytest.raises(SecretUnreadableError):
        adapter.list_apps(rf.get("/"), provider=sealed["provider"].key)


def test_the_settings_of_single_sign_on_ask_for_the_secret_again(
    client: Client, ines: User, sealed: dict[str, Any]
) -> None:
    text = " ".join(sign_in_lately(client, ines).get("/settings/sign-on/").content.decode().split())
    assert "SECRET_KEY has changed since it was entered" in text
    assert "Or enter the client secret again." in text
