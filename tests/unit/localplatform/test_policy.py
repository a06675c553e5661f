"""Who may do what: every operation for everybody who can stand to a run in some way."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from platform_callers import caller, ended, item, submitted, uploaded

OWNER, CO_OWNER, EDITOR, VIEWER = "local|owner", "local|co-owner", "local|editor", "local|viewer"
PEOPLE = ("owner", "co_owner", "editor", "viewer", "colleague", "admin", "holder", "stranger", "strange_admin")


def row(*codes: int) -> dict[str, int]:
    """The answers to owner, co-owner, editor, whoever may view, and whoever may not."""
    owner, co_owner, editor, view, nothing = codes
    viewers = dict.fromkeys(("viewer", "colleague", "admin", "holder"), view)
    strangers = dict.fromkeys(("stranger", "strange_admin"), nothing)
    return {"owner": owner, "co_owner": co_owner, "editor": editor, **viewers, **strangers}


# Where a share token does not count, who has nothing but one is a stranger.
NO_TOKEN = {"holder": 404}
ROWS: dict[str, dict[str, int]] = {
    "list_applications": row(200, 200, 200, 200, 200),
    "read_application_by_id": row(200, 200, 200, 200, 200),
    "application_version_details": row(200, 200, 200, 200, 200),
    "list_version_documents": row(200, 200, 200, 200, 200),
    "get_version_document": row(200, 200, 200, 200, 200),
    "get_version_document_file": row(307, 307, 307, 307, 307),
    "get_version_document_content": row(307, 307, 307, 307, 307),
    "get_me": row(200, 200, 200, 200, 200),
    "create_run": row(422, 422, 422, 422, 422),  # nobody is refused; the empty body is
    "list_runs": row(200, 200, 200, 200, 200),  # of what one may see: a test of its own
    "get_run": row(200, 200, 200, 200, 404),
    "list_run_items": row(200, 200, 200, 200, 404),
    "get_item_by_run": row(200, 200, 200, 200, 404),
    "get_artifact_url": row(307, 307, 307, 307, 404),
    "put_run_custom_metadata": row(200, 200, 200, 403, 404) | NO_TOKEN,
    "put_item_custom_metadata_by_run": row(200, 200, 200, 403, 404) | NO_TOKEN,
    "cancel_run": row(409, 409, 409, 403, 404) | NO_TOKEN,  # it has ended: who may cancel is told so
    "create_grant": row(201, 201, 403, 403, 404) | NO_TOKEN,
    "list_grants": row(200, 200, 200, 200, 200),  # of one's own: a test of its own
    "get_grant": row(200, 404, 404, 404, 404),
    "create_share_token": row(201, 201, 201, 201, 201),
    "list_share_tokens": row(200, 200, 200, 200, 200),
    "get_share_token": row(200, 404, 404, 404, 404),
    "revoke_share_token": row(409, 404, 404, 404, 404),  # one that was revoked before
    "revoke_grant": row(409, 404, 404, 404, 404),
    "delete_run_items": row(200, 200, 404, 404, 404),  # the last row, since it deletes; the owner comes after all
}

# Outside of the contract; what an administrator of the platform may see is told to nobody else.
ADMINISTRATION: dict[str, tuple[str, int, int]] = {
    "quota_me": ("/admin/v1/quota/me", 200, 200),
    "usage": ("/admin/v1/usage", 403, 200),
}


@dataclass(frozen=True)
class Scene:
    """A run with results, whom it is shared with, and their clients."""

    people: dict[str, httpx.Client]
    run_id: str
    item_id: str
    artifact_id: str
    grant_id: str
    revoked_grant: str
    share_token_id: str
    revoked_token: str
    secret: str
    external_id: str = "folder/a b.svs"

    def call(self, name: str, who: str) -> httpx.Response:
        """Do an operation as somebody."""
        run, external = f"/runs/{self.run_id}", quote(self.external_id, safe="")
        version = "/applications/test-app/versions/0.1.0"
        grant = {"resource_type": "run", "resource_id": self.run_id, "relation": "viewer"}
        grant |= {"subject_type": "user", "subject_id": "local|somebody"}
        method, path, body = {
            "list_applications": ("GET", "/applications", None),
            "read_application_by_id": ("GET", "/applications/test-app", None),
            "application_version_details": ("GET", version, None),
            "list_version_documents": ("GET", f"{version}/documents", None),
            "get_version_document": ("GET", f"{version}/documents/outputs.md", None),
            "get_version_document_file": ("GET", f"{version}/documents/outputs.md/file", None),
            "get_version_document_content": ("GET", f"{version}/documents/outputs.md/content", None),
            "get_me": ("GET", "/me", None),
            "create_run": ("POST", "/runs", {}),
            "list_runs": ("GET", "/runs", None),
            "get_run": ("GET", run, None),
            "list_run_items": ("GET", f"{run}/items", None),
            "get_item_by_run": ("GET", f"{run}/items/{external}", None),
            "get_artifact_url": ("GET", f"{run}/artifacts/{self.artifact_id}/file", None),
            "put_run_custom_metadata": ("PUT", f"{run}/custom-metadata", {"custom_metadata": {}}),
            "put_item_custom_metadata_by_run": (
                "PUT",
                f"{run}/items/{external}/custom-metadata",
                {"custom_metadata": {}},
            ),
            "cancel_run": ("POST", f"{run}/cancel", None),
            "create_grant": ("POST", "/access/grants", grant),
            "list_grants": ("GET", "/access/grants", None),
            "get_grant": ("GET", f"/access/grants/{self.grant_id}", None),
            "create_share_token": ("POST", "/access/share-tokens", {}),
            "list_share_tokens": ("GET", "/access/share-tokens", None),
            "get_share_token": ("GET", f"/access/share-tokens/{self.share_token_id}", None),
            "revoke_share_token": ("DELETE", f"/access/share-tokens/{self.revoked_token}", None),
            "revoke_grant": ("DELETE", f"/access/grants/{self.revoked_grant}", None),
            "delete_run_items": ("DELETE", f"{run}/artifacts", None),
        }[name]
        query = {"share_token": self.secret} if who == "holder" else {}
        return self.people[who].request(method, path, json=body, params=query)


@pytest.fixture(scope="module")
def scene(platform_endpoint: Any, sample_svs: Path) -> Iterator[Scene]:
    people = {
        "owner": caller(platform_endpoint, OWNER),
        "co_owner": caller(platform_endpoint, CO_OWNER),
        "editor": caller(platform_endpoint, EDITOR),
        "viewer": caller(platform_endpoint, VIEWER),
        "colleague": caller(platform_endpoint, "lab|colleague", "lab"),
        "admin": caller(platform_endpoint, "clinic|admin", "clinic", "admin"),
        "holder": caller(platform_endpoint, "elsewhere|holder", "elsewhere"),
        "stranger": caller(platform_endpoint, "clinic|stranger", "clinic"),  # where only the administrator may
        "strange_admin": caller(platform_endpoint, "local|admin", "local", "admin"),  # a role alone opens nothing
        "nobody": caller(platform_endpoint),
    }
    owner = people["owner"]
    url, metadata = uploaded(platform_endpoint, owner, sample_svs)
    run_id = submitted(owner, item("folder/a b.svs", url, **metadata))
    assert ended(owner, run_id)["statistics"]["item_succeeded_count"] == 1
    found = owner.get(f"/runs/{run_id}/items").json()[0]
    tokens = [owner.post("/access/share-tokens", json={}).json() for _ in range(2)]

    def grant(subject_type: str, subject_id: str, relation: str = "viewer") -> str:
        return share(owner, run_id, subject_type, subject_id, relation).json()["grant_id"]

    grant("user", CO_OWNER, "owner")
    grant("user", EDITOR, "editor")
    shown = grant("user", VIEWER)
    grant("organization_user", "lab")
    grant("organization_admin", "clinic")
    grant("share_token", tokens[0]["share_token_id"])
    revoked = grant("user", "local|nobody any more")
    assert owner.delete(f"/access/grants/{revoked}").json()["revoked"] is True
    assert owner.delete(f"/access/share-tokens/{tokens[1]['share_token_id']}").json()["revoked"] is True
    yield Scene(
        people,
        run_id,
        found["item_id"],
        found["output_artifacts"][0]["output_artifact_id"],
        shown,
        revoked,
        tokens[0]["share_token_id"],
        tokens[1]["share_token_id"],
        tokens[0]["share_token"],
    )
    for client in people.values():
        client.close()


def share(
    api: httpx.Client,
    resource_id: str,
    subject_type: str,
    subject_id: str | None,
    relation: str = "viewer",
    **other: str,
) -> httpx.Response:
    body = {"resource_type": "run", "resource_id": resource_id, "subject_type": subject_type, "relation": relation}
    return api.post("/access/grants", json=body | {"subject_id": subject_id} | other)


def test_every_route_has_a_row(tmp_path: Path) -> None:
    """Also those outside of the contract: all that is below /api and /admin."""
    from fastapi.routing import iter_route_contexts

    from launchpad.localplatform import policy
    from launchpad.localplatform.api.app import build
    from launchpad.localplatform.api.context import Context
    from launchpad.localplatform.database.engine import Database
    from launchpad.localplatform.identity.tokens import Identity
    from launchpad.localplatform.layout import Layout
    from launchpad.localplatform.objectstore.storage import Storage, load_keys
    from launchpad.localplatform.settings import PlatformSettings

    layout = Layout(tmp_path)
    layout.prepare()
    database = Database(layout.database)
    identity, storage = Identity(layout.keys, "http://127.0.0.1:1/"), Storage(layout.objects, database)
    keys, settings = load_keys(database), PlatformSettings()
    app = build(Context(database, storage, keys, identity, "http://127.0.0.1:2", int, settings), "secret")
    database.close()
    found = [(str(route.path), str(route.name)) for route in iter_route_contexts(app.routes)]
    guarded = {name for path, name in found if path.startswith(("/api/", "/admin/"))}
    assert guarded == set(policy.OPERATIONS) == {*ROWS, *ADMINISTRATION}
    assert {name for path, name in found if path.startswith("/api/")} == set(ROWS)


@pytest.mark.parametrize("name", ROWS)
def test_a_row_of_the_table(name: str, scene: Scene) -> None:
    assert scene.call(name, "nobody").status_code == 401
    order = [*reversed(PEOPLE)]
    if name == "delete_run_items":
        assert scene.call("get_artifact_url", "owner").status_code == 307
    answers = {who: scene.call(name, who) for who in order}
    assert {who: answer.status_code for who, answer in answers.items()} == {who: ROWS[name][who] for who in order}
    for answer in answers.values():
        if answer.status_code in (403, 404, 409):
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["status"] == answer.status_code
    if name == "delete_run_items":
        assert scene.call("get_artifact_url", "owner").status_code == 410
        assert scene.call("get_artifact_url", "stranger").status_code == 404  # not even that it was there


@pytest.mark.parametrize("name", ADMINISTRATION)
def test_a_row_of_the_administration(name: str, scene: Scene, platform_endpoint: Any) -> None:
    path, member, administrator = ADMINISTRATION[name]
    url = f"{platform_endpoint.api_root}{path}"
    assert scene.people["nobody"].get(url).status_code == 401
    assert scene.people["stranger"].get(url).status_code == member
    assert scene.people["strange_admin"].get(url).status_code == administrator


@pytest.mark.parametrize("who", PEOPLE)
def test_only_who_submitted_a_run_sees_where_its_slides_are(who: str, scene: Scene) -> None:
    listed, one = scene.call("list_run_items", who), scene.call("get_item_by_run", who)
    if who in ("stranger", "strange_admin"):
        assert listed.status_code == one.status_code == 404
        return
    (shown,) = [artifact for entry in listed.json() for artifact in entry["input_artifacts"]]
    assert (shown["download_url"] is not None) == (who == "owner")
    assert one.json() == listed.json()[0]
    assert shown["metadata"]["width_px"] == 2220


@pytest.mark.parametrize("who", PEOPLE)
def test_a_list_shows_the_runs_that_one_may_see(who: str, scene: Scene) -> None:
    listed = scene.people[who].get("/runs").json()
    seen = scene.run_id in [run["run_id"] for run in listed]
    assert seen == (who not in ("holder", "stranger", "strange_admin"))  # a list takes no share token
    mine = scene.people[who].get("/runs", params={"submitted_by": OWNER}).json()
    assert [run["run_id"] for run in mine] == ([scene.run_id] if seen else [])


def test_for_organization_is_the_own_organization(scene: Scene) -> None:
    owner, admin = scene.people["owner"], scene.people["admin"]
    assert [run["run_id"] for run in owner.get("/runs", params={"for_organization": "local"}).json()] == [scene.run_id]
    assert admin.get("/runs", params={"for_organization": "clinic"}).json() == []
    refused = admin.get("/runs", params={"for_organization": "local"})
    assert (refused.status_code, refused.json()["status"]) == (404, 404)


def test_an_item_or_an_artifact_is_shared_by_itself(scene: Scene, platform_endpoint: Any) -> None:
    owner = scene.people["owner"]
    item_path = f"/runs/{scene.run_id}/items/{quote(scene.external_id, safe='')}"
    file_path = f"/runs/{scene.run_id}/artifacts/{scene.artifact_id}/file"
    with caller(platform_endpoint, "local|item") as one, caller(platform_endpoint, "local|artifact") as other:
        for client, kind, resource in (
            (one, "item", scene.item_id),
            (other, "output_artifact", scene.artifact_id),
        ):
            user = "local|item" if client is one else "local|artifact"
            assert client.get(item_path).status_code == 404
            assert share(owner, resource, "user", user, resource_type=kind).status_code == 201
            assert client.get(f"/runs/{scene.run_id}").status_code == 404
            assert client.get(f"/runs/{scene.run_id}/items").status_code == 404
        assert one.get(item_path).json()["input_artifacts"][0]["download_url"] is None
        assert other.get(item_path).status_code == 404
        expected = owner.get(file_path).status_code  # 410 once the last row has deleted it
        assert one.get(file_path).status_code == other.get(file_path).status_code == expected


def test_grants(scene: Scene) -> None:
    owner, viewer = scene.people["owner"], scene.people["viewer"]
    run_id = submitted(owner, item("b.svs"))
    first = share(owner, run_id, "user", VIEWER)
    assert first.status_code == 201
    assert share(owner, run_id, "user", VIEWER).json() == first.json()  # the same again is the same grant
    assert viewer.get(f"/runs/{run_id}").status_code == 200
    own = share(owner, run_id, "organization_user", None).json()
    assert own["subject_id"] == "local"  # one's own organization where none is named
    query: dict[str, Any] = {"resource_type": "run", "resource_id": run_id}
    assert [grant["grant_id"] for grant in owner.get("/access/grants", params=query).json()] == [
        own["grant_id"],
        first.json()["grant_id"],
    ]
    for extra, found in (
        ({"subject_type": "user"}, 1),
        ({"subject_id": VIEWER}, 1),
        ({"relation": ["viewer", "editor"]}, 2),
        ({"relation": "owner"}, 0),
        ({"revoked": True}, 0),
        ({"sort": "created_at"}, 2),
        ({"page": 2}, 0),
    ):
        assert len(owner.get("/access/grants", params=query | extra).json()) == found, extra
    assert viewer.get("/access/grants", params=query).json() == []
    assert owner.delete(f"/access/grants/{first.json()['grant_id']}").json()["revoked"] is True
    assert owner.delete(f"/access/grants/{own['grant_id']}").json()["revoked"] is True
    assert viewer.get(f"/runs/{run_id}").status_code == 404
    again = owner.delete(f"/access/grants/{own['grant_id']}")
    assert (again.status_code, again.json()["status"]) == (409, 409)
    assert len(owner.get("/access/grants", params=query | {"revoked": True}).json()) == 2
    assert share(owner, str(uuid.uuid4()), "user", VIEWER).status_code == 404
    assert share(owner, run_id, "user", VIEWER, resource_type="item").status_code == 404  # there is no such item


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"subject_type": "everybody"}, "subject_type"),
        ({"relation": "king"}, "relation"),
        ({"resource_type": "bucket"}, "resource_type"),
        ({"resource_type": "share_token"}, "resource_type"),
        ({"resource_id": "x"}, "resource_id"),
        ({"subject_id": None}, "subject_id"),
        ({"subject_email": "a@example.org"}, "subject_email"),
        ({"subject_id": None, "subject_email": "nobody@example.org"}, "subject_email"),
        ({"subject_type": "share_token", "subject_id": "00000000-0000-0000-0000-000000000000"}, "subject_id"),
    ],
)
def test_a_grant_that_makes_no_sense_is_refused_with_its_place(
    change: dict[str, Any], place: str, scene: Scene
) -> None:
    body = {"resource_type": "run", "resource_id": scene.run_id, "subject_type": "user", "relation": "viewer"}
    answer = scene.people["owner"].post("/access/grants", json=body | {"subject_id": VIEWER} | change)
    assert answer.status_code == 422
    assert [problem["loc"] for problem in answer.json()["detail"]] == [["body", place]]


def test_a_share_token_opens_what_is_granted_to_it_until_it_is_revoked(scene: Scene) -> None:
    owner, holder = scene.people["owner"], scene.people["holder"]
    run_id = submitted(owner, item("c.svs"))
    token = owner.post("/access/share-tokens", json={}).json()
    assert len(token["share_token"]) >= 32
    assert token["expires_at"] is None
    opened = {"share_token": token["share_token"]}
    assert holder.get(f"/runs/{run_id}", params=opened).status_code == 404  # nothing is granted to it yet
    assert share(owner, run_id, "share_token", token["share_token_id"], "editor").status_code == 422
    assert share(owner, run_id, "share_token", token["share_token_id"]).status_code == 201
    assert holder.get(f"/runs/{run_id}", params=opened).status_code == 200
    assert holder.get(f"/runs/{run_id}").status_code == 404
    assert holder.get(f"/runs/{run_id}", params={"share_token": token["share_token"][:-1]}).status_code == 404
    assert scene.people["nobody"].get(f"/runs/{run_id}", params=opened).status_code == 401
    # The secret was shown once.
    listed = owner.get("/access/share-tokens", params={"run_id": run_id})
    assert [entry["share_token_id"] for entry in listed.json()] == [token["share_token_id"]]
    one = owner.get(f"/access/share-tokens/{token['share_token_id']}")
    assert token["share_token"] not in listed.text + one.text
    assert share(scene.people["editor"], run_id, "share_token", token["share_token_id"]).status_code == 404
    assert owner.delete(f"/access/share-tokens/{token['share_token_id']}").json()["revoked"] is True
    assert holder.get(f"/runs/{run_id}", params=opened).status_code == 404
    listed = owner.get("/access/share-tokens", params={"run_id": run_id, "revoked": False})
    assert listed.json() == []


def test_a_share_token_ends_by_itself(scene: Scene) -> None:
    owner, holder = scene.people["owner"], scene.people["holder"]
    soon = datetime.now(UTC) + timedelta(seconds=1)
    token = owner.post("/access/share-tokens", json={"expires_at": soon.isoformat()}).json()
    assert datetime.fromisoformat(token["expires_at"]) == soon
    run_id = submitted(owner, item("d.svs"))
    assert share(owner, run_id, "share_token", token["share_token_id"]).status_code == 201
    while datetime.now(UTC) < soon:
        holder.get("/me")
    assert holder.get(f"/runs/{run_id}", params={"share_token": token["share_token"]}).status_code == 404
    for wrong in (
        "2020-01-01T00:00:00Z",
        "2999-01-01T00:00:00",
        "tomorrow",
        4_000_000_000,
        "9999-12-31T23:59:59-14:00",
    ):
        answer = owner.post("/access/share-tokens", json={"expires_at": wrong})
        assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", "expires_at"]), wrong
