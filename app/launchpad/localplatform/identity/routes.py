"""Discovery, keys, and the token endpoint. Signing in by browser comes with accounts; here the launch secret does."""

from __future__ import annotations

import hmac
from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from launchpad.localplatform.identity.tokens import CLIENT_ID, LIFE, SCOPE, Identity

LAUNCH_SECRET_GRANT = "urn:launchpad:launch-secret"
_NO_STORE = {"Cache-Control": "no-store"}


def router(identity: Identity, launch_secret: str) -> APIRouter:
    """The endpoints of one issuer."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/.well-known/openid-configuration")
    def discovery() -> dict[str, Any]:
        return {
            "issuer": identity.issuer,
            "token_endpoint": f"{identity.issuer}oauth/token",
            "jwks_uri": f"{identity.issuer}.well-known/jwks.json",
            "grant_types_supported": [LAUNCH_SECRET_GRANT],
            "id_token_signing_alg_values_supported": ["RS256"],
            "subject_types_supported": ["public"],
            "response_types_supported": [],
            "scopes_supported": SCOPE.split(),
        }

    @routes.get("/.well-known/jwks.json")
    def keys() -> dict[str, Any]:
        return identity.jwks()

    @routes.post("/oauth/token")
    async def token(request: Request) -> JSONResponse:
        body = await request.body()
        form = {name: values[0] for name, values in parse_qs(body[:16_384].decode("utf-8", "replace")).items()}
        if form.get("client_id") != CLIENT_ID:
            return _refused("invalid_client", "The client is not known.", 401)
        if form.get("grant_type") != LAUNCH_SECRET_GRANT:
            return _refused("unsupported_grant_type", "This platform takes the launch secret only.", 400)
        given = form.get("launch_secret", "")
        if not hmac.compare_digest(given.encode(), launch_secret.encode()):
            return _refused("invalid_grant", "The launch secret is not right.", 400)
        answer = {"access_token": identity.issue(), "token_type": "Bearer", "expires_in": LIFE, "scope": SCOPE}
        return JSONResponse(answer, headers=_NO_STORE)

    return routes


def _refused(code: str, words: str, status: int) -> JSONResponse:
    return JSONResponse({"error": code, "error_description": words}, status_code=status, headers=_NO_STORE)
