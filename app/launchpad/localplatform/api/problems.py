"""Answers to what cannot be done: problem bodies (RFC 9457)."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException


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
    async def refused(_: Request, error: HTTPException) -> JSONResponse:
        body = {"type": "about:blank", "title": error.detail, "status": error.status_code, "detail": error.detail}
        if isinstance(error, Problem):
            body |= error.members
        return JSONResponse(
            body, status_code=error.status_code, headers=error.headers, media_type="application/problem+json"
        )

    @app.exception_handler(RequestValidationError)
    async def malformed(_: Request, error: RequestValidationError) -> JSONResponse:
        details = [{name: item[name] for name in ("loc", "msg", "type") if name in item} for item in error.errors()]
        return JSONResponse({"detail": jsonable_encoder(details)}, status_code=422)
