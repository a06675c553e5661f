"""A bucket of Google Cloud Storage, judged by an emulator of it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from gcp_storage_emulator.server import create_server

from launchpad.bucket.crc32c import crc32c_file
from launchpad.bucket.google_bucket import GoogleBucket
from launchpad.bucket.objects import find, older_than
from launchpad.errors import BadInput, LaunchpadError, SettingsError
from launchpad.progress import Progress

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[GoogleBucket]:
    server = create_server("127.0.0.1", 0, in_memory=True, default_bucket="lab")
    server.start()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{server._api._httpd.server_port}")
    made = GoogleBucket("lab")
    yield made
    made.close()
    server.stop()


def test_objects_go_round(bucket: GoogleBucket, tmp_path: Path) -> None:
    path = tmp_path / "slide ä #1.svs"
    path.write_bytes(os.urandom(3_000_000))
    crc32c = crc32c_file(path)
    progress = Progress()
    receipt = bucket.put(path, "set/slide ä #1.svs", progress, expected=crc32c)
    assert (receipt.size, receipt.crc32c, receipt.already_there) == (3_000_000, crc32c, False)
    assert progress.latest == (3_000_000, 3_000_000, path.name)
    assert bucket.put(path, "set/slide ä #1.svs", expected=crc32c).already_there
    info = bucket.head("set/slide ä #1.svs")
    assert info is not None
    assert (info.size, info.crc32c) == (3_000_000, crc32c)
    assert bucket.head("none") is None
    small = tmp_path / "a.txt"
    small.write_bytes(b"abc")
    bucket.put(small, "other/a.txt")
    assert [item.key for item in bucket.list()] == ["other/a.txt", "set/slide ä #1.svs"]
    assert [item.key for item in bucket.list("set/")] == ["set/slide ä #1.svs"]
    assert [item.key for item in find(bucket, [r"\.txt$"])] == ["other/a.txt"]
    assert older_than(bucket.list(), datetime.now(UTC) - timedelta(days=1)) == []
    assert len(older_than(bucket.list(), datetime.now(UTC) + timedelta(days=1))) == 2
    assert bucket.delete(["other/a.txt", "none", "set/slide ä #1.svs"]) == 2
    assert list(bucket.list()) == []


def test_a_file_that_changed_is_refused(bucket: GoogleBucket, tmp_path: Path) -> None:
    path = tmp_path / "a.svs"
    path.write_bytes(b"one")
    crc32c = crc32c_file(path)
    path.write_bytes(b"two")
    with pytest.raises(BadInput, match="changed") as caught:
        bucket.put(path, "a.svs", expected=crc32c)
    assert caught.value.subject == str(path)
    assert bucket.head("a.svs") is None


def test_what_is_missing_is_named(bucket: GoogleBucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LaunchpadError) as caught:
        bucket.put(tmp_path / "gone.svs", "x")
    assert caught.value.subject == str(tmp_path / "gone.svs")
    with pytest.raises(SettingsError, match="cannot sign"):
        bucket.signed_url("x", 60)
    file = tmp_path / "account.json"
    file.write_text(json.dumps({"type": "service_account"}))
    with pytest.raises(SettingsError, match="no Google credentials") as refused:
        GoogleBucket("lab", service_account_file=file)
    assert refused.value.subject == str(file)


def test_a_service_account_signs_urls(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = tmp_path / "account.json"
    account = {
        "type": "service_account",
        "project_id": "p",
        "private_key": key.decode(),
        "client_email": "a@p.iam.gserviceaccount.com",
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    file.write_text(json.dumps(account))
    bucket = GoogleBucket("lab", service_account_file=file)
    url = bucket.signed_url("a slide.svs", 3600)
    bucket.close()
    assert url.startswith("https://storage.googleapis.com/lab/a%20slide.svs?")
    assert "X-Goog-Expires=3600" in url


def test_signed_urls_of_objects_of_ones_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    from launchpad import platform

    for wrong in ("https://host/a", "gs://bucket", "gs:///key", "gs://"):
        with pytest.raises(BadInput, match="not the address"):
            platform.generate_signed_url(wrong)
    with pytest.raises(BadInput, match="604800"):
        platform.generate_signed_url("gs://lab/slide.svs", 604_801)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    account = tmp_path / "account.json"
    account.write_text(
        json.dumps(
            {
                "type": "service_account",
                "project_id": "lab",
                "client_email": "launchpad@lab.iam.gserviceaccount.com",
                "token_uri": "https://oauth2.googleapis.com/token",
                "private_key_id": "1",
                "private_key": key.private_bytes(
                    Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
                ).decode(),
            }
        )
    )
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(account))
    url = platform.generate_signed_url("gs://lab/folder/slide ä.svs", 60)
    assert url.startswith("https://storage.googleapis.com/lab/folder/slide%20%C3%A4.svs?")
    assert "X-Goog-Expires=60" in url
    assert "launchpad%40lab.iam.gserviceaccount.com" in url
