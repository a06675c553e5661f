"""The API of a real platform: what it accepts, refuses and answers."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx
import jwt
import pytest

GOOD = {
    "checksum_base64_crc32c": "AAAAAA==",
    "resolution_mpp": 0.5,
    "width_px": 10,
    "height_px": 20,
    "media_type": "image/tiff",
}


@pytest.fixture(scope="module")
def api(platform_endpoint: Any) -> Iterator[httpx.Client]:
    from launchpad.platform.client import Client

    with Client() as client:
        token = client.token()
    with httpx.Client(
        base_url=platform_endpoint.api_root, headers={"Authorization": f"Bearer {token}"}, trust_env=False
    ) as http:
        yield http


def item(external_id: str = "a.svs", **changes: Any) -> dict[str, Any]:
    artifact = {"name": "whole_slide_image", "download_url": "http://127.0.0.1:9/nothing", "metadata": GOOD} | changes
    return {"external_id": external_id, "input_artifacts": [artifact]}


def submit(api: httpx.Client, *items: dict[str, Any], **changes: Any) -> httpx.Response:
    return api.post("/api/v1/runs", json={"application_id": "test-app", "items": list(items), **changes})


def where(response: httpx.Response) -> list[str]:
    assert response.status_code == 422, response.text
    return [".".join(str(part) for part in problem["loc"]) for problem in response.json()["detail"]]


def test_health_needs_no_token(platform_endpoint: Any) -> None:
    assert httpx.get(f"{platform_endpoint.api_root}/health", trust_env=False).json()["status"] == "UP"


def test_a_strange_host_or_origin_is_refused(platform_endpoint: Any) -> None:
    url = f"{platform_endpoint.api_root}/health"
    assert httpx.get(url, headers={"Host": "evil.example"}, trust_env=False).status_code == 421
    assert httpx.get(url, headers={"Origin": "http://evil.example"}, trust_env=False).status_code == 403


def test_tokens_are_what_existing_clients_check(platform_endpoint: Any, api: httpx.Client) -> None:
    found = api.get("/.well-known/openid-configuration").json()
    assert found["issuer"] == platform_endpoint.issuer == f"{platform_endpoint.api_root}/"
    key = jwt.PyJWKClient(found["jwks_uri"]).get_signing_key_from_jwt(api.headers["Authorization"][7:])
    claims = jwt.decode(
        api.headers["Authorization"][7:],
        key.key,
        algorithms=["RS256"],
        audience=platform_endpoint.audience,
        issuer=platform_endpoint.issuer,
    )
    assert {"iss", "iat", "exp", "aud", "azp", "org_id", "scope", "sub"} <= set(claims)
    assert 10 <= len(platform_endpoint.audience) <= 100


@pytest.mark.parametrize("secret", ["", "wrong"])
def test_without_the_launch_secret_there_is_no_token(platform_endpoint: Any, secret: str) -> None:
    form = {
        "grant_type": "urn:launchpad:launch-secret",
        "client_id": platform_endpoint.client_id,
        "launch_secret": secret,
    }
    answer = httpx.post(f"{platform_endpoint.issuer}oauth/token", data=form, trust_env=False)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_applications(api: httpx.Client) -> None:
    listed = api.get("/api/v1/applications").json()
    assert [entry["application_id"] for entry in listed] == ["he-tme", "test-app"]
    assert all("research use only" in entry["name"] for entry in listed)
    assert api.get("/api/v1/applications", params={"page": 2, "page-size": 5}).json() == []
    version = api.get("/api/v1/applications/he-tme/versions/0.1.0").json()
    assert "cell_classification:geojson_polygons" in [output["name"] for output in version["output_artifacts"]]
    assert api.get("/api/v1/applications/nope").status_code == 404
    assert api.get("/api/v1/applications/he-tme/versions/9.9.9").status_code == 404
    assert where(api.get("/api/v1/applications", params={"page": 0})) == ["query.page"]
    assert where(api.get("/api/v1/applications", params={"sort": "nope"})) == ["query.sort"]


def test_what_is_wrong_with_a_run_is_said_with_its_place(api: httpx.Client) -> None:
    artifact = "body.items.0.input_artifacts.0"
    assert where(submit(api, item(metadata=GOOD | {"resolution_mpp": -1}))) == [f"{artifact}.metadata.resolution_mpp"]
    assert where(submit(api, item(metadata={}))) == [f"{artifact}.metadata"] * 4
    assert where(submit(api, item(download_url="gs://bucket/key"))) == [f"{artifact}.download_url"]
    assert where(submit(api, item(name="other"))) == ["body.items.0.input_artifacts"]
    assert where(submit(api, item(), item())) == ["body.items.1.external_id"]
    assert where(submit(api, item("x" * 256))) == ["body.items.0.external_id"]
    assert where(submit(api)) == ["body.items"]
    past = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    assert where(submit(api, item(), scheduling={"deadline": past})) == ["body.scheduling.deadline"]
    naive = datetime.now().isoformat()  # noqa: DTZ005 - without a zone on purpose
    assert where(submit(api, item(), scheduling={"deadline": naive})) == ["body.scheduling.deadline"]
    assert submit(api, item(), application_id="nope").status_code == 404
    assert submit(api, item(), version_number="9.0.0").status_code == 404
    clinical = submit(api, item(), application_id="he-tme")
    assert where(clinical) == [f"{artifact}.metadata"] * 2  # staining method and specimen


def wait(api: httpx.Client, run_id: str) -> dict[str, Any]:
    import time

    end = time.monotonic() + 60
    while time.monotonic() < end:
        run = api.get(f"/api/v1/runs/{run_id}").json()
        if run["state"] == "TERMINATED":
            return dict(run)
        time.sleep(0.05)
    raise AssertionError("the run did not end")


def test_a_slide_that_cannot_be_fetched_is_a_user_error_and_ends_the_run(api: httpx.Client) -> None:
    tag = uuid.uuid4().hex
    metadata = {"sdk": {"tags": [tag], "note": "Ähm"}, "launchpad": {"submission_id": tag}}
    answer = submit(api, item("folder/a b.svs"), custom_metadata=metadata)
    assert answer.status_code == 201
    run_id = answer.json()["run_id"]
    run = wait(api, run_id)
    assert (run["termination_reason"], run["output"]) == ("ALL_ITEMS_PROCESSED", "NONE")
    assert run["statistics"]["item_user_error_count"] == 1
    one = api.get(f"/api/v1/runs/{run_id}/items/{quote('folder/a b.svs', safe='')}").json()
    assert one["termination_reason"] == "USER_ERROR"
    assert "127.0.0.1:9" in one["error_message"]
    assert api.get(f"/api/v1/runs/{run_id}/items").json() == [one]
    assert api.get(f"/api/v1/runs/{run_id}/items", params={"state": "PENDING"}).json() == []
    file = one["output_artifacts"][0]["output_artifact_id"]
    assert api.get(f"/api/v1/runs/{run_id}/artifacts/{file}/file").status_code == 404
    assert api.post(f"/api/v1/runs/{run_id}/cancel").status_code == 409
    for path, found in (
        (f'$.launchpad.submission_id ? (@ == "{tag}")', 1),
        (f'$.sdk.tags[*] ? (@ == "nope" || @ == "{tag}")', 1),
        ('$.sdk.note ? (@ like_regex "ähm" flag "i")', 1),
        ('$.sdk.note ? (@ like_regex "ähm")', 0),
        ('$.sdk.tags[*] ? (@ == "nope")', 0),
    ):
        listed = api.get("/api/v1/runs", params={"custom_metadata": path}).json()
        assert len([entry for entry in listed if entry["run_id"] == run_id]) == found, path
    assert where(api.get("/api/v1/runs", params={"custom_metadata": "nope("})) == ["query.custom_metadata"]
    assert [run["run_id"] for run in api.get("/api/v1/runs", params={"external_id": "folder/a b.svs"}).json()]


def test_custom_metadata_are_guarded(api: httpx.Client) -> None:
    run_id = submit(api, item("x/y.svs")).json()["run_id"]
    path = f"/api/v1/runs/{run_id}/custom-metadata"
    first = api.put(path, json={"custom_metadata": {"a": 1}}).json()["custom_metadata_checksum"]
    stale = {"custom_metadata": {"a": 2}, "custom_metadata_checksum": "stale"}
    assert api.put(path, json=stale).status_code == 412
    assert api.put(path, json=stale | {"custom_metadata_checksum": first}).status_code == 200
    assert api.get(f"/api/v1/runs/{run_id}").json()["custom_metadata"] == {"a": 2}
    own = f"/api/v1/runs/{run_id}/items/x%2Fy.svs/custom-metadata"
    assert api.put(own, json={"custom_metadata": {"b": 1}}).status_code == 200
    assert api.get(f"/api/v1/runs/{run_id}/items/x%2Fy.svs").json()["custom_metadata"] == {"b": 1}


def test_unknown_and_malformed_ids(api: httpx.Client) -> None:
    assert api.get(f"/api/v1/runs/{uuid.uuid4()}").status_code == 404
    assert where(api.get("/api/v1/runs/nonsense")) == ["path.run_id"]


def test_me_has_what_existing_clients_need(api: httpx.Client) -> None:
    me = api.get("/api/v1/me").json()
    assert me["user"]["id"]
    names = ("id", "aignostics_bucket_hmac_access_key_id", "aignostics_bucket_hmac_secret_access_key")
    assert all(me["organization"][name] for name in (*names, "aignostics_bucket_name", "aignostics_bucket_protocol"))
