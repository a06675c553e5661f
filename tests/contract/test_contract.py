"""Our models and routes against a copy of the platform's contract."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Any

import httpx
import pytest

from launchpad.localplatform.api.pending import PENDING
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
# What is not there yet. A later version empties this list.
NOT_YET = {
    ("GET", "/v1/applications/{application_id}/versions/{version}/documents"),
    ("GET", "/v1/applications/{application_id}/versions/{version}/documents/{name}"),
    ("GET", "/v1/applications/{application_id}/versions/{version}/documents/{name}/file"),
    ("GET", "/v1/applications/{application_id}/versions/{version}/documents/{name}/content"),
    ("POST", "/v1/access/grants"),
    ("GET", "/v1/access/grants"),
    ("GET", "/v1/access/grants/{grant_id}"),
    ("DELETE", "/v1/access/grants/{grant_id}"),
    ("POST", "/v1/access/share-tokens"),
    ("GET", "/v1/access/share-tokens"),
    ("GET", "/v1/access/share-tokens/{share_token_id}"),
    ("DELETE", "/v1/access/share-tokens/{share_token_id}"),
}


def test_the_list_of_what_is_not_there_yet() -> None:
    assert set(PENDING) == NOT_YET


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_operation_answers_for_itself(method: str, path: str, platform_endpoint: Any) -> None:
    """Without a token 401; with one it is there, or says 501 in a problem body, and exactly where the list says so."""
    from launchpad.platform.client import Client

    some = "00000000-0000-0000-0000-000000000000"
    where = path
    for name in ("run_id", "artifact_id", "grant_id", "share_token_id"):
        where = where.replace(f"{{{name}}}", some)
    where = where.replace("{application_id}", "he-tme").replace("{version}", "0.1.0")
    where = where.replace("{external_id}", "a%2Fb.svs").replace("{name}", "x")
    url = f"{platform_endpoint.api_root}/api{where}"
    assert httpx.request(method, url, trust_env=False).status_code == 401
    with Client() as client:
        headers = {"Authorization": f"Bearer {client.token()}"}
    answer = httpx.request(method, url, headers=headers, trust_env=False)
    if (method, path) in NOT_YET:
        assert answer.status_code == 501
        assert answer.headers["content-type"] == "application/problem+json"
        assert "not offer" in answer.json()["detail"]
    else:
        assert answer.status_code in (200, 404, 422), answer.text
