"""Single sign-on by SAML: an answer is believed when the provider's key signed it, for us, for this question, now."""

import base64
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from django.test import Client
from onelogin.saml2.utils import OneLogin_Saml2_Utils

from dashboard.models import Membership, Role, SingleSignOn, User
from sync.models import Account, SyncRun
from tests.clock import MOMENT
from tests.dashboard.signing_in import own_domains

pytestmark = pytest.mark.django_db
IDP = "https://id.brackwater.example/saml"
STAMP = "%Y-%m-%dT%H:%M:%SZ"


def key_and_certificate() -> tuple[str, str]:
    """Return a provider's private key and the certificate of it, both PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "id.brackwater.example")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(MOMENT - timedelta(days=1))
    certificate = builder.not_valid_after(MOMENT + timedelta(days=30)).sign(key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private.decode(), certificate.public_bytes(serialization.Encoding.PEM).decode()


KEY, CERTIFICATE = key_and_certificate()


@pytest.fixture
def client() -> Client:
    """Return a browser, which always says whom it asks."""
    return Client(headers={"host": "testserver"})


@pytest.fixture
def single_sign_on(account: Account, published: SyncRun) -> SingleSignOn:
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
    made.roles.create(group="security", role=Role.SECURITY_MANAGER)
    return own_domains(made)


def asked(client: Client, single_sign_on: SingleSignOn) -> str:
    """Begin to sign in and return the id of the question that the provider gets."""
    begun = client.get(f"/sign-on/saml/{single_sign_on.key}/")
    assert begun["Location"].startswith(f"{IDP}/sign-in?")
    request = parse_qs(urlsplit(begun["Location"]).query)["SAMLRequest"][0]
    return ElementTree.fromstring(zlib.decompress(base64.b64decode(request), -15)).attrib["ID"]  # noqa: S314


def answer(single_sign_on: SingleSignOn, question: str, **said: Any) -> str:
    """Return the provider's signed answer, as a browser posts it."""
    at = said.get("at", MOMENT)
    base = f"http://testserver/sign-on/saml/{single_sign_on.key}"
    email, groups = said.get("email", "noor@brackwater.example"), said.get("groups", ["security"])
    audience = said.get("audience", f"{base}/metadata/")
    issued, until = at.strftime(STAMP), (at + timedelta(minutes=5)).strftime(STAMP)
    attributes = said.get("attributes", {"groups": groups})
    name_format = said.get("name_format", "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress")
    stated = "".join(_attribute(name, values) for name, values in attributes.items())
    assertion = f"""<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_a{question}" Version="2.0"
 IssueInstant="{issued}"><saml:Issuer>{IDP}</saml:Issuer><saml:Subject>
<saml:NameID Format="{name_format}">{email}</saml:NameID>
<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData
 NotOnOrAfter="{until}" Recipient="{base}/acs/" InResponseTo="{question}"/></saml:SubjectConfirmation></saml:Subject>
<saml:Conditions NotBefore="{issued}" NotOnOrAfter="{until}"><saml:AudienceRestriction
><saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>
<saml:AuthnStatement AuthnInstant="{issued}" SessionIndex="_s"><saml:AuthnContext><saml:AuthnContextClassRef
>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>
<saml:AttributeStatement>{stated}</saml:AttributeStatement>
</saml:Assertion>"""
    if said.get("is_signed", True):
        signed = OneLogin_Saml2_Utils.add_sign(assertion, said.get("key", KEY), said.get("certificate", CERTIFICATE))
        assertion = signed.decode() if isinstance(signed, bytes) else signed
    assertion = assertion.replace(*said.get("tampered", ("", "")))
    response = f"""<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"
 xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_r{question}" Version="2.0" IssueInstant="{issued}"
 Destination="{base}/acs/" InResponseTo="{question}"><saml:Issuer>{IDP}</saml:Issuer><samlp:Status><samlp:StatusCode
 Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>{assertion}</samlp:Response>"""
    if said.get("is_response_signed"):
        signed = OneLogin_Saml2_Utils.add_sign(response, KEY, CERTIFICATE)
        response = signed.decode() if isinstance(signed, bytes) else signed
    return base64.b64encode(response.encode()).decode()


def _attribute(name: str, values: list[str]) -> str:
    return "".join(
        (
            f'<saml:Attribute Name="{name}">',
            *(f"<saml:AttributeValue>{value}</saml:AttributeValue>" for value in values),
            "</saml:Attribute>",
        )
    )


def send(client: Client, single_sign_on: SingleSignOn, response: str) -> Any:
    """Post an answer where the provider sends it; return the last page."""
    return client.post(f"/sign-on/saml/{single_sign_on.key}/acs/", {"SAMLResponse": response}, follow=True)


def test_signed_answer_signs_in_with_the_groups_role(client: Client, single_sign_on: SingleSignOn) -> None:
    said = send(client, single_sign_on, answer(single_sign_on, asked(client, single_sign_on)))
    assert said.status_code == 200, said.content.decode()
    assert User.objects.get().email == "noor@brackwater.example"
    assert Membership.objects.get().role == Role.SECURITY_MANAGER
    assert client.get("/people/").status_code == 200


OTHER_KEY, OTHER_CERTIFICATE = key_and_certificate()


@pytest.mark.parametrize(
    "said",
    [
        {"is_signed": False},
        {"key": OTHER_KEY, "certificate": OTHER_CERTIFICATE},
        {"tampered": ("noor@", "ines@")},
        {"audience": "https://elsewhere.example"},
        {"at": datetime(2026, 1, 5, tzinfo=UTC)},
        {"email": "noor@elsewhere.example"},
    ],
    ids=["unsigned", "another key", "tampered", "for another site", "too old", "another domain"],
)
def test_answer_is_not_believed(client: Client, single_sign_on: SingleSignOn, said: dict[str, Any]) -> None:
    send(client, single_sign_on, answer(single_sign_on, asked(client, single_sign_on), **said))
    assert "_auth_user_id" not in client.session
    assert not User.objects.exists()


def test_answer_works_once_and_in_one_browser(client: Client, single_sign_on: SingleSignOn) -> None:
    response = answer(single_sign_on, asked(client, single_sign_on))
    stolen = Client(headers={"host": "testserver"})
    send(stolen, single_sign_on, response)
    assert "_auth_user_id" not in stolen.session
    send(client, single_sign_on, response)
    assert "_auth_user_id" in client.session
    client.post("/sign-out/")
    send(client, single_sign_on, response)
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("page", ["", "acs/", "finish/", "metadata/"])
def test_request_without_a_host_is_refused(single_sign_on: SingleSignOn, page: str) -> None:
    assert Client().get(f"/sign-on/saml/{single_sign_on.key}/{page}").status_code == 400


def test_metadata_names_our_addresses(client: Client, single_sign_on: SingleSignOn) -> None:
    text = client.get(f"/sign-on/saml/{single_sign_on.key}/metadata/").content.decode()
    assert f"http://testserver/sign-on/saml/{single_sign_on.key}/acs/" in text
    assert client.get("/sign-on/saml/unknown/metadata/").status_code == 404
    assert client.get(f"/sign-on/saml/{single_sign_on.key}/sls/").status_code == 404
