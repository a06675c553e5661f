"""Callbacks: written down with the change, signed, sent in order, again after failures and after a crash."""

from __future__ import annotations

import hashlib
import hmac
import http.server
import json
import stat
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import func, select, update

from launchpad.localplatform.callbacks import outbox
from launchpad.localplatform.callbacks.sender import Sender, load_secret
from launchpad.localplatform.database.tables import CallbackRow, RunRow
from launchpad.localplatform.scheduling import queue, states
from launchpad.localplatform.settings import PlatformSettings


class Receiver(http.server.ThreadingHTTPServer):
    """Keeps what it gets, and answers with the statuses that it was told, then with 204."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    def events(self) -> list[str]:
        return [headers["Launchpad-Event"] for headers, _ in self.got]


class Handler(http.server.BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((dict(self.headers.items()), body))
        status = self.server.statuses.pop(0) if self.server.statuses else 204
        self.send_response(status)
        if status == 302:
            self.send_header("Location", f"http://{self.server.host}/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.shutdown()
    made.thread.join()
    made.server_close()


def sender(parts: Any) -> Sender:
    return Sender(parts.database, parts.settings, parts.layout.keys / "callback.secret")


def ready(parts: Any, receiver: Receiver, items: int = 1) -> str:
    parts.settings = PlatformSettings(callback_hosts=(receiver.host,))
    context = {"callback_url": f"http://{receiver.host}/hook?a=b", "ticket": "Ä-7", "deep": [1, {"x": None}]}
    assert outbox.refusal(context, parts.settings) is None
    return str(parts.run(["http://x/"] * items, context=context))


def waiting(parts: Any) -> int:
    with parts.database.reading() as session:
        return int(session.scalar(select(func.count()).select_from(CallbackRow)) or 0)


def make_due(parts: Any) -> None:
    with parts.database.writing() as session:
        session.execute(update(CallbackRow).values(due=time.time() - 1))


def process(parts: Any) -> None:
    item = queue.claim(parts.database)
    assert item is not None
    with parts.database.writing() as session:
        states.succeed(session, item.item_id, item.claim, [])


def test_every_transition_comes_once_in_order_signed_with_the_context(parts: Any, receiver: Receiver) -> None:
    run_id = ready(parts, receiver)
    process(parts)
    assert waiting(parts) == 4
    assert sender(parts).send_due() == 4
    assert waiting(parts) == 0
    assert receiver.events() == ["run.started", "item.started", "item.ended", "run.ended"]
    secret = load_secret(parts.layout.keys / "callback.secret")
    assert stat.S_IMODE((parts.layout.keys / "callback.secret").stat().st_mode) == 0o600
    for headers, body in receiver.got:
        stamp = headers["Launchpad-Timestamp"]
        expected = hmac.new(secret, f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        assert headers["Launchpad-Signature"] == f"v1={expected}"
        assert abs(int(stamp) - time.time()) < 60
        document = json.loads(body)
        assert document["delivery_id"] == headers["Launchpad-Delivery"]
        assert document["callback_context"]["ticket"] == "Ä-7"
        assert document["callback_context"]["deep"] == [1, {"x": None}]
        assert document["run"]["run_id"] == run_id
    last = json.loads(receiver.got[-1][1])
    assert (last["run"]["state"], last["run"]["termination_reason"]) == ("TERMINATED", "ALL_ITEMS_PROCESSED")
    item = json.loads(receiver.got[2][1])["item"]
    assert (item["external_id"], item["termination_reason"]) == ("0.svs", "SUCCEEDED")
    assert len({headers["Launchpad-Delivery"] for headers, _ in receiver.got}) == 4


def test_a_receiver_that_fails_is_asked_again_and_later_ones_wait_for_it(parts: Any, receiver: Receiver) -> None:
    ready(parts, receiver)
    process(parts)
    receiver.statuses = [500]
    assert sender(parts).send_due() == 0
    assert receiver.events() == ["run.started"]
    assert sender(parts).send_due() == 0  # not due yet, and the others wait
    assert receiver.events() == ["run.started"]
    make_due(parts)
    receiver.statuses = [302]  # not followed
    assert sender(parts).send_due() == 0
    make_due(parts)
    assert sender(parts).send_due() == 4
    assert receiver.events() == ["run.started"] * 3 + ["item.started", "item.ended", "run.ended"]
    assert len({headers["Launchpad-Delivery"] for headers, _ in receiver.got[:3]}) == 1  # a receiver can tell


def test_the_waits_grow(parts: Any, receiver: Receiver) -> None:
    ready(parts, receiver)
    queue.claim(parts.database)
    waits = []
    for _ in range(3):
        make_due(parts)
        receiver.statuses = [503]
        sender(parts).send_due()
        with parts.database.reading() as session:
            waits.append((session.scalars(select(CallbackRow).order_by(CallbackRow.id)).first()).due - time.time())
    assert waits == pytest.approx([5, 10, 20], abs=2)


def test_what_was_not_sent_is_sent_after_a_crash(parts: Any, receiver: Receiver) -> None:
    ready(parts, receiver)
    process(parts)
    from launchpad.localplatform.database.engine import Database

    parts.database.close()
    again = Database(parts.layout.database)  # as a new process finds it
    try:
        made = Sender(again, parts.settings, parts.layout.keys / "callback.secret")
        made.start()
        end = time.monotonic() + 15
        while len(receiver.got) < 4 and time.monotonic() < end:
            time.sleep(0.02)
        made.stop()
    finally:
        again.close()
    assert receiver.events() == ["run.started", "item.started", "item.ended", "run.ended"]


def test_a_change_that_was_not_kept_sends_nothing(parts: Any, receiver: Receiver) -> None:
    run_id = ready(parts, receiver)

    def broken() -> None:
        with parts.database.writing() as session:
            states.cancel_run(session, session.get(RunRow, run_id), "CANCELED_BY_USER")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken()
    assert waiting(parts) == 0


def test_given_up_after_three_days_or_when_it_is_gone(parts: Any, receiver: Receiver) -> None:
    ready(parts, receiver)
    queue.claim(parts.database)
    with parts.database.writing() as session:
        session.execute(update(CallbackRow).values(created=time.time() - 4 * 24 * 3600))
    receiver.statuses = [500, 410]
    assert sender(parts).send_due() == 2
    assert waiting(parts) == 0


def test_hosts_that_are_not_named_get_nothing(parts: Any, receiver: Receiver) -> None:
    ready(parts, receiver)
    queue.claim(parts.database)
    parts.settings = PlatformSettings()  # taken from the list meanwhile
    assert sender(parts).send_due() == 2
    assert receiver.got == []
    by_default = PlatformSettings()
    assert outbox.refusal({"callback_url": "https://example.org/"}, by_default) is not None
    assert outbox.refusal({"callback_url": 7}, by_default) is not None
    assert outbox.refusal({"callback_url": "ftp://example.org"}, by_default) is not None
    assert outbox.refusal({"anything": "else"}, by_default) is None
    assert outbox.refusal(None, by_default) is None


def test_a_platform_can_have_one_address_for_all_runs_with_a_context(parts: Any, receiver: Receiver) -> None:
    parts.settings = PlatformSettings(callback_hosts=(receiver.host,), callback_url=f"http://{receiver.host}/all")
    parts.run(["http://x/"], context={"ticket": 1})
    parts.run(["http://x/"])
    process(parts)
    process(parts)
    assert sender(parts).send_due() == 4
    assert {json.loads(body)["callback_context"]["ticket"] for _, body in receiver.got} == {1}
