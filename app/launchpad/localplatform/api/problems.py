"""Answers to what cannot be done: problem bodies (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

_MEANINGS = {
    307: "The bytes are at this address, for a short time.",
    401: "A valid bearer token is missing.",
    403: "The caller may not do that.",
    404: "There is no such thing, or it is not the caller's to see.",
    409: "That has happened already.",
    410: "It was deleted.",
    412: "It was changed by somebody else meanwhile.",
    422: "The request is not as it should be; the answer says where.",
}


def declared(*codes: int) -> dict[int | str, dict[str, Any]]:
    """For a route's `responses`: the answers that the contract names besides the good one."""
    return {code: {"description": _MEANINGS.get(code, HTTPStatus(code).phrase)} for code in codes}


class Problem(HTTPException):
    """A refusal whose body has more members than the usual ones."""

    def __init__(self, status: int, words: str, **members: object) -> None:
        super().__init__(status, words)
        self.members = members


def invalid(location: list[str | int], message: str, kind: str = "value_error") -> RequestValidationError:
    """A 422 for one place of the request."""
    return RequestValidationError([{"loc": location, "msg": message, "type": kind}])


def not_found(what: str) -> HTTPException:
    """A 404."""
    return HTTPException(404, f"{what} does not exist, or is not yours to see.")


def install(app: FastAPI) -> None:
    """Make all errors problem bodies."""

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> JSONResponse:
        headers = dict(error.headers or {})
        if error.status_code == 405:
            headers["Allow"] = ", ".join(_methods(app, request))
        body = {
            "type": "about:blank",
            "title": HTTPStatus(error.status_code).phrase,
            "status": error.status_code,
            "detail": error.detail,
        }
        if isinstance(error, Problem):
            body |= error.members
        return JSONResponse(body, status_code=error.status_code, headers=headers, media_type="application/problem+json")

    @app.exception_handler(RequestValidationError)
    async def malformed(_: Request, error: RequestValidationError) -> JSONResponse:
        details = [{name: item[name] for name in ("loc", "msg", "type") if name in item} for item in error.errors()]
        return JSONResponse({"detail": jsonable_encoder(details)}, status_code=422)


def _methods(app: FastAPI, request: Request) -> list[str]:
    """All methods that the path knows; the framework names those of one route only."""

    def answers(method: str) -> bool:
        scope = {**request.scope, "method": method}
        return any(route.matches(scope)[0] is Match.FULL for route in app.routes)

    return [method for method in ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT") if answers(method)]
