"""An OpenID Connect provider that runs here: it says whatever a test wants it to say, and signs it."""

import base64
import hashlib
import json
import secrets
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from tests.clock import MOMENT

CLIENT_ID, SECRET = "rollcall", "a secret of two"
_KEY, ANOTHER_KEY = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))


class IdentityProvider(ThreadingHTTPServer):
    """Its `claims` are what the next sign-in says; `info` overrides what its user's data say,
    `whole_info` is all they say.

    `key`, `algorithm` and `key_id` are what it signs with, whatever it publishes.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.claims: dict[str, Any] = {}
        self.info: dict[str, Any] = {}
        self.whole_info: dict[str, Any] | None = None
        self.audience = CLIENT_ID
        self.key: Any
        self.key, self.algorithm, self.key_id = _KEY, "RS256", "one"
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        # Where it is reached.
        self.issuer = f"http://127.0.0.1:{self.server_address[1]}"

    def authorize(self, address: str) -> str:
        """Act as the browser at the provider: return the address it sends the reader back to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["client_id"] == CLIENT_ID
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe()
        self.codes[code] = asked
        return asked["redirect_uri"] + "?" + urlencode({"code": code, "state": asked["state"]})


class _Handler(BaseHTTPRequestHandler):
    server: IdentityProvider

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        issuer = self.server.issuer
        if self.path == "/.well-known/openid-configuration":
            self._answer(
                {
                    "issuer": issuer,
                    "authorization_endpoint": f"{issuer}/authorize",
                    "token_endpoint": f"{issuer}/token",
                    "userinfo_endpoint": f"{issuer}/userinfo",
                    "jwks_uri": f"{issuer}/keys",
                    "token_endpoint_auth_methods_supported": ["client_secret_post"],
                }
            )
        elif self.path == "/keys":
            public = RSAAlgorithm.to_jwk(_KEY.public_key(), as_dict=True)
            self._answer({"keys": [public | {"kid": "one", "use": "sig"}]})
        elif self.path == "/userinfo" and self.headers["Authorization"] == "Bearer an-access-token":
            whole = self.server.whole_info
            self._answer(self.server.claims | self.server.info if whole is None else whole)
        else:
            self._answer({"error": "not found"}, 404)

    def do_POST(self) -> None:
        self.server.asked.append(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        sent = {name: values[0] for name, values in parse_qs(body).items()}
        asked = self.server.codes.pop(sent.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(sent.get("code_verifier", "").encode()).digest())
        is_right = asked is not None and asked["code_challenge"] == challenge.decode().rstrip("=")
        if not is_right or sent.get("client_secret") != SECRET:
            self._answer({"error": "invalid_grant"}, 400)
            return
        now = int(MOMENT.timestamp())
        claims = {"iss": self.server.issuer, "aud": self.server.audience, "iat": now, "exp": now + 300}
        server = self.server
        token = jwt.encode(
            claims | server.claims, server.key, algorithm=server.algorithm, headers={"kid": server.key_id}
        )
        self._answer({"access_token": "an-access-token", "token_type": "Bearer", "id_token": token})

    def _answer(self, content: dict[str, Any], status: int = 200) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """Say nothing."""


@contextmanager
def identity_provider(issuer: str = "", context: ssl.SSLContext | None = None) -> Iterator[IdentityProvider]:
    """Run a provider for the length of the block; with a `context` it speaks TLS, and is reached at `issuer`."""
    server = IdentityProvider()
    if context is not None:
        server.issuer, server.socket = issuer, context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
