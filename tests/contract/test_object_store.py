"""The object store, judged by boto3: signatures, objects, ranges, refusals."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from launchpad.bucket.crc32c import Crc32c, crc32c_file
from launchpad.bucket.xml_bucket import XmlBucket
from launchpad.errors import BadInput

NAMES = ["plain.svs", "a b+c#d%e.svs", "ümlaut/ß (1)~.tiff", "quote'\"s.dcm"]


@pytest.fixture(scope="module")
def organization(platform_endpoint: Any) -> Any:
    from launchpad.platform.client import Client

    with Client() as client:
        return client.me().organization


@pytest.fixture(scope="module")
def s3(platform_endpoint: Any, organization: Any) -> Iterator[Any]:
    client = boto3.client(
        "s3",
        endpoint_url=platform_endpoint.storage_endpoint,
        aws_access_key_id=organization.aignostics_bucket_hmac_access_key_id,
        aws_secret_access_key=organization.aignostics_bucket_hmac_secret_access_key,
        region_name="EUROPE-WEST3",
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            proxies={},
        ),
    )
    yield client
    client.close()


@pytest.fixture
def bucket(platform_endpoint: Any, organization: Any) -> Iterator[XmlBucket]:
    bucket = XmlBucket(
        platform_endpoint.storage_endpoint,
        organization.aignostics_bucket_name,
        organization.aignostics_bucket_hmac_access_key_id,
        organization.aignostics_bucket_hmac_secret_access_key,
    )
    yield bucket
    bucket.close()


@pytest.mark.skipif(shutil.which("rclone") is None, reason="rclone is not installed; `make test` does it")
def test_rclone_copies_checks_and_deletes(platform_endpoint: Any, organization: Any, tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "RCLONE_CONFIG": str(tmp_path / "none.conf"),
        "RCLONE_CONFIG_STORE_TYPE": "s3",
        "RCLONE_CONFIG_STORE_PROVIDER": "Other",
        "RCLONE_CONFIG_STORE_ENDPOINT": platform_endpoint.storage_endpoint,
        "RCLONE_CONFIG_STORE_ACCESS_KEY_ID": organization.aignostics_bucket_hmac_access_key_id,
        "RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY": organization.aignostics_bucket_hmac_secret_access_key,
        "RCLONE_CONFIG_STORE_REGION": "auto",
        "RCLONE_CONFIG_STORE_NO_CHECK_BUCKET": "true",
    }

    def rclone(*arguments: str) -> str:
        done = subprocess.run(
            ["rclone", "--retries", "1", "--s3-chunk-size", "5M", "--s3-upload-cutoff", "6M", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    there, back = tmp_path / "there", tmp_path / "back"
    place = f"store:{organization.aignostics_bucket_name}/rclone"
    for number, name in enumerate([*NAMES, "large.svs", "empty"]):
        (there / name).parent.mkdir(parents=True, exist_ok=True)
        (there / name).write_bytes(os.urandom({"large.svs": 17_000_001, "empty": 0}.get(name, 1000 + number)))
    rclone("copy", str(there), place)
    assert sorted(rclone("lsf", "-R", "--files-only", place).splitlines()) == sorted([*NAMES, "large.svs", "empty"])
    rclone("check", "--download", str(there), place)
    rclone("copy", place, str(back))
    for name in (*NAMES, "large.svs", "empty"):
        assert (back / name).read_bytes() == (there / name).read_bytes(), name
    rclone("moveto", str(back / "large.svs"), f"{place}/moved.svs")
    rclone("delete", place)
    assert rclone("lsf", "-R", "--files-only", place) == ""


@pytest.mark.parametrize("name", NAMES)
def test_objects_go_round(s3: Any, organization: Any, name: str) -> None:
    where = {"Bucket": organization.aignostics_bucket_name, "Key": f"tests/{name}"}
    body = bytes(range(256)) * 9000
    s3.put_object(**where, Body=body)
    assert s3.get_object(**where)["Body"].read() == body
    assert s3.get_object(**where, Range="bytes=10-19")["Body"].read() == body[10:20]
    assert s3.get_object(**where, Range="bytes=-5")["Body"].read() == body[-5:]
    head = s3.head_object(**where)
    checksum = Crc32c()
    checksum.update(body)
    assert head["ContentLength"] == len(body)
    assert head["ResponseMetadata"]["HTTPHeaders"]["x-goog-hash"] == f"crc32c={checksum.base64()}"
    s3.delete_object(**where)
    with pytest.raises(ClientError) as gone:
        s3.get_object(**where)
    assert gone.value.response["Error"]["Code"] == "NoSuchKey"


def test_a_signed_url_opens_and_a_changed_one_does_not(s3: Any, organization: Any) -> None:
    where = {"Bucket": organization.aignostics_bucket_name, "Key": "tests/signed ü.txt"}
    s3.put_object(**where, Body=b"hello")
    url = s3.generate_presigned_url("get_object", Params=where, ExpiresIn=60)
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == b"hello"
    assert httpx.get(url[:-4] + "0000", trust_env=False).status_code == 403
    assert httpx.get(url.split("?")[0], trust_env=False).status_code == 403
    assert httpx.delete(url, trust_env=False).status_code == 403  # the method is signed


def test_an_existing_client_uploads_without_a_length(s3: Any, organization: Any) -> None:
    where = {"Bucket": organization.aignostics_bucket_name, "Key": "tests/chunked.bin"}
    url = s3.generate_presigned_url("put_object", Params=where, ExpiresIn=60)
    answer = httpx.put(url, content=iter([b"a" * 100_000, b"b" * 70_000]), trust_env=False)
    assert answer.status_code == 200
    assert s3.get_object(**where)["Body"].read() == b"a" * 100_000 + b"b" * 70_000


def test_wrong_keys_are_refused(platform_endpoint: Any, organization: Any) -> None:
    for access, secret, code in (
        ("WRONG", organization.aignostics_bucket_hmac_secret_access_key, "InvalidAccessKeyId"),
        (organization.aignostics_bucket_hmac_access_key_id, "wrong", "SignatureDoesNotMatch"),
    ):
        wrong = XmlBucket(platform_endpoint.storage_endpoint, organization.aignostics_bucket_name, access, secret)
        response = wrong._requests.send("GET", "x", {})
        wrong.close()
        assert (response.status_code, code in response.text) == (403, True)


def test_damage_on_the_way_is_noticed(bucket: XmlBucket) -> None:
    wrong = base64.b64encode(b"\0\0\0\1").decode()
    response = bucket._requests.send("PUT", "tests/damaged", {"x-goog-hash": f"crc32c={wrong}"}, content=b"bytes")
    assert (response.status_code, "BadDigest" in response.text) == (400, True)
    assert bucket.head("tests/damaged") is None


def test_our_client_sends_bytes_verified(bucket: XmlBucket, sample_svs: Path) -> None:
    checksum = crc32c_file(sample_svs)
    receipt = bucket.put(sample_svs, "tests/sample ä.svs", expected=checksum)
    assert (receipt.crc32c, receipt.by_reference, receipt.already_there) == (checksum, False, False)
    info = bucket.head("tests/sample ä.svs")
    assert info is not None
    assert (info.size, info.crc32c) == (sample_svs.stat().st_size, checksum)
    assert bucket.put(sample_svs, "tests/sample ä.svs", expected=checksum).already_there
    assert httpx.get(bucket.signed_url("tests/sample ä.svs", 60), trust_env=False).content == sample_svs.read_bytes()


def test_a_changed_slide_is_refused(bucket: XmlBucket, tmp_path: Path) -> None:
    path = tmp_path / "slide.svs"
    path.write_bytes(b"one")
    checksum = crc32c_file(path)
    path.write_bytes(b"two")
    with pytest.raises(BadInput, match=r"slide\.svs"):
        bucket.put(path, "tests/changed", expected=checksum)
    assert bucket.head("tests/changed") is None


class TestReference:
    @pytest.fixture
    def by_reference(self, platform_endpoint: Any, organization: Any) -> Iterator[XmlBucket]:
        bucket = XmlBucket(
            platform_endpoint.storage_endpoint,
            organization.aignostics_bucket_name,
            organization.aignostics_bucket_hmac_access_key_id,
            organization.aignostics_bucket_hmac_secret_access_key,
            launch_secret=platform_endpoint.launch_secret,
        )
        yield bucket
        bucket.close()

    def test_bytes_stay_where_they_are(self, by_reference: XmlBucket, module_data_dir: Path, tmp_path: Path) -> None:
        path = tmp_path / "slide ü.svs"
        path.write_bytes(b"x" * 3_000_000)
        objects = module_data_dir / "platform" / "objects"

        def used() -> int:
            return sum(file.stat().st_size for file in objects.rglob("*") if file.is_file())

        before = used()
        receipt = by_reference.put(path, "tests/reference")
        assert receipt.by_reference
        assert used() == before
        url = by_reference.signed_url("tests/reference", 60)
        assert httpx.get(url, trust_env=False).content == path.read_bytes()
        path.write_bytes(b"y" * 3_000_000)
        changed = httpx.get(url, trust_env=False)
        assert (changed.status_code, "changed since" in changed.text) == (409, True)
        assert by_reference._requests.send("DELETE", "tests/reference", {}).status_code == 204
        assert path.exists()

    def test_it_needs_the_launch_secret(self, by_reference: XmlBucket, tmp_path: Path) -> None:
        path = tmp_path / "slide.svs"
        path.write_bytes(b"x")
        by_reference._launch_secret = "wrong"
        with pytest.raises(Exception, match="launch secret"):
            by_reference.put(path, "tests/secret")
