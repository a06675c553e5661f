"""What the issuer's endpoints read and answer: forms without doubles, refusals in words of OAuth, the launch secret."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from urllib.parse import parse_qsl

from fastapi import Request
from fastapi.responses import JSONResponse

from launchpad.localplatform.identity.grants import GrantError

SECRET_HEADER = "x-launchpad-launch-secret"
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_MOST = 16_384  # bytes of a form


def single(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Parameters, each given once.

    Raises:
        GrantError: one comes twice.
    """
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise GrantError("invalid_request", f"The parameter {name[:40]} is there twice.")
        found[name] = value
    return found


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form.

    Raises:
        GrantError: it is none, too long, or has a field twice.
    """
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise GrantError("invalid_request", "A form (application/x-www-form-urlencoded) is wanted.")
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _MOST:
            raise GrantError("invalid_request", "The form is too long.", 413)
    try:
        return single(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=50))
    except ValueError as error:
        raise GrantError("invalid_request", "The form cannot be read.") from error


def refused(error: GrantError) -> JSONResponse:
    """A refusal."""
    body = {"error": error.code, "error_description": error.words}
    return JSONResponse(body, status_code=error.status, headers=NO_STORE)


def shows_secret(request: Request, launch_secret: str) -> bool:
    """Whether a request carries the launch secret.

    Raises:
        GrantError: it carries a wrong one.
    """
    given = request.headers.get(SECRET_HEADER)
    if given is None:
        return False
    if not hmac.compare_digest(given.encode(), launch_secret.encode()):
        raise GrantError("access_denied", "The launch secret is not right.", 403)
    return True
