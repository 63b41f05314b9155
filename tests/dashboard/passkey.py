"""A passkey without a device: makes and uses one the way a browser does, with a key of its own."""

import base64
import hashlib
import html
import json
import re
import secrets
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from django.test import Client
from fido2.cose import ES256
from fido2.webauthn import Aaguid, AttestationObject, AttestedCredentialData, AuthenticatorData

HOST = "localhost"
_PRESENT = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV


class Passkey:
    """One passkey; `add` puts it into the sign-in of whoever a client is signed in as, `sign_in` uses it."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = secrets.token_bytes(16)
        self.user = ""

    def add(self, client: Client) -> Any:
        """Add it on the page of passkeys; return the answer, or the refusal of the page."""
        page = client.get("/you/passkeys/add/")
        if page.status_code != 200:
            return page
        found = re.search(r'id="passkey-data" type="application/json">(.*?)</script>', page.content.decode(), re.DOTALL)
        assert found
        asked = json.loads(html.unescape(found[1]))["creation_options"]["publicKey"]
        self.user = asked["user"]["id"]
        public = ES256.from_cryptography_key(self.key.public_key())
        held = AttestedCredentialData.create(Aaguid.NONE, self.id, public)
        data = AuthenticatorData.create(_site(), _PRESENT | AuthenticatorData.FLAG.AT, 0, held)
        attestation = AttestationObject.create("none", data, {})
        said = {"attestationObject": _text(attestation), "clientDataJSON": _client_data("create", asked["challenge"])}
        credential = self._credential(said) | {"clientExtensionResults": {"credProps": {"rk": True}}}
        return client.post("/you/passkeys/add/", {"passwordless": "on", "credential": json.dumps(credential)})

    def sign_in(self, client: Client) -> Any:
        """Sign in with it alone; return the answer."""
        options = client.get("/passkey/", headers={"x-requested-with": "XMLHttpRequest"}).json()["request_options"]
        client_data = _client_data("get", options["publicKey"]["challenge"])
        data = AuthenticatorData.create(_site(), _PRESENT, 1)
        signed = bytes(data) + hashlib.sha256(base64.urlsafe_b64decode(client_data + "==")).digest()
        said = {
            "authenticatorData": _text(data),
            "clientDataJSON": client_data,
            "signature": _text(self.key.sign(signed, ec.ECDSA(SHA256()))),
            "userHandle": self.user,
        }
        return client.post("/passkey/", {"credential": json.dumps(self._credential(said))})

    def _credential(self, response: dict[str, str]) -> dict[str, Any]:
        name = _text(self.id)
        return {"id": name, "rawId": name, "type": "public-key", "response": response, "clientExtensionResults": {}}


def _site() -> bytes:
    return hashlib.sha256(HOST.encode()).digest()


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _client_data(act: str, challenge: str) -> str:
    said = {"type": f"webauthn.{act}", "challenge": challenge, "origin": f"http://{HOST}", "crossOrigin": False}
    return _text(json.dumps(said).encode())
