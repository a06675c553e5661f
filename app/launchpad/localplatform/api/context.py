"""What the routes use: the parts of one platform, and who is calling."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import jwt
from fastapi import Depends, Request, Security
from fastapi.security import OAuth2AuthorizationCodeBearer
from starlette.exceptions import HTTPException

from launchpad.localplatform.database.engine import Database
from launchpad.localplatform.identity.tokens import Caller, Identity
from launchpad.localplatform.objectstore.storage import Keys, Storage
from launchpad.localplatform.settings import PlatformSettings


@dataclass(frozen=True)
class Context:
    """The parts of one platform. `wake` tells the scheduler that there is work, or a cancellation."""

    database: Database
    storage: Storage
    keys: Keys
    identity: Identity
    store_endpoint: str
    wake: Callable[[], None]
    settings: PlatformSettings


# Asynchronous though they wait for nothing: otherwise each would take a turn in a thread.
async def context_of(request: Request) -> Context:
    """The platform that a request came to."""
    context: Context = request.app.state.context
    return context


# Only so that the published description says it; the token is checked below.
_BEARER = OAuth2AuthorizationCodeBearer(authorizationUrl="/oauth/authorize", tokenUrl="/oauth/token", auto_error=False)


async def caller_of(request: Request, _: Annotated[str | None, Security(_BEARER)] = None) -> Caller:
    """Who calls; 401 without a valid bearer token."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    try:
        if kind.lower() != "bearer" or not token:
            raise jwt.InvalidTokenError("no bearer token")
        return (await context_of(request)).identity.check(token.strip())
    except jwt.InvalidTokenError as error:
        raise HTTPException(
            401, "A valid bearer token is needed.", headers={"WWW-Authenticate": 'Bearer error="invalid_token"'}
        ) from error


Platform = Annotated[Context, Depends(context_of)]
User = Annotated[Caller, Depends(caller_of)]
