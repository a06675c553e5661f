"""Addresses that others name: where requests may go, and that they go to the address that was checked."""

from __future__ import annotations

import http.server
import ipaddress
import socket
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from launchpad.errors import BadInput, SlideError, Unreachable
from launchpad.localplatform import guarded


class Server(http.server.ThreadingHTTPServer):
    """Answers by path: a status, a place to go on to, or bytes."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, tuple[int, str]] = {}
        self.seen: list[tuple[str, str]] = []
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.seen.append((self.path, self.headers["Host"]))
        status, location = self.server.answers.get(self.path, (200, ""))
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"slide")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.shutdown()
    made.thread.join()
    made.server_close()


def read(url: str, *inside: str) -> tuple[int, bytes]:
    with guarded.Getter(inside)(url, {}) as answer:
        buffer = bytearray(10)
        return answer.status, bytes(buffer[: answer.read_into(memoryview(buffer))])


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "100.100.100.200",
        "169.254.169.254",
        "168.63.129.16",
        "224.0.0.1",
        "255.255.255.255",
        "[::1]",
        "[::]",
        "[fe80::1]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[::ffff:127.0.0.1]",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
    ],
)
def test_addresses_inside_are_refused_however_they_are_written(host: str) -> None:
    with pytest.raises(SlideError, match="may not be reached"):
        read(f"http://{host}:9/slide")


@pytest.mark.parametrize(
    "url", ["ftp://x/", "file:///etc/passwd", "http:///x", "http://a:b@x/", "http://x:99999/", "//x"]
)
def test_what_is_no_http_url_is_refused(url: str) -> None:
    with pytest.raises(BadInput):
        guarded.parse(url)


@pytest.mark.parametrize(
    ("address", "named", "itself", "may"),
    [
        ("8.8.8.8", False, False, True),
        ("2606:4700::1111", False, False, True),
        ("10.0.0.5", True, False, True),
        ("fd12::1", True, False, True),
        ("127.0.0.1", True, False, False),  # a name that was allowed does not open this computer
        ("127.0.0.1", True, True, True),
        ("::1", True, False, False),
        ("::1", True, True, True),  # what “localhost” is first on many systems
        ("::1", False, True, False),
        ("::7f00:1", True, True, False),
        ("169.254.7.7", True, False, False),
        ("169.254.169.254", True, True, False),
        ("224.0.0.1", True, True, False),
    ],
)
def test_what_a_named_host_may_be(address: str, named: bool, itself: bool, may: bool) -> None:
    assert guarded.may_be_reached(ipaddress.ip_address(address), named=named, itself=itself) is may


def test_a_host_of_ones_own_network_works_when_it_is_named(server: Server) -> None:
    assert read(f"http://127.0.0.1:{server.port}/a", f"127.0.0.1:{server.port}") == (200, b"slide")
    assert server.seen == [("/a", f"127.0.0.1:{server.port}")]
    with pytest.raises(SlideError, match="may not be reached"):
        read(f"http://127.0.0.1:{server.port}/a", f"127.0.0.1:{server.port + 1}")


def test_the_connection_goes_to_the_address_that_was_checked(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that answers otherwise the second time: the name is asked for once only."""
    real, asked = socket.getaddrinfo, []

    def lookup(host: Any, *arguments: Any, **keywords: Any) -> Any:
        if host != "rebinding.test":
            return real(host, *arguments, **keywords)
        asked.append(host)
        return real("127.0.0.1" if len(asked) > 1 else "203.0.113.7", *arguments, **keywords)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    with pytest.raises(SlideError, match="may not be reached"):  # a documentation address counts as private
        read(f"http://rebinding.test:{server.port}/")
    asked.clear()
    parts = urlsplit(f"http://rebinding.test:{server.port}/")
    monkeypatch.setattr(guarded, "may_be_reached", lambda *_, **__: True)
    connection = guarded._Connection(parts, guarded.addresses(parts, ()))
    assert [str(address) for address in connection._at] == ["203.0.113.7"]
    connection.timeout = 0.2
    with pytest.raises(OSError):
        connection.connect()
    assert asked == ["rebinding.test"]
    assert server.seen == []


def test_redirects_are_followed_a_few_times_and_checked_each_time(server: Server) -> None:
    inside = f"127.0.0.1:{server.port}"
    server.answers |= {"/1": (302, "/2"), "/2": (307, "/3"), "/3": (301, "/4"), "/evil": (302, "http://127.0.0.2:1/")}
    assert read(f"http://{inside}/1", inside) == (200, b"slide")
    server.answers["/4"] = (303, "/5")
    with pytest.raises(SlideError, match="too often"):
        read(f"http://{inside}/1", inside)
    with pytest.raises(SlideError, match="may not be reached"):
        read(f"http://{inside}/evil", inside)
    server.answers["/file"] = (302, "file:///etc/passwd")
    with pytest.raises(SlideError, match="not an http or https URL"):
        read(f"http://{inside}/file", inside)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_url_that_does_not_open_is_said_at_once(server: Server, status: int) -> None:
    server.answers["/"] = (status, "")
    inside = f"127.0.0.1:{server.port}"
    with pytest.raises(SlideError, match=f"HTTP {status}"):
        read(f"http://{inside}/", inside)
    assert len(server.seen) == 1


def test_what_may_pass_is_left_to_the_caller(server: Server) -> None:
    inside = f"127.0.0.1:{server.port}"
    server.answers["/"] = (503, "")
    assert read(f"http://{inside}/", inside)[0] == 503
    with pytest.raises(Unreachable):
        read("http://no-such-host.invalid/")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with pytest.raises(Unreachable):
        read(f"http://127.0.0.1:{port}/", "127.0.0.1")


def test_an_answer_that_is_left_unread_is_closed(server: Server) -> None:
    inside = f"127.0.0.1:{server.port}"
    status, response, close = guarded.request("GET", f"http://{inside}/", {}, None, (inside,))
    assert status == 200
    assert response.will_close, "the server keeps the connection: nothing is shown"
    assert not response.isclosed()
    close()
    assert response.isclosed()
