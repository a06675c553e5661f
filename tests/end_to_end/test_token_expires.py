"""A sign-in whose token ends in the middle of an upload: the run is submitted all the same."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from launchpad.application.columns import columns, input_artifact
from launchpad.application.draft import SubmissionDraft
from launchpad.application.prepare import prepare
from launchpad.application.send import upload_and_submit
from launchpad.application.submit import open_bucket
from launchpad.localplatform.identity import tokens as issued
from launchpad.localplatform.layout import Layout
from launchpad.platform.auth.oauth import SignInNeeded
from launchpad.platform.auth.profiles import Profile
from launchpad.platform.auth.sign_in import by_device, device_code, sign_out
from launchpad.platform.auth.store import TokenStore
from launchpad.platform.client import Client
from launchpad.wsi.isolation import SlideService
from remote_platform import remote

LIVES = 2  # seconds
SECONDS = 4.0  # that the upload takes at least


@pytest.fixture
def lab(platform_endpoint: Any) -> Iterator[Profile]:
    profile = remote(platform_endpoint)
    code = device_code(profile)
    secret = {"X-Launchpad-Launch-Secret": platform_endpoint.launch_secret}
    httpx.post(code.address, data={"user_code": code.user_code}, headers=secret, trust_env=False).raise_for_status()
    by_device(profile, replace(code, interval=0.0))
    yield profile
    sign_out(profile)


def short_token(profile: Profile, data: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A token of the platform's own key that ends in a moment, in place of the stored one, which we think is young."""
    store = TokenStore(profile)
    stored = store.read()
    assert stored is not None
    with monkeypatch.context() as patch:
        patch.setattr(issued, "LIFE", LIVES)
        identity = issued.Identity(Layout(data / "platform").keys, profile.issuer)
        token = identity.issue(client_id=profile.client_id)
    store.write(replace(stored, access_token=token, issued_at=time.time(), expires_at=time.time() + 3600))
    return token


def a_draft(client: Client, slide: Path) -> tuple[SubmissionDraft, Any]:
    version = client.application_version("test-app")
    fields = columns(input_artifact(version).metadata_schema)
    with SlideService() as slides:
        prepared = prepare([slide], version, service=slides)
    return SubmissionDraft(
        "test-app", version=version.version_number, columns=fields, slides=list(prepared.slides)
    ), version


def test_a_run_is_submitted_with_a_token_that_expires_during_the_upload(
    lab: Profile, module_data_dir: Path, sample_svs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAUNCHPAD_UPLOAD_BYTES_PER_SECOND", str(sample_svs.stat().st_size / SECONDS))
    with Client(profile=lab) as first:
        draft, version = a_draft(first, sample_svs)
    token = short_token(lab, module_data_dir, monkeypatch)
    before = TokenStore(lab).read()
    with Client(profile=lab) as client:
        bucket = open_bucket(client)
        try:
            assert client.token() == token
            begun = time.monotonic()
            sent = upload_and_submit(draft, version, client, bucket, interface="script")
            assert time.monotonic() - begun > LIVES
        finally:
            bucket.close()
        refused = httpx.get(f"{lab.api_root}/api/v1/me", headers={"Authorization": f"Bearer {token}"}, trust_env=False)
        assert refused.status_code == 401, "the token has really ended"
        after = TokenStore(lab).read()
        assert before is not None
        assert after is not None
        assert (after.access_token, after.refresh_token) != (before.access_token, before.refresh_token)
        run = client.run(sent.run_id).details()
        assert run.custom_metadata is not None
        assert run.custom_metadata["launchpad"]["submission_id"] == draft.submission_id
        client.run(sent.run_id).cancel()


def test_a_sign_in_that_ends_during_the_upload_keeps_what_was_sent(
    lab: Profile, module_data_dir: Path, sample_svs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can refresh any more: the person signs in again, and nothing is sent twice."""
    another = tmp_path / "another.svs"
    another.write_bytes(sample_svs.read_bytes() + b"another")
    with Client(profile=lab) as first:
        draft, version = a_draft(first, another)
    monkeypatch.setenv("LAUNCHPAD_UPLOAD_BYTES_PER_SECOND", str(sample_svs.stat().st_size / SECONDS))
    short_token(lab, module_data_dir, monkeypatch)
    store = TokenStore(lab)
    stored = store.read()
    assert stored is not None
    store.write(replace(stored, refresh_token="revoked meanwhile"))
    with Client(profile=lab) as client:
        bucket = open_bucket(client)
        try:
            with pytest.raises(SignInNeeded, match="has ended"):
                upload_and_submit(draft, version, client, bucket, interface="script")
            store.write(replace(stored, access_token="", expires_at=0.0))  # the person signed in again
            begun = time.monotonic()
            sent = upload_and_submit(draft, version, client, bucket, interface="script")
            assert time.monotonic() - begun < SECONDS, "it was sent a second time"
        finally:
            bucket.close()
        client.run(sent.run_id).cancel()
