"""The API explorer at /docs, from files that lie with Launchpad; it needs no network and runs no inline script."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Callable
from functools import cache
from typing import Any

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import Response

from launchpad import paths

FILES = (
    "swagger-ui.css",
    "swagger-ui-bundle.js",
    "favicon-32x32.png",
    "explorer.css",
    "explorer.js",
)
# Colours of examples are put into style attributes by script, which this allows; a <style> in the page would not work.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}


def router(describe: Callable[[], dict[str, Any]]) -> APIRouter:
    """The page, its files, and the description of the API; `describe` is called once, when that is first asked for."""
    routes = APIRouter(include_in_schema=False)

    @cache
    def description() -> bytes:
        return json.dumps(describe(), ensure_ascii=False).encode()

    @routes.get("/openapi.json")
    def openapi() -> Response:
        return Response(description(), media_type="application/json")

    @routes.get("/docs")
    def page() -> Response:
        return _file("index.html")

    @routes.get("/docs/{name}")
    def part(name: str) -> Response:
        if name not in FILES:
            raise HTTPException(404, "The API explorer has no such file.")
        return _file(name)

    return routes


def _file(name: str) -> Response:
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Response(paths.resource("api_explorer", name).read_bytes(), media_type=kind, headers=_HEADERS)
