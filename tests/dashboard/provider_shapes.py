"""Answers of Entra ID, Okta, Google and Keycloak about somebody, written by hand after their documents.

OpenID Connect: the ID token's claims and the user's data. SAML: format and value of the name ID, and the attributes.
Where a provider says the same in several ways by its settings, each has a shape of its own. Invented people only.
"""

from dataclasses import dataclass, field
from typing import Any

_XMLSOAP = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
_MICROSOFT = "http://schemas.microsoft.com"
_FORMAT = "urn:oasis:names:tc:SAML:{}:nameid-format:{}"
EMAIL_FORMAT, UNSPECIFIED = _FORMAT.format("1.1", "emailAddress"), _FORMAT.format("1.1", "unspecified")
PERSISTENT, TRANSIENT = _FORMAT.format("2.0", "persistent"), _FORMAT.format("2.0", "transient")
EMAIL, GROUP = "pia.lund@brackwater.example", "5f0c1b1e-0d4e-4b39-9d0e-7a6c2f5b8e11"
TENANT = "9122040d-6c67-4c5b-b112-36a304b66dad"


@dataclass(frozen=True)
class Oidc:
    """Claims of one sign-in by OpenID Connect."""

    token: dict[str, Any]
    info: dict[str, Any]
    settings: dict[str, Any] = field(default_factory=dict)
    complaint: str = ""


@dataclass(frozen=True)
class Saml:
    """Attributes of one sign-in by SAML."""

    name_id: str
    name_format: str
    attributes: dict[str, list[str]]
    settings: dict[str, Any] = field(default_factory=dict)
    complaint: str = ""


_ENTRA_TOKEN = {
    "ver": "2.0",
    "sub": "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ",
    "oid": "00000000-0000-0000-66f3-3332eca7ea81",
    "tid": TENANT,
    "name": "Pia Lund",
    "preferred_username": EMAIL,
}
_ENTRA_INFO = {"sub": _ENTRA_TOKEN["sub"], "name": "Pia Lund", "given_name": "Pia", "family_name": "Lund"}
_ELSEWHERE = {
    "_claim_names": {"groups": "src1"},
    "_claim_sources": {"src1": {"endpoint": "https://graph.microsoft.com/v1.0/users/x/getMemberObjects"}},
}
_OKTA = {
    "sub": "00uid4BxXw6I6TV4m0g3",
    "name": "Pia Lund",
    "locale": "en-US",
    "email": EMAIL,
    "email_verified": True,
    "preferred_username": EMAIL,
    "given_name": "Pia",
    "family_name": "Lund",
    "zoneinfo": "America/Los_Angeles",
    "updated_at": 1763890000,
}
_GOOGLE = {
    "sub": "110169484474386276334",
    "name": "Pia Lund",
    "given_name": "Pia",
    "family_name": "Lund",
    "picture": "https://lh3.googleusercontent.com/a-/AAuE7m",
    "email": EMAIL,
    "email_verified": True,
    "hd": "brackwater.example",
}
_KEYCLOAK = {
    "sub": "f1e2d3c4-1111-2222-3333-444455556666",
    "email_verified": True,
    "name": "Pia Lund",
    "preferred_username": "plund",
    "given_name": "Pia",
    "family_name": "Lund",
    "email": EMAIL,
}

