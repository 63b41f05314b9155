"""ID tokens of OpenID Connect are believed only with the provider's signature.

OpenID Connect Core 1.0 lets a client that fetched the token over TLS itself do without (3.1.3.7), and so does allauth.
A proxy that breaks TLS open, or a provider whose token endpoint is somebody else's, is then believed, too.
"""

from typing import Any

import jwt
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.internal import jwtkit
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter

# Signed with a key that only the provider has: neither none nor with the client's secret.
ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
)
REQUIRED = ["iss", "aud", "exp", "iat", "sub"]


class SignedTokensAdapter(OpenIDConnectOAuth2Adapter):
    """Reads ID tokens, and refuses those that none of the provider's published keys signed."""

    def _decode_id_token(self, app: SocialApp, id_token: str) -> dict[str, Any]:
        """Return the token's claims. OAuth2Error for one that is not signed, or not for us, or over."""
        try:
            header = jwt.get_unverified_header(id_token)
            claims: dict[str, Any] = jwt.decode(
                id_token,
                key=self._key(header.get("kid")),
                algorithms=ALGORITHMS,
                issuer=self.openid_config["issuer"],
                audience=app.client_id,
                options={"require": REQUIRED},
            )
        except (jwt.PyJWTError, KeyError, TypeError, ValueError) as error:
            raise OAuth2Error("Invalid id_token") from error
        jwtkit.verify_jti(claims)
        return claims

    def _key(self, named: str | None) -> Any:
        """Return the provider's key of that name; its only one where the token names none. KeyError without."""
        with get_adapter().get_requests_session() as session:
            response = session.get(self.openid_config["jwks_uri"])
            response.raise_for_status()
        keys = jwt.PyJWKSet.from_dict(response.json()).keys
        if named is None and len(keys) == 1:
            return keys[0].key
        return {key.key_id: key.key for key in keys}[named]
