"""A platform for tests that says what it is told: nothing, errors, very long texts, HTML, or hundreds of rows."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

HTML = "<img src=file:///x>"
LONG = "Immunohistochemistry of the tumour microenvironment in non-small-cell lung cancer, second cohort " * 3
WHEN = "2026-11-20T08:30:00Z"


def uuid(kind: int, number: int) -> str:
    return f"{kind:08d}-0000-4000-8000-{number:012d}"


RUN = uuid(1, 1)


class Says:
    """What it answers. `mode`: empty, normal, many, long, html or error."""

    def __init__(self, mode: str, runs: int | None = None) -> None:
        self.mode = mode
        self.text = {"long": LONG, "html": HTML}.get(mode, "")
        many = mode in ("many", "long", "html")
        self.runs = runs if runs is not None else {"empty": 0, "normal": 3}.get(mode, 500)
        self.items = 500 if many else 3
        self.applications = {"empty": 0, "many": 12}.get(mode, 2)
        self.metadata: dict[str, Any] = {"sdk": {"note": self.text or "A note", "tags": self.tags(), "other": 1}}
        self.checksum = 1
        self.ended: set[str] = set()
        self.requests: list[str] = []

    def tags(self) -> list[str]:
        return [self.text[:60] or "cohort B", "sample"]

    def me(self) -> dict[str, Any]:
        return {
            "user": {"id": "user-1", "name": self.text or "Mara Kessler", "email": "mara@example.org"},
            "organization": {
                "id": "org-1", "name": self.text or "Institute of Pathology",
                "aignostics_bucket_hmac_access_key_id": "key", "aignostics_bucket_hmac_secret_access_key": "secret",
                "aignostics_bucket_name": "bucket", "aignostics_bucket_protocol": "gs", "aignostics_logfire_token": "",
                "aignostics_sentry_dsn": "",
            },
        }  # fmt: skip

    def application(self, number: int) -> dict[str, Any]:
        return {
            "application_id": f"app-{number}", "name": self.text or f"Tissue QC {number}",
            "regulatory_classes": ["RUO", self.text[:40] or "CE-IVD"], "description": self.text or "Looks at tissue.",
            "latest_version": {"number": "1.2.0", "released_at": WHEN},
        }  # fmt: skip

    def details(self, number: int) -> dict[str, Any]:
        return {**self.application(number), "versions": [{"number": "1.2.0", "released_at": WHEN}]}

    def version(self) -> dict[str, Any]:
        choices = [self.text or "LUNG", "SKIN"]
        schema = {
            "type": "object", "required": ["staining_method", "specimen"],
            "properties": {
                "staining_method": {"enum": ["H&E"], "description": self.text or "The stain"},
                "specimen": {"type": "object", "required": ["tissue"],
                             "properties": {"tissue": {"enum": choices, "title": self.text or "Tissue"}}},
            },
        }  # fmt: skip
        output = {"name": self.text or "cells:geojson", "mime_type": "application/geo+json", "metadata_schema": {},
                  "scope": "ITEM", "visibility": "EXTERNAL"}  # fmt: skip
        return {
            "version_number": "1.2.0", "changelog": self.text or "Faster.", "released_at": WHEN,
            "input_artifacts": [{"name": "whole_slide_image", "mime_type": "image/tiff", "metadata_schema": schema}],
            "output_artifacts": [output] * (12 if self.mode == "many" else 2),
        }  # fmt: skip

    def run(self, number: int) -> dict[str, Any]:
        run_id = uuid(1, number)
        states = ("PROCESSING", "TERMINATED", "PENDING", "TERMINATED")
        state = "TERMINATED" if run_id in self.ended else states[number % 4]
        done = state == "TERMINATED"
        count = self.items
        return {
            "run_id": run_id, "application_id": "app-0", "version_number": "1.2.0", "state": state,
            "output": "PARTIAL" if done else "NONE", "termination_reason": "ALL_ITEMS_PROCESSED" if done else None,
            "error_code": None, "error_message": None, "submitted_at": WHEN, "submitted_by": self.text or "user-1",
            "terminated_at": WHEN if done else None, "num_preceding_items_platform": 7 if state == "PENDING" else None,
            "statistics": {
                "item_count": count, "item_pending_count": 0 if done else count - 1, "item_processing_count": 0,
                "item_user_error_count": 1, "item_system_error_count": 0, "item_skipped_count": 0,
                "item_succeeded_count": count - 1 if done else 0,
            },
            "custom_metadata": self.metadata, "custom_metadata_checksum": str(self.checksum),
            "scheduling": {"due_date": WHEN, "deadline": WHEN},
        }  # fmt: skip

    def item(self, number: int) -> dict[str, Any]:
        failed = number % 5 == 1
        artifact = {
            "output_artifact_id": uuid(3, number), "name": self.text or "readout:csv", "state": "TERMINATED",
            "termination_reason": "SUCCEEDED", "output": "NONE" if failed else "AVAILABLE",
            "metadata": {"media_type": "text/csv", "size_bytes": 1234},
        }  # fmt: skip
        return {
            "item_id": uuid(2, number), "external_id": f"/slides/{self.text[:150]}{number}.svs",
            "custom_metadata": None, "state": "TERMINATED", "output": "NONE" if failed else "FULL",
            "termination_reason": "USER_ERROR" if failed else "SUCCEEDED",
            "error_code": "SLIDEERROR" if failed else None,
            "error_message": (self.text or "Slide is out of focus.") if failed else None, "terminated_at": WHEN,
            "input_artifacts": [{
                "input_artifact_id": uuid(4, number), "name": "whole_slide_image",
                "metadata": {"width_px": 2220, "height_px": 2967, "staining_method": self.text or "H&E",
                             "specimen": {"tissue": self.text or "LUNG"}},
            }],
            "output_artifacts": [artifact],
        }  # fmt: skip

    def objects(self, query: dict[str, list[str]]) -> str:
        count = 0 if self.mode == "empty" else 500 if self.mode != "normal" else 3
        text = (self.text or "folder").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        entries = "".join(
            f"<Contents><Key>{text}/{number}.svs</Key><Size>{number * 1000}</Size><LastModified>{WHEN}</LastModified>"
            '<ETag>"e"</ETag></Contents>'
            for number in range(count)
        )
        return (
            '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><Name>bucket</Name>'
            "<IsTruncated>false</IsTruncated>"
            f"<KeyCount>{count}</KeyCount>{entries}</ListBucketResult>"
        )

    def answer(self, path: str, query: dict[str, list[str]]) -> tuple[int, Any]:
        """Status and JSON (or XML text) of a GET."""
        if path == "/health":
            return 200, {"status": "DOWN", "reason": "Told to."} if self.mode == "error" else {"status": "UP"}
        if self.mode == "error" and path != "/api/v1/me":
            return 418, {"detail": "Told to fail."}
        page = int(query.get("page", ["1"])[0])
        size = int((query.get("page_size") or query.get("page-size") or ["50"])[0])

        def cut(make: Any, count: int) -> list[Any]:
            return [make(number) for number in range((page - 1) * size + 1, min(page * size, count) + 1)]

        parts = path.removeprefix("/api/v1/").split("/")
        if parts == ["me"]:
            return 200, self.me()
        if parts == ["applications"]:
            return 200, cut(lambda number: self.application(number - 1), self.applications)
        if parts[0] == "applications" and len(parts) == 2:
            return 200, self.details(0)
        if parts[-1] == "documents":
            return 200, [] if self.mode == "empty" else [
                {"id": uuid(5, 1), "name": self.text or "Manual", "mime_type": "application/pdf",
                 "visibility": "public", "created_at": WHEN, "updated_at": WHEN}]  # fmt: skip
        if parts[0] == "applications":
            return 200, self.version()
        if parts == ["runs"]:
            return 200, cut(self.run, self.runs)
        if parts[0] == "runs" and len(parts) == 2:
            return 200, self.run(int(parts[1].rpartition("-")[2]))
        if parts[-1] == "items":
            return 200, cut(self.item, 0 if self.mode == "empty" else self.items)
        if parts[0] == "access":
            return 200, []
        return (200, self.objects(query)) if path.startswith("/bucket") else (404, {"detail": "Unknown."})


@contextmanager
def serve(says: Says) -> Iterator[str]:
    """The platform on a free port; its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            says.requests.append(parts.path)
            status, body = says.answer(parts.path, parse_qs(parts.query))
            self._send(status, body)

        def do_HEAD(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_PUT(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if body.get("custom_metadata_checksum") not in (None, str(says.checksum)):
                self._send(412, {"detail": "Changed."})
                return
            says.metadata, says.checksum = body["custom_metadata"], says.checksum + 1
            self._send(200, {"custom_metadata_checksum": str(says.checksum)})

        def _send(self, status: int, body: Any) -> None:
            data = (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/xml" if isinstance(body, str) else "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        time.sleep(0)