OIDC = {
    "Entra with a mailbox": Oidc(_ENTRA_TOKEN | {"email": EMAIL, "groups": [GROUP]}, _ENTRA_INFO | {"email": EMAIL}),
    "Entra, email in the token alone": Oidc(_ENTRA_TOKEN | {"email": EMAIL, "groups": [GROUP]}, _ENTRA_INFO),
    "Entra without a mailbox": Oidc(_ENTRA_TOKEN | {"groups": [GROUP]}, _ENTRA_INFO),
    "Entra, v1 token": Oidc(
        {**_ENTRA_TOKEN, "ver": "1.0", "preferred_username": None, "upn": EMAIL, "groups": [GROUP]}, _ENTRA_INFO
    ),
    "Entra, a claim by setting": Oidc(
        _ENTRA_TOKEN | {"verified_primary_email": [EMAIL], "preferred_username": "pia@old.example", "groups": [GROUP]},
        _ENTRA_INFO,
        {"email_attribute": "verified_primary_email"},
    ),
    "Entra, app roles": Oidc(
        _ENTRA_TOKEN | {"email": EMAIL, "roles": [GROUP], **_ELSEWHERE}, _ENTRA_INFO, {"groups_claim": "roles"}
    ),
    "Entra, a guest": Oidc(
        _ENTRA_TOKEN | {"email": "pia@gmail.example", "groups": [GROUP]},
        _ENTRA_INFO,
        complaint="Brackwater ID does not sign in this email.",
    ),
    "Entra, over 200 groups at the first sign-in": Oidc(
        _ENTRA_TOKEN | {"email": EMAIL, **_ELSEWHERE}, _ENTRA_INFO, complaint="You are in so many groups"
    ),
    "Entra, implicit flow's mark": Oidc(
        _ENTRA_TOKEN | {"email": EMAIL, "hasgroups": "true"}, _ENTRA_INFO, complaint="You are in so many groups"
    ),
    "Okta": Oidc(_OKTA | {"groups": ["Everyone", GROUP]}, _OKTA),
    "Okta, groups in the user's data": Oidc(_OKTA, _OKTA | {"groups": ["Everyone", GROUP]}),
    "Google": Oidc(
        _GOOGLE, {name: value for name, value in _GOOGLE.items() if name != "hd"}, {"default_role": "security_manager"}
    ),
    "Google, another Workspace": Oidc(
        _GOOGLE | {"email": "pia@elsewhere.example", "hd": "elsewhere.example"},
        {"sub": _GOOGLE["sub"]},
        complaint="Brackwater ID does not sign in this email.",
    ),
    "Keycloak": Oidc(_KEYCLOAK, _KEYCLOAK | {"groups": [GROUP, "offline_access"]}),
    "Keycloak, full group path": Oidc(_KEYCLOAK | {"groups": [f"/{GROUP}"]}, _KEYCLOAK, {"group": f"/{GROUP}"}),
    "Keycloak, email not verified": Oidc(
        _KEYCLOAK | {"email_verified": False, "groups": [GROUP]},
        _KEYCLOAK | {"email_verified": False},
        complaint="The provider has not verified your email.",
    ),
    "Keycloak without the email scope": Oidc(
        {"sub": _KEYCLOAK["sub"], "preferred_username": "plund", "groups": [GROUP]},
        {"sub": _KEYCLOAK["sub"], "preferred_username": "plund"},
        complaint="The provider did not say your email.",
    ),
}

_ENTRA_SAML = {
    f"{_MICROSOFT}/identity/claims/tenantid": [TENANT],
    f"{_MICROSOFT}/identity/claims/objectidentifier": ["00000000-0000-0000-66f3-3332eca7ea81"],
    f"{_MICROSOFT}/identity/claims/displayname": ["Pia Lund"],
    f"{_XMLSOAP}/givenname": ["Pia"],
    f"{_XMLSOAP}/surname": ["Lund"],
    f"{_XMLSOAP}/name": [EMAIL],
}
_ENTRA_GROUPS = f"{_MICROSOFT}/ws/2008/06/identity/claims/groups"

SAML = {
    "Entra": Saml(
        EMAIL,
        EMAIL_FORMAT,
        _ENTRA_SAML | {f"{_XMLSOAP}/emailaddress": [EMAIL], _ENTRA_GROUPS: [GROUP]},
        {"groups_claim": _ENTRA_GROUPS},
    ),
    "Entra without a mailbox, persistent": Saml(
        "u8Xy-pairwise", PERSISTENT, _ENTRA_SAML | {_ENTRA_GROUPS: [GROUP]}, {"groups_claim": _ENTRA_GROUPS}
    ),
    "Entra, over 150 groups at the first sign-in": Saml(
        EMAIL,
        EMAIL_FORMAT,
        _ENTRA_SAML | {f"{_MICROSOFT}/claims/groups.link": ["https://graph.windows.net/x/users/y/getMemberObjects"]},
        {"groups_claim": _ENTRA_GROUPS},
        complaint="You are in so many groups",
    ),
    "Okta, attributes as its guide names them": Saml(
        EMAIL,
        UNSPECIFIED,
        {"firstName": ["Pia"], "lastName": ["Lund"], "email": [EMAIL], "groups": ["Everyone", GROUP]},
    ),
    "Okta without attributes": Saml(EMAIL, EMAIL_FORMAT, {"groups": [GROUP]}),
    "Google": Saml(EMAIL, UNSPECIFIED, {"firstName": ["Pia"], "lastName": ["Lund"], "groups": [GROUP]}),
    "Keycloak, X.500 mappers": Saml(
        "G-7a3d41a6-persistent",
        PERSISTENT,
        {
            "urn:oid:1.2.840.113549.1.9.1": [EMAIL],
            "urn:oid:2.5.4.42": ["Pia"],
            "urn:oid:2.5.4.4": ["Lund"],
            "Role": ["uma_authorization", "offline_access"],
            "member": [f"/{GROUP}"],
        },
        {"groups_claim": "member", "group": f"/{GROUP}"},
    ),
    "Keycloak without mappers": Saml(
        "plund", UNSPECIFIED, {"Role": ["offline_access"]}, complaint="The provider did not say your email."
    ),
    "Shibboleth": Saml("_transient", TRANSIENT, {"urn:oid:0.9.2342.19200300.100.1.3": [EMAIL], "groups": [GROUP]}),
}
