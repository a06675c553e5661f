"""What clients of the Aignostics Platform that exist today expect of a server, row by row."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import jwt
import pytest

from platform_callers import caller, ended, item, submitted, uploaded

EXTERNAL = "/home/me/slides/Ä case/a#1 100%.svs"
_MIME = re.compile(r"^\w+\/\w+[-+.|\w+]+\w+$")
_SEMVER = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")


@pytest.fixture(scope="module")
def api(platform_endpoint: Any) -> Iterator[httpx.Client]:
    with caller(platform_endpoint, "local|user") as client:
        yield client


@pytest.fixture(scope="module")
def finished(platform_endpoint: Any, api: httpx.Client, sample_svs: Path) -> str:
    """A run with results; the last test deletes them."""
    url, metadata = uploaded(platform_endpoint, api, sample_svs)
    custom = {"sdk": {"tags": ["done"], "note": "Ä note"}}
    run_id = submitted(api, item(EXTERNAL, url, **metadata), custom_metadata=custom, callback_context={"a": 1})
    assert ended(api, run_id)["statistics"]["item_succeeded_count"] == 1
    return run_id


def test_issuer_audience_and_keys(platform_endpoint: Any, api: httpx.Client) -> None:
    parts = urlsplit(platform_endpoint.api_root)
    assert platform_endpoint.issuer == f"{parts.scheme}://{parts.netloc}/"
    assert 10 <= len(platform_endpoint.audience) <= 100
    token = api.headers["Authorization"].split()[1]
    keys = httpx.get(f"{platform_endpoint.issuer}.well-known/jwks.json", trust_env=False).json()["keys"]
    (key,) = [key for key in keys if key["kid"] == jwt.get_unverified_header(token)["kid"]]
    assert (key["kty"], key["use"], key["alg"]) == ("RSA", "sig", "RS256")
    claims = jwt.decode(
        token, jwt.PyJWK(key).key, ["RS256"], audience=platform_endpoint.audience, issuer=platform_endpoint.issuer
    )
    assert {"iss", "iat", "exp", "aud", "azp", "org_id", "scope", "sub"} <= set(claims)
    assert claims[f"{platform_endpoint.audience}/role"] == "member"
    assert claims["exp"] - claims["iat"] > 3600


@pytest.mark.parametrize("with_token", [False, True])
def test_health_lies_beside_the_api(platform_endpoint: Any, api: httpx.Client, with_token: bool) -> None:
    headers = {"Authorization": api.headers["Authorization"]} if with_token else {}
    answer = httpx.get(f"{platform_endpoint.api_root}/health", headers=headers, trust_env=False)
    assert (answer.status_code, answer.json()["status"]) == (200, "UP")


def test_me(api: httpx.Client) -> None:
    me = api.get("/me").json()
    assert me["user"]["id"] == "local|user"
    organization = me["organization"]
    for name in (
        "id",
        "aignostics_bucket_hmac_access_key_id",
        "aignostics_bucket_hmac_secret_access_key",
        "aignostics_bucket_name",
        "aignostics_bucket_protocol",
    ):
        assert organization[name], name
    assert organization["aignostics_logfire_token"] == organization["aignostics_sentry_dsn"] == ""
    assert organization["name"] not in ("aignostics", "pre-alpha-org", "lmu", "charite")


def test_applications_are_paged_with_a_hyphen(api: httpx.Client) -> None:
    first = api.get("/applications", params={"page": 1, "page-size": 20}).json()
    assert [entry["application_id"] for entry in first] == ["he-tme", "test-app"]
    assert all(set(entry["latest_version"]) == {"number", "released_at"} for entry in first)
    assert all(isinstance(entry["regulatory_classes"], list) for entry in first)
    assert api.get("/applications", params={"page": 2, "page-size": 20}).json() == []
    assert api.get("/applications", params={"page": 10**30}).json() == []
    assert api.get("/applications", params={"sort": "-application_id"}).json() == first[::-1]
    for wrong in ({"page": 0}, {"page-size": 4}, {"page-size": 101}, {"page-size": "x"}, {"sort": "nope"}):
        assert api.get("/applications", params=wrong).status_code == 422, wrong


@pytest.mark.parametrize("application_id", ["he-tme", "test-app"])
def test_an_application_and_its_version(api: httpx.Client, application_id: str) -> None:
    application = api.get(f"/applications/{application_id}").json()
    (version,) = application["versions"]
    assert _SEMVER.fullmatch(version["number"])
    details = api.get(f"/applications/{application_id}/versions/{version['number']}").json()
    assert details["version_number"] == version["number"]
    assert datetime.fromisoformat(details["released_at"]).tzinfo is not None
    assert len(details["input_artifacts"]) == 1
    for artifact in details["input_artifacts"] + details["output_artifacts"]:
        assert _MIME.match(artifact["mime_type"])
        assert artifact["metadata_schema"]["type"] == "object"
    assert {artifact["scope"] for artifact in details["output_artifacts"]} == {"ITEM"}
    assert {artifact["visibility"] for artifact in details["output_artifacts"]} == {"EXTERNAL"}
    assert api.get(f"/applications/{application_id}/versions/v0.1.0").status_code == 422
    assert api.get(f"/applications/{application_id}/versions/0.0.9").status_code == 404
    assert api.get("/applications/nope/versions/0.1.0").status_code == 404


def test_documents_are_listed_and_followed_to_their_bytes(api: httpx.Client) -> None:
    path = "/applications/he-tme/versions/0.1.0/documents"
    listed = api.get(path).json()
    assert [document["name"] for document in listed] == ["intended_use.md", "outputs.md"]
    for document in listed:
        assert set(document) == {"id", "name", "mime_type", "visibility", "created_at", "updated_at"}
        one = f"{path}/{document['name']}"
        assert api.get(one).json() == document
        for kind in ("file", "content"):
            answer = api.get(f"{one}/{kind}")
            assert answer.status_code == 307
            found = httpx.get(answer.headers["location"], trust_env=False)
            assert found.headers["content-type"].startswith(document["mime_type"])
            assert found.text.startswith("# ")
    assert "not a diagnostic device" in httpx.get(api.get(f"{path}/intended_use.md/file").headers["location"]).text
    assert api.get(f"{path}/nope.md").status_code == 404
    assert api.get(f"{path}/nope.md/file").status_code == 404
    assert api.get("/applications/he-tme/versions/9.9.9/documents").status_code == 404


def test_a_run_is_created_with_201_and_its_id(api: httpx.Client) -> None:
    body = {"application_id": "test-app", "version_number": "0.1.0", "items": [item("a.svs")]}
    body |= {"custom_metadata": {"sdk": {}}, "callback_context": {"x": [1]}, "scheduling": None}
    answer = api.post("/runs", json=body)
    assert (answer.status_code, list(answer.json())) == (201, ["run_id"])
    assert uuid.UUID(answer.json()["run_id"])


def test_a_run_has_all_keys_and_zones(api: httpx.Client, finished: str) -> None:
    run = api.get(f"/runs/{finished}").json()
    needed = [
        "run_id",
        "application_id",
        "version_number",
        "state",
        "output",
        "statistics",
        "submitted_at",
        "submitted_by",
    ]
    nullable = ["termination_reason", "error_code", "error_message"]
    assert set(needed + nullable) <= set(run)
    assert all(run[name] is not None for name in needed)
    assert sorted(run["statistics"]) == sorted(
        f"item_{name}count"
        for name in ("", "pending_", "processing_", "user_error_", "system_error_", "skipped_", "succeeded_")
    )
    assert (run["state"], run["termination_reason"], run["output"]) == ("TERMINATED", "ALL_ITEMS_PROCESSED", "FULL")
    assert datetime.fromisoformat(run["submitted_at"]).utcoffset() is not None
    assert datetime.fromisoformat(run["submitted_at"]) < datetime.fromisoformat(run["terminated_at"])
    assert run["num_preceding_items_org"] is None
    assert api.get(f"/runs/{uuid.uuid4()}").status_code == 404
    assert api.get("/runs/nonsense").status_code == 422


def test_runs_are_filtered_sorted_and_paged(api: httpx.Client) -> None:
    tag = uuid.uuid4().hex
    made = []
    for number in range(6):
        custom = {"sdk": {"tags": [tag, f"n{number}"], "note": f"Ähre {number}"}, "n": number}
        made.append(submitted(api, item(f"{tag}/{number}.svs"), custom_metadata=custom))

    def found(**query: Any) -> list[int]:
        answer = api.get("/runs", params={"custom_metadata": f'$.sdk.tags[*] ? (@ == "{tag}")', **query})
        assert answer.status_code == 200, answer.text
        return [made.index(run["run_id"]) for run in answer.json()]

    newest = [5, 4, 3, 2, 1, 0]
    assert found() == found(sort="-submitted_at") == newest
    assert found(sort="submitted_at") == newest[::-1]
    assert found(sort=["application_id", "-submitted_at"]) == found(sort="application_id,-submitted_at") == newest
    assert (found(page_size=5), found(page_size=5, page=2), found(page_size=5, page=3)) == (newest[:5], newest[5:], [])
    assert found(page=10**25) == []
    assert found(application_id="test-app", application_version="0.1.0") == newest
    assert found(application_id="he-tme") == found(application_version="9.9.9") == []
    assert found(external_id=f"{tag}/3.svs") == [3]
    assert found(submitted_by="local|user", organization_id="local", for_organization="local") == newest
    assert found(submitted_by="local|nobody") == found(organization_id="nowhere") == []
    for path, expected in (
        ('$.sdk.tags[*] ? (@ == "n1" || @ == "n4")', {1, 4}),
        ('$.sdk.tags ? (@ like_regex "^N[12]$" flag "i")', {1, 2}),
        ('$.sdk.tags ? (@ like_regex "^N[12]$")', set()),
        ('$.sdk.note ? (@ like_regex "ähre [35]" flag "i")', {3, 5}),
        ('$.sdk.note ? (@ == "Ähre 2")', {2}),
        ("$.n ? (@ == 5)", {5}),
        ('$."sdk"."note" ? (@ == "Ähre 0")', {0}),
    ):
        listed = api.get("/runs", params={"custom_metadata": path, "page_size": 100}).json()
        assert {made.index(run["run_id"]) for run in listed if run["run_id"] in made} == expected, path
    for wrong in (
        "x" * 1001,
        "nope(",
        "$.a ? (@ <> 1)",
        '$.a ? (@ == "x" ||)',
        '$.a ? (@ like_regex "(")',
        '$.a ? (@ like_regex "(a+)+$")',
        '$.a ? (@ like_regex "(a|aa)*$")',
    ):
        answer = api.get("/runs", params={"custom_metadata": wrong})
        assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["query", "custom_metadata"]), wrong


def test_items_are_filtered_sorted_and_paged(api: httpx.Client) -> None:
    names = [f"{number}/slide.svs" for number in range(7)]
    items = [item(name) | {"custom_metadata": {"sdk": {"tags": [name[0]]}}} for name in names]
    run_id = submitted(api, *items)
    assert api.post(f"/runs/{run_id}/cancel").status_code == 202
    everything = api.get(f"/runs/{run_id}/items").json()
    ids = {entry["external_id"]: entry["item_id"] for entry in everything}

    def found(**query: Any) -> list[int]:
        answer = api.get(f"/runs/{run_id}/items", params=query)
        assert answer.status_code == 200, answer.text
        return [names.index(entry["external_id"]) for entry in answer.json()]

    assert found() == list(range(7))
    assert found(external_id__in=[names[1], names[5]]) == [1, 5]  # repeated
    assert found(item_id__in=[ids[names[2]], ids[names[3]]], external_id__in=names[3]) == [3]
    assert found(state="TERMINATED") == list(range(7))
    skipped = [number for number, entry in enumerate(everything) if entry["termination_reason"] == "SKIPPED"]
    assert found(state="TERMINATED", termination_reason="SKIPPED") == skipped
    assert skipped
    assert skipped == list(range(skipped[0], 7))
    assert found(state="PENDING") == found(termination_reason="SUCCEEDED") == []
    assert found(custom_metadata='$.sdk.tags[*] ? (@ == "4")') == [4]
    assert found(sort="-external_id") == list(range(7))[::-1]
    assert (found(page_size=5, page=2), found(page_size=5, page=3)) == ([5, 6], [])
    for wrong in (
        {"state": "LOST"},
        {"termination_reason": "BOREDOM"},
        {"item_id__in": "x"},
        {"sort": "download_url"},
        {"page_size": 101},
    ):
        assert api.get(f"/runs/{run_id}/items", params=wrong).status_code == 422, wrong
    for entry in everything:
        assert entry["output"] == "NONE"
        assert entry["queue_position_platform"] is None
        assert {artifact["output"] for artifact in entry["output_artifacts"]} == {"NONE"}


def test_an_items_external_id_may_hold_anything_in_the_path(api: httpx.Client, finished: str) -> None:
    encoded = quote(EXTERNAL, safe="")
    assert "%2F" in encoded
    one = api.get(f"/runs/{finished}/items/{encoded}").json()
    assert (one["external_id"], one["state"], one["output"]) == (EXTERNAL, "TERMINATED", "FULL")
    assert one["input_artifacts"][0]["download_url"].startswith("http")
    assert api.get(f"/runs/{finished}/items").json() == [one]
    assert api.get(f"/runs/{finished}/items/{encoded}x").status_code == 404
    assert api.get(f"/runs/{uuid.uuid4()}/items/{encoded}").status_code == 404


def test_an_artifacts_file_is_a_redirect_to_an_address_that_needs_no_token(api: httpx.Client, finished: str) -> None:
    from launchpad.bucket.crc32c import Crc32c

    (entry,) = api.get(f"/runs/{finished}/items").json()
    assert len(entry["output_artifacts"]) == 5
    for artifact in entry["output_artifacts"]:
        assert artifact["output"] == "AVAILABLE"
        answer = api.get(f"/runs/{finished}/artifacts/{artifact['output_artifact_id']}/file")
        assert answer.status_code == 307
        where = answer.headers["location"]
        (life,) = [values[0] for name, values in parse_qs(urlsplit(where).query).items() if name.endswith("-Expires")]
        assert int(life) <= 900
        content = httpx.get(where, trust_env=False)
        assert content.status_code == 200
        assert int(content.headers["content-length"]) == len(content.content) > 0
        checksum = Crc32c()
        checksum.update(content.content)
        assert artifact["metadata"]["checksum_base64_crc32c"] == checksum.base64()
        assert artifact["metadata"]["media_type"]
    assert api.get(f"/runs/{finished}/artifacts/{uuid.uuid4()}/file").status_code == 404
    assert api.get(f"/runs/{uuid.uuid4()}/artifacts/{artifact['output_artifact_id']}/file").status_code == 404


def test_cancelling_answers_202_then_409_and_deleting_works_afterwards_only(
    platform_endpoint: Any, api: httpx.Client, sample_svs: Path
) -> None:
    url, metadata = uploaded(platform_endpoint, api, sample_svs)
    run_id = submitted(api, *(item(f"{number}.svs", url, **metadata) for number in range(20)))
    early = api.delete(f"/runs/{run_id}/artifacts")
    assert (early.status_code, early.json()["detail"][0]["loc"]) == (422, ["path", "run_id"])
    run = api.get(f"/runs/{run_id}").json()
    assert run["num_preceding_items_org"] == run["num_preceding_items_platform"] == 0
    waiting = api.get(f"/runs/{run_id}/items", params={"state": "PENDING", "page_size": 5}).json()
    places = [entry["queue_position_platform"] for entry in waiting]
    assert places == list(range(places[0], places[0] + 5))
    assert places == [entry["queue_position_org"] for entry in waiting]
    behind = submitted(api, item("behind.svs"))
    assert api.get(f"/runs/{behind}").json()["num_preceding_items_platform"] >= 5
    assert api.post(f"/runs/{run_id}/cancel").status_code == 202
    run = ended(api, run_id)
    assert run["termination_reason"] == "CANCELED_BY_USER"
    assert run["statistics"]["item_skipped_count"] + run["statistics"]["item_succeeded_count"] == 20
    assert api.post(f"/runs/{run_id}/cancel").status_code == 409
    assert api.delete(f"/runs/{run_id}/artifacts").status_code == 200


@pytest.mark.parametrize("kind", ["run", "item"])
def test_custom_metadata_are_guarded_by_their_checksum(api: httpx.Client, kind: str) -> None:
    run_id = submitted(api, item("folder/x.svs"))
    own = f"/runs/{run_id}" if kind == "run" else f"/runs/{run_id}/items/folder%2Fx.svs"
    path = f"{own}/custom-metadata"
    assert api.get(own).json()["custom_metadata_checksum"] is None
    first = api.put(path, json={"custom_metadata": {"a": {"b": [1, None, "ü"]}}})
    assert (first.status_code, list(first.json())) == (200, ["custom_metadata_checksum"])
    checksum = first.json()["custom_metadata_checksum"]
    assert api.get(own).json()["custom_metadata_checksum"] == checksum
    changed = {"custom_metadata": {"a": 2}, "custom_metadata_checksum": "stale"}
    assert api.put(path, json=changed).status_code == 412
    assert api.get(own).json()["custom_metadata"] == {"a": {"b": [1, None, "ü"]}}
    assert api.put(path, json=changed | {"custom_metadata_checksum": checksum}).status_code == 200
    assert api.put(path, json=changed | {"custom_metadata_checksum": checksum}).status_code == 412
    assert api.put(path, json={"custom_metadata": None}).json() == {"custom_metadata_checksum": None}
    assert api.get(own).json()["custom_metadata"] is None
    assert api.put(path, json={"custom_metadata": [1]}).status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff",
        b'{"custom_metadata": {"a": NaN}}',
        b'{"custom_metadata": {"a": -Infinity}}',
        b'{"custom_metadata": {"a": 1e999}}',
        b'{"custom_metadata": {"a": "\\ud800"}}',
        b'{"custom_metadata": {"\\udfff": 1}}',
        b'{"custom_metadata": {"a": ' + b"9" * 5000 + b"}}",
        b"",
    ],
)
def test_a_body_that_could_not_be_kept_or_answered_is_refused(api: httpx.Client, finished: str, body: bytes) -> None:
    before = api.get(f"/runs/{finished}").json()
    answer = api.put(f"/runs/{finished}/custom-metadata", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"][0] == "body"
    assert api.get(f"/runs/{finished}").json() == before


@pytest.mark.parametrize("depth", [64, 100_000])
def test_a_body_that_is_too_deep_is_refused(api: httpx.Client, finished: str, depth: int) -> None:
    body = b'{"custom_metadata": {"a": ' + b"[" * depth + b"]" * depth + b"}}"
    answer = api.put(f"/runs/{finished}/custom-metadata", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert "levels" in answer.json()["detail"]


def test_a_body_beyond_the_limit_is_refused_whether_or_not_its_length_was_said(api: httpx.Client) -> None:
    block = b" " * (1 << 20)
    for content in (block * 65, (block for _ in range(65))):
        answer = api.post("/runs", content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code == 413
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_method_that_a_path_lacks_is_refused_with_those_it_has(api: httpx.Client) -> None:
    for method, path, allowed in (
        ("DELETE", "/runs", "GET, POST"),
        ("PUT", "/access/grants/x", "DELETE, GET"),
        ("POST", "/me", "GET"),
    ):
        answer = api.request(method, path)
        assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
        assert answer.headers["content-type"] == "application/problem+json"
    assert api.get("/nothing").status_code == api.get("/runs/").status_code == 404


def test_deleted_artifacts_say_so_and_are_gone(api: httpx.Client, finished: str) -> None:
    """The last test of the module, since it deletes what the others read."""
    (entry,) = api.get(f"/runs/{finished}/items").json()
    file = f"/runs/{finished}/artifacts/{entry['output_artifacts'][0]['output_artifact_id']}/file"
    where = api.get(file).headers["location"]
    assert api.delete(f"/runs/{finished}/artifacts").status_code == 200
    (entry,) = api.get(f"/runs/{finished}/items").json()
    assert {artifact["output"] for artifact in entry["output_artifacts"]} == {"DELETED_BY_USER"}
    assert entry["termination_reason"] == "SUCCEEDED"
    assert api.get(file).status_code == 410
    assert httpx.get(where, trust_env=False).status_code == 404
    assert api.delete(f"/runs/{finished}/artifacts").status_code == 200  # once more changes nothing
