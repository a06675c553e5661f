"""Pages and orders of lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Query
from sqlalchemy import Select

from launchpad.localplatform.api.problems import invalid

Page = Annotated[int, Query(ge=1)]
PageSize = Annotated[int, Query(ge=5, le=100)]  # the contract's limits
Sort = Annotated[list[str] | None, Query()]
_LAST = 2**62  # rows that the database can count to


def sort_names(sort: list[str] | None, known: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """What is sorted by, and whether downwards: `field`, `+field` or `-field`, repeated or separated by commas.

    Raises:
        RequestValidationError: a field cannot be sorted by.
    """
    found = []
    for name in (name.strip() for text in sort or [] for name in text.split(",") if name.strip()):
        plain = name[1:] if name[0] in "+-" else name
        if plain not in known:
            raise invalid(["query", "sort"], f"“{name[:100]}” cannot be sorted by; known: {', '.join(known)}")
        found.append((plain, name.startswith("-")))
    return found


def ordered(query: Select[Any], sort: list[str] | None, columns: Mapping[str, Any], *default: Any) -> Select[Any]:
    """Order a query as asked, then by `default`, which has to make the order whole."""
    names = sort_names(sort, columns)
    return query.order_by(*(columns[name].desc() if down else columns[name].asc() for name, down in names), *default)


def paged(query: Select[Any], page: int, size: int) -> Select[Any]:
    """One page of a query."""
    return query.limit(size).offset(min((page - 1) * size, _LAST))
