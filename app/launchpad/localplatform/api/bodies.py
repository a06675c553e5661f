"""JSON bodies as they are read: what JSON itself forbids, and what could not be kept or answered, is refused."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response


class _StrictRequest(Request):
    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            body = await self.body()
            try:
                document = json.loads(body, parse_constant=_no_constant)
                _check(document)
            except json.JSONDecodeError:
                raise
            except (ValueError, RecursionError) as error:  # no UTF-8, digits without end, or what _check says
                raise json.JSONDecodeError(str(error), "", 0) from error
            self._json = document
        return self._json


class StrictRoute(APIRoute):
    """A route that takes JSON by the letter: finite numbers and whole characters. Its depth is the gate's concern."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's handler, behind the reading of the body."""
        handler = super().get_route_handler()

        async def strict(request: Request) -> Response:
            return await handler(_StrictRequest(request.scope, request.receive))

        return strict


def _no_constant(name: str) -> None:
    raise json.JSONDecodeError(f"{name} is no number in JSON", name, 0)


def _check(value: Any) -> None:
    if isinstance(value, str):
        if not value.isascii() and not _encodes(value):
            raise ValueError("a string holds half a character (a lone surrogate)")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("a number is too large")
    elif isinstance(value, (dict, list)):
        for part in value:
            _check(part)  # the names of an object, or the elements of a list
        if isinstance(value, dict):
            for part in value.values():
                _check(part)


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
