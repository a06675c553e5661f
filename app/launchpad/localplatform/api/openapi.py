"""The published description of the API: the contract's operations as this platform has them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.openapi.utils import get_openapi

from launchpad import __version__

CONTRACT_VERSION = "1.7.0"


def published(contract: APIRouter) -> dict[str, Any]:
    """The document, with paths below `/api`."""
    document = get_openapi(
        title="Launchpad platform",
        version=CONTRACT_VERSION,
        description=(
            f"The API of the Launchpad platform {__version__}. Its applications are for research use only and are no "
            "diagnostic devices."
        ),
        routes=contract.routes,
        servers=[{"url": "/api"}],
    )
    for schema in document["components"]["schemas"].values():
        # Our models keep what they do not know. That is what a schema without this word says, too.
        schema.pop("additionalProperties", None)
    return document
