"""The issuer's endpoints for programs: discovery, keys, tokens, devices, userinfo, revocation, one-time codes."""

from __future__ import annotations

import hmac
import time
from collections.abc import Awaitable, Callable
from typing import Any

import jwt
from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response

from launchpad.localplatform.database.engine import Database
from launchpad.localplatform.identity import clients, signing_in
from launchpad.localplatform.identity.consent import Consents
from launchpad.localplatform.identity.forms import NO_STORE, form_of, refused, shows_secret
from launchpad.localplatform.identity.grants import DEVICE_INTERVAL, DEVICE_LIFE, GrantError, Grants
from launchpad.localplatform.identity.tokens import LIFE, SCOPE, Identity, person

LAUNCH_SECRET_GRANT = "urn:launchpad:launch-secret"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


def router(
    identity: Identity, database: Database, launch_secret: str, *, device_interval: int = DEVICE_INTERVAL
) -> APIRouter:
    """The endpoints and pages of one issuer."""
    routes = APIRouter(include_in_schema=False)
    grants = Grants(database, identity, device_interval=device_interval)
    consents = Consents()
    routes.include_router(signing_in.router(identity.issuer, grants, consents, launch_secret))

    @routes.get("/.well-known/openid-configuration")
    def discovery() -> dict[str, Any]:
        at = identity.issuer
        return {
            "issuer": at,
            "authorization_endpoint": f"{at}authorize",
            "token_endpoint": f"{at}oauth/token",
            "device_authorization_endpoint": f"{at}oauth/device/code",
            "userinfo_endpoint": f"{at}userinfo",
            "revocation_endpoint": f"{at}oauth/revoke",
            "end_session_endpoint": f"{at}v2/logout",
            "jwks_uri": f"{at}.well-known/jwks.json",
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token", DEVICE_GRANT, LAUNCH_SECRET_GRANT],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none"],
            "revocation_endpoint_auth_methods_supported": ["none"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "subject_types_supported": ["public"],
            "scopes_supported": SCOPE.split(),
            "claims_supported": ["sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "name", "email", "org_id"],
            "authorization_response_iss_parameter_supported": True,
            "loopback_any_port": True,
        }

    @routes.get("/.well-known/jwks.json")
    def keys() -> dict[str, Any]:
        return identity.jwks()

    @routes.post("/oauth/token")
    async def token(request: Request) -> JSONResponse:
        return await _answered(request, exchange)

    async def exchange(request: Request) -> dict[str, Any]:
        form = await form_of(request)
        client_id = _client(form)
        kind = form.get("grant_type", "")
        if kind == "authorization_code":
            return await run_in_threadpool(
                lambda: grants.redeem_code(
                    form.get("code", ""),
                    client_id=client_id,
                    redirect_uri=form.get("redirect_uri", ""),
                    verifier=form.get("code_verifier", ""),
                )
            )
        if kind == "refresh_token":
            value, scope = form.get("refresh_token", ""), form.get("scope", "").replace(",", " ")
            return await run_in_threadpool(lambda: grants.refresh(value, client_id=client_id, scope=scope))
        if kind == DEVICE_GRANT:
            return await run_in_threadpool(
                lambda: grants.redeem_device(form.get("device_code", ""), client_id=client_id)
            )
        if kind == LAUNCH_SECRET_GRANT:
            return await run_in_threadpool(lambda: by_secret(form, client_id))
        raise GrantError("unsupported_grant_type", "This kind of grant is not supported.")

    def by_secret(form: dict[str, str], client_id: str) -> dict[str, Any]:
        """An access token for the holder of the launch secret; with offline access a lasting refresh token, too."""
        if not hmac.compare_digest(form.get("launch_secret", "").encode(), launch_secret.encode()):
            raise GrantError("invalid_grant", "The launch secret is not right.")
        if "offline_access" in form.get("scope", "").split():
            return grants.lasting(client_id, SCOPE)
        access = identity.issue(client_id=client_id)
        return {"access_token": access, "token_type": "Bearer", "expires_in": LIFE, "scope": SCOPE}

    @routes.post("/oauth/device/code")
    async def device(request: Request) -> JSONResponse:
        return await _answered(request, new_device)

    async def new_device(request: Request) -> dict[str, Any]:
        form = await form_of(request)
        client_id = _client(form)
        if not clients.is_audience(form.get("audience", "")):
            raise GrantError("access_denied", "This platform gives tokens for itself only.")
        scope = clients.granted(form.get("scope", ""))
        if not scope:
            raise GrantError("invalid_scope", "None of these scopes is known.")
        made = await run_in_threadpool(grants.new_device, client_id, scope)
        shown = f"{made.user_code[:4]}-{made.user_code[4:]}"
        return {
            "device_code": made.device_code,
            "user_code": shown,
            "verification_uri": f"{identity.issuer}activate",
            "verification_uri_complete": f"{identity.issuer}activate?user_code={shown}",
            "expires_in": DEVICE_LIFE,
            "interval": grants.device_interval,
        }

    @routes.post("/oauth/revoke")
    async def revoke(request: Request) -> JSONResponse:
        return await _answered(request, revoked)

    async def revoked(request: Request) -> dict[str, Any]:
        form = await form_of(request)
        client_id = _client(form)
        if not form.get("token"):
            raise GrantError("invalid_request", "The token is missing.")
        await run_in_threadpool(lambda: grants.revoke(form["token"], client_id=client_id))
        return {}

    @routes.api_route("/userinfo", methods=["GET", "POST"])
    def userinfo(request: Request) -> JSONResponse:
        kind, _, value = request.headers.get("Authorization", "").partition(" ")
        try:
            if kind.lower() != "bearer":
                raise jwt.InvalidTokenError("no bearer token")
            claims = identity.claims(value.strip())
        except jwt.InvalidTokenError:
            error = GrantError("invalid_token", "A valid bearer token is needed.", 401)
            answer = refused(error)
            answer.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
            return answer
        return JSONResponse(person(str(claims.get("scope", ""))), headers=NO_STORE)

    @routes.get("/identity/codes")
    def codes(request: Request) -> Response:
        """The one-time codes of all requests that wait, for the holder of the launch secret."""
        try:
            if not shows_secret(request, launch_secret):
                raise GrantError("access_denied", "The launch secret is wanted.", 403)
        except GrantError as error:
            return refused(error)
        waiting = [
            {
                "code": item.code,
                "kind": item.kind,
                "client_id": item.client_id,
                "goes_to": item.asked.redirect_uri if item.asked is not None else "",
                "expires_in": max(0, round(item.end - time.monotonic())),
            }
            for item in consents.waiting()
        ]
        return JSONResponse({"codes": waiting}, headers=NO_STORE)

    return routes


def _client(form: dict[str, str]) -> str:
    client_id = form.get("client_id", "")
    if not clients.is_known(client_id):
        raise GrantError("invalid_client", "The client is not known.", 401)
    return client_id


async def _answered(request: Request, work: Callable[[Request], Awaitable[dict[str, Any]]]) -> JSONResponse:
    try:
        return JSONResponse(await work(request), headers=NO_STORE)
    except GrantError as error:
        return refused(error)
