"""Runs in the peer's environment: its Python library, from signing in to deleting. Prints what it saw as JSON."""

import base64
import json
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import google_crc32c
from aignostics import platform
from aignostics.bucket._service import Service as Bucket
from aignostics.platform import Client, InputArtifact, InputItem
from aignx.codegen.models import SchedulingRequest, SubjectType

Bucket._get_s3_client.__defaults__ = (os.environ["PEER_STORE"],)
slide, destination = Path(sys.argv[1]), Path(sys.argv[2])
seen = {}

client = Client()
seen["user"] = client.me().user.id
seen["applications"] = sorted(application.application_id for application in client.applications.list())
seen["versions"] = [version.number for version in client.versions.list("test-app")]
seen["inputs"] = [artifact.name for artifact in client.application_version("test-app").input_artifacts]

bucket = Bucket()
key = "library/slide with ä.svs"
assert bucket._upload_file(slide, key)
found = bucket.find([key])
seen["found"] = [str(entry.get("key", entry)) if isinstance(entry, dict) else str(entry) for entry in found]

checksum = google_crc32c.Checksum(slide.read_bytes())
metadata = {
    "checksum_base64_crc32c": base64.b64encode(checksum.digest()).decode(),
    "resolution_mpp": 0.499,
    "width_px": 2220,
    "height_px": 2967,
    "media_type": "image/tiff",
}


def item(external_id):
    artifact = InputArtifact(
        name="whole_slide_image", download_url=bucket.create_signed_download_url(key), metadata=metadata
    )
    return InputItem(external_id=external_id, input_artifacts=[artifact], custom_metadata={"number": 1})


def ended(run, seconds=300):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        details = run.details(nocache=True)
        if details.state.value == "TERMINATED":
            return details
        time.sleep(0.5)
    raise TimeoutError("the run did not end")


run = client.runs.submit(
    "test-app",
    [item("folder/peer slide.svs")],
    custom_metadata={"peer": "library"},
    scheduling=SchedulingRequest(deadline=datetime.now(UTC) + timedelta(hours=2)),
)
details = ended(run)
seen["run"] = [details.state.value, details.termination_reason.value, details.statistics.item_succeeded_count]
seen["listed"] = run.run_id in [entry.run_id for entry in client.runs.list(application_id="test-app")]
run.download_to_folder(destination, print_status=False)
seen["files"] = sorted(path.name for path in destination.rglob("*") if path.is_file())
results = list(run.results())
seen["items"] = [[entry.external_id, entry.state.value, len(entry.output_artifacts)] for entry in results]

stale = details.custom_metadata_checksum
run.update_custom_metadata({"peer": "changed"}, custom_metadata_checksum=stale)
seen["metadata"] = run.details(nocache=True).custom_metadata["peer"]
try:
    run.update_custom_metadata({"peer": "stale"}, custom_metadata_checksum=stale)
    seen["stale"] = "accepted"
except Exception as error:
    seen["stale"] = getattr(error, "status", repr(error))
run.update_item_custom_metadata("folder/peer slide.svs", {"number": 2})
seen["item metadata"] = next(iter(run.results(nocache=True))).custom_metadata["number"]

token = client.share_tokens.create(expires_at=datetime.now(UTC) + timedelta(hours=1))
grant = run.grant_access(subject_type=SubjectType.SHARE_TOKEN, subject_id=token.share_token_id)
shared = platform.Run.for_run_id(run.run_id, share_token=token.share_token)
seen["shared"] = shared.details().run_id == run.run_id
seen["grants"] = len(list(run.list_share_grants()))
grant.revoke()
token.revoke()
seen["grants left"] = len(list(run.list_share_grants(nocache=True)))

second = client.runs.submit("test-app", [item(f"{number}.svs") for number in range(5)])
second.cancel()
details = ended(second)
seen["cancelled"] = [details.state.value, details.termination_reason.value]
run.delete()
seen["deleted"] = sorted(
    {artifact.output.value for entry in run.results(nocache=True) for artifact in entry.output_artifacts}
)
print("\n" + json.dumps(seen))
