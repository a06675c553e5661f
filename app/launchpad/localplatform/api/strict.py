"""Parts of requests that are held to the contract; the models themselves are tolerant, for a client's sake."""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel
from pydantic_core import PydanticCustomError

from launchpad.localplatform.api.problems import invalid
from launchpad.platform.models import OpenEnum

_Enum = TypeVar("_Enum", bound=OpenEnum)


def _known(value: _Enum) -> _Enum:
    if value.name not in type(value).__members__:
        raise PydanticCustomError("enum", "Input should be {expected}", {"expected": _words(type(value))})
    return value


Known = Annotated[_Enum, AfterValidator(_known)]
"""`Known[ResourceType]`: one of the members that the contract names."""


def require_known(body: BaseModel) -> None:
    """Refuse a body with an enum value that the contract does not name."""
    for name in type(body).model_fields:
        value = getattr(body, name)
        if isinstance(value, OpenEnum) and value.name not in type(value).__members__:
            raise invalid(["body", name], f"Input should be {_words(type(value))}", "enum")


def _words(kind: type[OpenEnum]) -> str:
    return " or ".join(f"'{member}'" for member in kind.__members__)
