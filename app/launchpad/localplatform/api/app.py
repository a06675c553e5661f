"""The ASGI application: identity, the API below /api, its description and explorer, and health."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, FastAPI

from launchpad import __version__
from launchpad.localplatform.api import access, applications, documents, explorer, me, problems, runs, usage
from launchpad.localplatform.api.context import Context
from launchpad.localplatform.api.openapi import published
from launchpad.localplatform.identity.routes import router as identity_router


def contract() -> APIRouter:
    """The operations of the contract, as yet without `/api` in front."""
    router = APIRouter()
    for part in (applications, runs, me, documents, access):
        router.include_router(part.router)
    return router


def build(context: Context, launch_secret: str) -> FastAPI:
    """The application of one platform."""
    app = FastAPI(
        title="Launchpad platform",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.context = context
    problems.install(app)

    @app.get("/health", include_in_schema=False)
    def health() -> dict[str, Any]:
        return {"status": "UP", "version": __version__}

    operations = contract()
    app.include_router(identity_router(context.identity, context.database, launch_secret))
    app.include_router(explorer.router(lambda: published(operations)))
    app.include_router(operations, prefix="/api")
    app.include_router(usage.router)
    return app
