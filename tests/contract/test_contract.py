"""Our models and routes against a copy of the platform's contract."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Any

import httpx
import pytest

from launchpad.platform import models

CONTRACT = json.loads((Path(__file__).parent / "platform-openapi.json").read_text(encoding="utf-8"))
SCHEMAS: dict[str, Any] = CONTRACT["components"]["schemas"]
OURS = {name: schema for name, schema in SCHEMAS.items() if name not in ("HTTPValidationError", "ValidationError")}


def simple(schema: dict[str, Any]) -> Any:
    """A field's type, without titles and words."""
    if "$ref" in schema:
        return schema["$ref"].rsplit("/", 1)[-1]
    if "anyOf" in schema:
        return sorted(json.dumps(simple(part), sort_keys=True) for part in schema["anyOf"])
    kept = {name: schema[name] for name in ("type", "format", "maxLength", "minLength", "minItems") if name in schema}
    if "items" in schema:
        kept["items"] = simple(schema["items"])
    return kept


@pytest.mark.parametrize("name", [name for name, schema in OURS.items() if "enum" in schema])
def test_enums(name: str) -> None:
    ours: type[StrEnum] = getattr(models, name)
    assert [str(member) for member in ours] == SCHEMAS[name]["enum"]


@pytest.mark.parametrize("name", [name for name, schema in OURS.items() if "enum" not in schema])
def test_models(name: str) -> None:
    ours = getattr(models, name).model_json_schema()
    theirs = SCHEMAS[name]
    assert sorted(ours["properties"]) == sorted(theirs["properties"])
    assert sorted(ours.get("required", [])) == sorted(theirs.get("required", []))
    for field, schema in theirs["properties"].items():
        assert simple(ours["properties"][field]) == simple(schema), field
        if "pattern" in schema:
            assert ours["properties"][field]["pattern"] == schema["pattern"]


def test_models_are_tolerant() -> None:
    version = models.ApplicationVersion.model_validate(
        {"number": "1.2.3", "released_at": "2026-01-01T00:00:00Z", "new_field": [1]}
    )
    assert version.model_dump()["new_field"] == [1]
    assert models.RunState("PAUSED") == "PAUSED"
    with pytest.raises(ValueError):
        models.ApplicationVersion.model_validate({"number": "v1", "released_at": "2026-01-01T00:00:00Z"})


OPERATIONS = [(method.upper(), path) for path, operations in CONTRACT["paths"].items() for method in operations]


def bare(document: Any, parent: str = "") -> Any:
    """A description of an API without its words: titles, summaries, descriptions."""
    if isinstance(document, list):
        return [bare(part) for part in document]
    if not isinstance(document, dict):
        return document
    named = parent in ("properties", "schemas", "responses", "paths")  # keys that are names, not words of the format
    return {
        key: bare(value, "" if named else key)
        for key, value in document.items()
        if named or key not in ("title", "summary", "description")
    }


def by_name(operation: dict[str, Any]) -> dict[str, Any]:
    """An operation whose parameters are found by name, since their order says nothing."""
    found = dict(operation)
    found["parameters"] = {(part["in"], part["name"]): part for part in operation.get("parameters", [])}
    return found


@pytest.fixture(scope="module")
def token(platform_endpoint: Any) -> str:
    from launchpad.platform.client import Client

    with Client() as client:
        return client.token()


@pytest.fixture(scope="module")
def published(platform_endpoint: Any) -> dict[str, Any]:
    answer = httpx.get(f"{platform_endpoint.api_root}/openapi.json", trust_env=False)
    assert answer.headers["content-type"] == "application/json"
    return dict(answer.json())


def test_the_published_description_has_the_contracts_operations(published: dict[str, Any]) -> None:
    assert published["openapi"] == CONTRACT["openapi"]
    assert published["servers"] == CONTRACT["servers"]
    assert published["info"]["version"] == CONTRACT["info"]["version"]
    ours = {(method, path) for path, operations in published["paths"].items() for method in operations}
    assert ours == {(method, path) for path, operations in CONTRACT["paths"].items() for method in operations}


@pytest.mark.parametrize(
    ("method", "path"), [(method, path) for path, operations in CONTRACT["paths"].items() for method in operations]
)
def test_a_published_operation_is_the_contracts(method: str, path: str, published: dict[str, Any]) -> None:
    ours, theirs = by_name(bare(published["paths"][path][method])), by_name(bare(CONTRACT["paths"][path][method]))
    assert ours == theirs


def test_the_published_schemas_are_the_contracts(published: dict[str, Any]) -> None:
    ours, theirs = bare(published["components"], "components"), bare(CONTRACT["components"], "components")
    assert ours["securitySchemes"] == theirs["securitySchemes"]
    assert sorted(ours["schemas"]) == sorted(theirs["schemas"])
    for name, schema in theirs["schemas"].items():
        assert ours["schemas"][name] == schema, name


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_operation_answers_for_itself(method: str, path: str, platform_endpoint: Any, token: str) -> None:
    """Without a token 401; with one it is there: nothing answers 501, and no path is unknown."""
    some = "00000000-0000-0000-0000-000000000000"
    where = path
    for name in ("run_id", "artifact_id", "grant_id", "share_token_id"):
        where = where.replace(f"{{{name}}}", some)
    where = where.replace("{application_id}", "he-tme").replace("{version}", "0.1.0")
    where = where.replace("{external_id}", "a%2Fb.svs").replace("{name}", "x")
    url = f"{platform_endpoint.api_root}/api{where}"
    assert httpx.request(method, url, trust_env=False, verify=False).status_code == 401
    headers = {"Authorization": f"Bearer {token}"}
    answer = httpx.request(method, url, headers=headers, trust_env=False, verify=False)
    assert answer.status_code in (200, 404, 422), answer.text
    if answer.status_code == 404:
        assert answer.json()["detail"] != "Not Found"  # the words of a path without a route
