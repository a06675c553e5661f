"""What makes the start quick: no search for garbage while modules load, and no models that nobody may ask for."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quick_start() -> Iterator[None]:
    """While the platform is loaded and built."""
    # What is loaded now stays: looking for garbage meanwhile costs a sixth of the start.
    gc.disable()
    try:
        _import_fastapi()
        yield
    finally:
        gc.freeze()
        gc.enable()


def _import_fastapi() -> None:
    """FastAPI's models of OpenAPI documents take a fifth of the start: they are built when a document is asked for."""
    from pydantic import BaseModel

    BaseModel.model_config["defer_build"] = True
    try:
        import fastapi.openapi.models  # noqa: F401
    finally:
        del BaseModel.model_config["defer_build"]
