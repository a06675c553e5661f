"""A submission whose connection breaks at a random moment becomes one run: never two, never none."""

from __future__ import annotations

import random
import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any
from urllib.parse import urlsplit

import pytest

from launchpad.application.columns import columns, input_artifact
from launchpad.application.draft import SubmissionDraft
from launchpad.application.manifest import read_rows
from launchpad.application.service import Service
from launchpad.application.submit import open_bucket, submit
from launchpad.platform.client import Client

CHANCE = 0.3  # that a look for the run is cut, too


class Line(ThreadingTCPServer):
    """Between client and platform: breaks the connection after a number of bytes of request and answer together."""

    daemon_threads = False
    allow_reuse_address = True

    def __init__(self, root: str) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.far = urlsplit(root)
        self.random = random.Random(1)
        self.cuts_left = 0
        self.arrived = False
        self.needless = 0
        self.moments: list[str] = []

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients hang up, by design."""


class _Connection(BaseRequestHandler):
    server: Line

    def handle(self) -> None:
        self.request.settimeout(20)
        while True:
            head = self._head()
            if head is None:
                return
            method, path = head.decode("latin-1").split(" ", 2)[:2]
            found = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
            body = self._exactly(int(found[1]) if found else 0)
            if not self._one(method, path, head, body):
                return

    def _head(self) -> bytes | None:
        data = b""
        while not data.endswith(b"\r\n\r\n"):
            piece = self.request.recv(1)
            if not piece:
                return None
            data += piece
        return data

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            data += self.request.recv(size - len(data))
        return data

    def _one(self, method: str, path: str, head: bytes, body: bytes) -> bool:
        line = self.server
        is_post = method == "POST" and path == "/api/v1/runs"
        # The platform would know the second one as the first; our client must not need that.
        line.needless += is_post and line.arrived
        chance = 1.0 if is_post else CHANCE if path.startswith("/api/v1/runs") else 0.0
        cut = line.cuts_left > 0 and line.random.random() < chance
        line.cuts_left -= cut
        sent = re.sub(rb"(?i)host: [^\r]+", f"Host: {line.far.netloc}".encode(), head) + body
        if not cut:
            whole = self._ask(sent)
            line.arrived |= is_post
            self.request.sendall(whole)
            return True
        # As many moments before the platform has it all as after.
        if line.random.random() < 0.5:
            upto = line.random.randrange(len(sent))
            with socket.create_connection((line.far.hostname or "", line.far.port or 80)) as far:
                far.sendall(sent[:upto])
            line.moments.append("request")
        else:
            answer = self._ask(sent)
            line.arrived |= is_post
            self.request.sendall(answer[: line.random.randrange(len(answer))])
            line.moments.append("answer")
        return False

    def _ask(self, sent: bytes) -> bytes:
        """The platform's whole answer, as bytes."""
        head, _, body = sent.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ", 2)
        connection = HTTPConnection(self.server.far.hostname or "", self.server.far.port, timeout=30)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for line in lines:
                name, value = line.split(": ", 1)
                if name.lower() not in ("connection", "accept-encoding"):
                    connection.putheader(name, value)
            connection.endheaders(body or None)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        kind = answer.getheader("Content-Type", "")
        start = f"HTTP/1.1 {answer.status} {answer.reason}\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}"
        return f"{start}\r\n\r\n".encode() + content


@pytest.fixture(scope="module")
def line(platform_endpoint: Any) -> Iterator[Line]:
    server = Line(platform_endpoint.api_root)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def rows(platform_endpoint: Any, sample_svs: Path) -> list[dict[str, Any]]:
    rows = Service.generate_metadata_from_source_directory(sample_svs.parent, "test-app")
    assert Service.application_run_upload("test-app", rows)
    return rows


def submitted(line: Line, rows: list[dict[str, Any]], cuts: int) -> None:
    """One submission over a line that breaks `cuts` times; the next try, where it ends with an error, by a person."""
    with Client() as here:
        version = here.application_version("test-app")
        fields = columns(input_artifact(version).metadata_schema)
        draft = SubmissionDraft(
            "test-app", version=version.version_number, columns=fields, slides=read_rows(rows, fields)
        )
        profile = replace(here.profile, kind="remote", api_root=line.root)
        with Client(token_provider=here.token, profile=profile) as client:
            bucket = open_bucket(here)
            try:
                line.cuts_left, line.arrived, line.needless = cuts, False, 0
                run_id = submit(draft, client=client, bucket=bucket, version=version)
            finally:
                line.cuts_left = 0
                bucket.close()
        path = f'$.launchpad.submission_id ? (@ == "{draft.submission_id}")'
        made = [run.run_id for run in here.runs.list_data(custom_metadata=path)]
        assert made == [run_id], f"{len(made)} runs after {line.moments[-cuts:]}"
        assert line.needless == 0
        here.run(run_id).cancel()


@pytest.mark.parametrize("seed", range(6))
def test_an_answer_lost_at_a_random_moment_makes_one_run(line: Line, rows: list[dict[str, Any]], seed: int) -> None:
    line.random.seed(1000 + seed)
    submitted(line, rows, 1 + seed % 2)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100))
def test_an_answer_lost_at_a_hundred_random_moments_makes_one_run_each(
    line: Line, rows: list[dict[str, Any]], seed: int
) -> None:
    line.random.seed(seed)
    submitted(line, rows, 1 + seed % 2)


def test_the_same_submission_posted_twice_at_once_is_one_run(line: Line, rows: list[dict[str, Any]]) -> None:
    """Also where both requests reach the platform: it knows a submission by its id."""
    with Client() as here:
        version = here.application_version("test-app")
        fields = columns(input_artifact(version).metadata_schema)
        draft = SubmissionDraft(
            "test-app", version=version.version_number, columns=fields, slides=read_rows(rows, fields)
        )
        bucket = open_bucket(here)
        made: list[str] = []
        gate = threading.Barrier(4)

        def post() -> None:
            with Client() as own:
                gate.wait(20)
                made.append(submit(draft, client=own, bucket=bucket, version=version))

        threads = [threading.Thread(target=post) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        bucket.close()
        assert len(made) == 4
        assert len(set(made)) == 1
        here.run(made[0]).cancel()
