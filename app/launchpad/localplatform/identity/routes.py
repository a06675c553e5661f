"""Discovery, keys, and the token endpoint: the launch secret and refresh tokens of programs."""

from __future__ import annotations

import hmac
from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from launchpad.localplatform.identity.refresh import RefreshTokens
from launchpad.localplatform.identity.tokens import CLIENT_ID, LIFE, SCOPE, THIS_USER, Identity

LAUNCH_SECRET_GRANT = "urn:launchpad:launch-secret"
_NO_STORE = {"Cache-Control": "no-store"}


def router(identity: Identity, refresh_tokens: RefreshTokens, launch_secret: str) -> APIRouter:
    """The endpoints of one issuer."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/.well-known/openid-configuration")
    def discovery() -> dict[str, Any]:
        return {
            "issuer": identity.issuer,
            "token_endpoint": f"{identity.issuer}oauth/token",
            "revocation_endpoint": f"{identity.issuer}oauth/revoke",
            "jwks_uri": f"{identity.issuer}.well-known/jwks.json",
            "grant_types_supported": [LAUNCH_SECRET_GRANT, "refresh_token"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "subject_types_supported": ["public"],
            "response_types_supported": [],
            "scopes_supported": SCOPE.split(),
        }

    @routes.get("/.well-known/jwks.json")
    def keys() -> dict[str, Any]:
        return identity.jwks()

    @routes.post("/oauth/token")
    async def issue_token(request: Request) -> JSONResponse:
        form = await _form(request)
        if form.get("client_id") != CLIENT_ID:
            return _refused("invalid_client", "The client is not known.", 401)
        granted: dict[str, str] = {}
        caller, scope = THIS_USER, SCOPE
        if form.get("grant_type") == "refresh_token":
            grant = await run_in_threadpool(refresh_tokens.use, form.get("refresh_token", ""), CLIENT_ID)
            if grant is None:
                return _refused("invalid_grant", "The refresh token is not known, or has ended.", 400)
            caller, scope = grant.caller, grant.scope
        elif form.get("grant_type") == LAUNCH_SECRET_GRANT:
            given = form.get("launch_secret", "")
            if not hmac.compare_digest(given.encode(), launch_secret.encode()):
                return _refused("invalid_grant", "The launch secret is not right.", 400)
            if "offline_access" in form.get("scope", "").split():
                token = await run_in_threadpool(refresh_tokens.issue, CLIENT_ID, caller, scope)
                granted["refresh_token"] = token
        else:
            return _refused("unsupported_grant_type", "This platform takes refresh tokens and the launch secret.", 400)
        access = identity.issue(caller.user_id, caller.organization_id, caller.role, scope)
        answer = {"access_token": access, "token_type": "Bearer", "expires_in": LIFE, "scope": scope, **granted}
        return JSONResponse(answer, headers=_NO_STORE)

    @routes.post("/oauth/revoke")
    async def revoke(request: Request) -> JSONResponse:
        form = await _form(request)
        await run_in_threadpool(refresh_tokens.revoke, form.get("token", ""))
        return JSONResponse({}, headers=_NO_STORE)  # RFC 7009: also for one that is not known

    return routes


async def _form(request: Request) -> dict[str, str]:
    body = await request.body()
    return {name: values[0] for name, values in parse_qs(body[:16_384].decode("utf-8", "replace")).items()}


def _refused(code: str, words: str, status: int) -> JSONResponse:
    return JSONResponse({"error": code, "error_description": words}, status_code=status, headers=_NO_STORE)
