"""Where browsers come: /authorize, /activate and /v2/logout."""

from __future__ import annotations

import re
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from launchpad.localplatform.identity import clients, pages
from launchpad.localplatform.identity.consent import Consents, Refused, Waiting
from launchpad.localplatform.identity.forms import form_of, refused, shows_secret, single
from launchpad.localplatform.identity.grants import Asked, GrantError, Grants
from launchpad.localplatform.identity.tokens import CLIENT_ID

_CHALLENGE = re.compile(r"[A-Za-z0-9\-_]{43}")  # of S256


def router(issuer: str, grants: Grants, consents: Consents, launch_secret: str) -> APIRouter:
    """The pages of one issuer."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/authorize")
    async def authorize(request: Request) -> Response:
        try:
            query = single(request.query_params.multi_items())
            approved = shows_secret(request, launch_secret)
        except GrantError as error:
            return pages.notice("This request is not right", error.words, status=error.status)
        target = query.get("redirect_uri", "")
        # Before these two are known to be right nothing is sent anywhere.
        if not clients.is_known(query.get("client_id", "")):
            return pages.notice("This application is not known here", "Nothing was sent to it.", status=400)
        if not clients.may_receive(target):
            words = "It asks for an answer to an address that is not registered. Nothing was sent there."
            return pages.notice("This request is not right", words, status=400)
        state = query.get("state", "")
        try:
            asked = _asked(query)
        except GrantError as error:
            return _back(target, {"error": error.code, "error_description": error.words, "state": state})
        if approved:
            return _back(target, {"code": await run_in_threadpool(grants.new_code, asked), "state": state})
        if "none" in query.get("prompt", "").split():
            words = "A person has to agree."
            return _back(target, {"error": "interaction_required", "error_description": words, "state": state})
        return _question(consents.open("browser", asked.client_id, asked, state), "/authorize")

    @routes.post("/authorize")
    async def answer(request: Request) -> Response:
        try:
            form = await form_of(request)
            waiting = _waiting(request, form, "browser")
        except (GrantError, Refused) as error:
            return _ended(error)
        if waiting.asked is None:
            return _ended(Refused("This request has ended.", 0))
        target = waiting.asked.redirect_uri
        if form.get("answer") != "allow":
            consents.end(waiting)
            words = "The person refused."
            return _back(target, {"error": "access_denied", "error_description": words, "state": waiting.state})
        try:
            consents.check(waiting, form.get("code", ""))
        except Refused as error:
            return _question(waiting, "/authorize", error.words) if error.left else _ended(error)
        if not consents.end(waiting):
            return _ended(Refused("This request was answered already.", 0))
        code = await run_in_threadpool(grants.new_code, waiting.asked)
        return _back(target, {"code": code, "state": waiting.state})

    @routes.get("/activate")
    async def activate(request: Request) -> Response:
        waiting = consents.open("device", CLIENT_ID, None, "")
        return _question(waiting, "/activate", user_code=request.query_params.get("user_code", "")[:20])

    @routes.post("/activate")
    async def activated(request: Request) -> Response:
        try:
            form = await form_of(request)
            if shows_secret(request, launch_secret):
                done = await run_in_threadpool(
                    lambda: grants.answer_device(form.get("user_code", ""), approve=form.get("answer") != "refuse")
                )
                return JSONResponse({"answered": done}, status_code=200 if done else 404)
            waiting = _waiting(request, form, "device")
        except GrantError as error:
            return refused(error)
        except Refused as error:
            return _ended(error)
        user_code, allow = form.get("user_code", "")[:20], form.get("answer") == "allow"
        try:
            consents.check(waiting, form.get("code", ""))
        except Refused as error:
            if error.left:
                return _question(waiting, "/activate", error.words, user_code=user_code)
            return _ended(error)
        if not await run_in_threadpool(lambda: grants.answer_device(user_code, approve=allow)):
            words = "No device waits under this code, or it waited too long."
            return _question(waiting, "/activate", words, user_code=user_code)
        consents.end(waiting)
        if not allow:
            return pages.notice("Refused", "The device was not let in. You may close this page.")
        return pages.notice("The device is signed in", "You may close this page.")

    @routes.get("/v2/logout")
    def logout(request: Request) -> Response:
        # Nobody stays signed in here: each request is asked for. What is left to do is to lead back.
        target = request.query_params.get("returnTo") or request.query_params.get("post_logout_redirect_uri") or ""
        if target and clients.may_receive(target):
            return RedirectResponse(target, status_code=302, headers={"Cache-Control": "no-store"})
        if target:
            return pages.notice("This request is not right", "It leads to an address that is not known.", status=400)
        return pages.notice("You are signed out", "You may close this page.")

    def _waiting(request: Request, form: dict[str, str], kind: str) -> Waiting:
        request_id = form.get("request", "")
        cookie = request.cookies.get(_cookie(request_id), "")
        waiting = consents.find(request_id, form.get("csrf", ""), cookie)
        if waiting.kind != kind:
            raise Refused("This request has ended.", 0)
        return waiting

    def _back(target: str, answer: dict[str, str]) -> Response:
        values = {name: value for name, value in answer.items() if value} | {"iss": issuer}
        # 303: a form's answer is fetched, not sent once more.
        return RedirectResponse(f"{target}?{urlencode(values)}", status_code=303, headers={"Cache-Control": "no-store"})

    return routes


def _asked(query: dict[str, str]) -> Asked:
    if query.get("response_type") != "code":
        raise GrantError("unsupported_response_type", "There is response_type=code only.")
    if query.get("response_mode", "query") != "query":
        raise GrantError("invalid_request", "There is response_mode=query only.")
    if "request" in query or "request_uri" in query:
        raise GrantError("request_not_supported", "Requests as objects are not supported.")
    if query.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(query.get("code_challenge", "")):
        raise GrantError("invalid_request", "PKCE with code_challenge_method=S256 is wanted.")
    if not clients.is_audience(query.get("audience", "")):
        raise GrantError("access_denied", "This platform gives tokens for itself only.")
    scope = clients.granted(query.get("scope", ""))
    if not scope:
        raise GrantError("invalid_scope", "None of these scopes is known.")
    return Asked(query["client_id"], query["redirect_uri"], query["code_challenge"], query.get("nonce", ""), scope)


def _question(waiting: Waiting, action: str, problem: str = "", *, user_code: str | None = None) -> HTMLResponse:
    goes_to = ""
    who = f"{clients.NAMES[waiting.client_id]} ({waiting.client_id})"
    if waiting.asked is not None:
        parts = urlsplit(waiting.asked.redirect_uri)
        goes_to = f"{parts.scheme}://{parts.netloc}"
    else:
        who = "Another device or terminal"
    page = pages.consent(
        action=action,
        hidden={"request": waiting.id, "csrf": waiting.csrf},
        who=who,
        goes_to=goes_to,
        user_code=user_code,
        problem=problem,
        status=403 if problem else 200,
    )
    page.set_cookie(
        _cookie(waiting.id), waiting.cookie, max_age=300, path=action, httponly=True, samesite="strict", secure=False
    )
    return page


def _cookie(request_id: str) -> str:
    # One a request, so that two tabs do not disturb each other.
    return f"launchpad-{request_id}" if re.fullmatch(r"[A-Za-z0-9_\-]{1,40}", request_id) else "launchpad"


def _ended(error: GrantError | Refused) -> Response:
    return pages.notice("This did not work", error.words, status=400)
