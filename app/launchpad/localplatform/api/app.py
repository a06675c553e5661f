"""The FastAPI application: routes, problem bodies, health."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, FastAPI

from launchpad import __version__
from launchpad.localplatform.api import applications, me, pending, problems, runs
from launchpad.localplatform.api.context import Context
from launchpad.localplatform.identity.routes import router as identity_router


def build(context: Context, launch_secret: str) -> FastAPI:
    """The application of one platform."""
    app = FastAPI(title="Launchpad platform", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.context = context
    problems.install(app)

    @app.get("/health", include_in_schema=False)
    def health() -> dict[str, Any]:
        return {"status": "UP", "version": __version__}

    app.include_router(identity_router(context.identity, context.database, launch_secret))
    api = APIRouter(prefix="/api")
    for part in (applications, me, runs, pending):
        api.include_router(part.router)
    app.include_router(api)
    return app
