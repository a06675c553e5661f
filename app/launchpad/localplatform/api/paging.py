"""Pages and orders of lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Query
from sqlalchemy import Select

from launchpad.localplatform.api.problems import invalid

Page = Annotated[int, Query(ge=1, le=1_000_000)]
PageSize = Annotated[int, Query(ge=5, le=100)]  # the contract's limits
Sort = Annotated[list[str] | None, Query()]


def ordered(query: Select[Any], sort: list[str] | None, columns: Mapping[str, Any], *default: Any) -> Select[Any]:
    """Order a query by `field` or `-field`, several times or separated by commas."""
    names = [name.strip() for text in sort or [] for name in text.split(",") if name.strip()]
    if not names:
        return query.order_by(*default)
    order = []
    for name in names:
        column = columns.get(name.lstrip("+-"))
        if column is None:
            raise invalid(["query", "sort"], f"“{name}” cannot be sorted by; known: {', '.join(columns)}")
        order.append(column.desc() if name.startswith("-") else column.asc())
    return query.order_by(*order, *default)


def cut(rows: list[Any], page: int, size: int) -> list[Any]:
    """One page of rows that were filtered here."""
    return rows[(page - 1) * size : page * size]
