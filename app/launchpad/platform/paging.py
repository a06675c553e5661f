"""Lists that the platform gives page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from launchpad.platform.http import Api, ApiException, NotFoundException, parse
from launchpad.platform.models import Model

_M = TypeVar("_M", bound=Model)


def pages(
    api: Api,
    path: str,
    model: type[_M],
    query: Mapping[str, Any] | None = None,
    *,
    size: int,
    size_name: str = "page_size",
    timeout: float | None = None,
) -> Iterator[_M]:
    """The entries of all pages; a page that is shorter than `size`, or is not there, ends the list.

    Raises:
        Unreachable: the platform does not answer.
        ApiException: it refused or failed, or its answer cannot be understood.
    """
    page, before = 1, None
    while True:
        try:
            answer = api.get(path, {**(query or {}), "page": page, size_name: size}, timeout=timeout)
        except NotFoundException:
            if page == 1:
                raise
            return
        if not isinstance(answer, list):
            raise ApiException(
                "The platform's answer cannot be understood", detail=f"{path} is not a list.", subject=api.root
            )
        if answer and answer == before:
            raise ApiException(
                "The platform's list has no end", detail=f"Page {page} repeats the one before.", subject=f"{path}"
            )
        yield from (parse(model, item, path) for item in answer)
        if len(answer) < size:
            return
        page, before = page + 1, answer
