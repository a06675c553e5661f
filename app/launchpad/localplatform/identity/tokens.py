"""RS256 tokens: the signing key, stable over restarts, and tokens issued and checked with it."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from launchpad import paths

AUDIENCE = "https://launchpad-local-platform"
CLIENT_ID = "launchpad-desktop"
LIFE = 8 * 3600  # seconds
ID_LIFE = 3600
SCOPE = "openid profile email offline_access"
# Existing clients want an e-mail address that is not null.
USER = {"id": "local|user", "name": "You", "email": "you@localhost"}
ORGANIZATION = "local"


@dataclass(frozen=True)
class Caller:
    """Who makes a request, from a token that was checked."""

    user_id: str
    organization_id: str
    role: str


THIS_USER = Caller("local|user", ORGANIZATION, "admin")


class Identity:
    """Issues and checks tokens. `issuer` ends in a slash."""

    def __init__(self, keys: Path, issuer: str) -> None:
        self.issuer = issuer
        # Sign-ins whose access tokens must not be taken any more, kept until the last of these has ended by itself.
        self.revoked: set[str] = set()
        self._key = _load_key(keys / "signing.pem")
        numbers = self._key.public_key().public_numbers()
        self._jwk = {"e": _number(numbers.e), "kty": "RSA", "n": _number(numbers.n)}
        # RFC 7638: the thumbprint of the required members in lexical order.
        text = json.dumps(self._jwk, separators=(",", ":"), sort_keys=True)
        self._kid = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()

    def jwks(self) -> dict[str, Any]:
        """The public keys."""
        return {"keys": [{**self._jwk, "kid": self._kid, "use": "sig", "alg": "RS256"}]}

    def issue(
        self,
        user_id: str = str(USER["id"]),
        organization_id: str = ORGANIZATION,
        role: str = "admin",
        *,
        client_id: str = CLIENT_ID,
        scope: str = SCOPE,
        session_id: str = "",
    ) -> str:
        """An access token, for this computer's user unless others are named.

        `session_id` is the sign-in that it belongs to.
        """
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": user_id,
            "aud": AUDIENCE,
            "azp": client_id,
            "iat": now,
            "exp": now + LIFE,
            "jti": secrets.token_hex(16),
            "scope": scope,
            "org_id": organization_id,
            f"{AUDIENCE}/role": role,
        }
        if session_id:
            claims["sid"] = session_id
        return self._sign(claims)

    def issue_id(self, *, client_id: str, scope: str, nonce: str, access_token: str) -> str:
        """An id token (OpenID Connect Core): who signed in, for the client alone."""
        now = int(time.time())
        half = hashlib.sha256(access_token.encode()).digest()[:16]
        claims = {
            "iss": self.issuer,
            "aud": client_id,
            "azp": client_id,
            "iat": now,
            "exp": now + ID_LIFE,
            "auth_time": now,
            "at_hash": base64.urlsafe_b64encode(half).rstrip(b"=").decode(),
            **person(scope),
        }
        if nonce:
            claims["nonce"] = nonce
        return self._sign(claims)

    def _sign(self, claims: dict[str, Any]) -> str:
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": self._kid})

    def check(self, token: str) -> Caller:
        """Who holds a token; raises jwt.InvalidTokenError."""
        claims = self.claims(token)
        return Caller(str(claims["sub"]), str(claims.get("org_id", "")), str(claims.get(f"{AUDIENCE}/role", "member")))

    def claims(self, token: str) -> dict[str, Any]:
        """What an access token of ours says; raises jwt.InvalidTokenError, also when its sign-in was revoked."""
        claims: dict[str, Any] = jwt.decode(
            token,
            self._key.public_key(),
            algorithms=["RS256"],
            audience=AUDIENCE,
            issuer=self.issuer,
            options={"require": ["exp", "iat", "sub", "aud", "iss"]},
        )
        if claims.get("sid") in self.revoked:
            raise jwt.InvalidTokenError("the sign-in was revoked")
        return claims


def person(scope: str) -> dict[str, Any]:
    """What a client may know of this computer's user."""
    known: dict[str, Any] = {"sub": USER["id"], "org_id": ORGANIZATION}
    if "profile" in scope.split():
        known["name"] = USER["name"]
    if "email" in scope.split() and USER["email"]:
        known["email"] = USER["email"]
    return known


def _load_key(path: Path) -> rsa.RSAPrivateKey:
    if path.exists():
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        if isinstance(key, rsa.RSAPrivateKey):
            return key
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    paths.write_private(
        path,
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )
    return key


def _number(value: int) -> str:
    raw = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
