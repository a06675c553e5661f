"""Sending what is in the outbox: signed, one after the other for each address, again with growing waits.

Headers: `Launchpad-Delivery` (the same at each try, so that a receiver can drop what it has), `Launchpad-Event`,
`Launchpad-Timestamp` (seconds) and `Launchpad-Signature: v1=<hexadecimal HMAC-SHA256 of "<timestamp>.<body>">` with the
secret of the file `keys/callback.secret` in the platform's data folder. Any 2xx is a receipt. Redirects are none. 410
ends the tries at once, otherwise they end after three days.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import logging
import secrets
import threading
import time
from pathlib import Path

from sqlalchemy import delete, select

from launchpad import paths
from launchpad.errors import LaunchpadError
from launchpad.localplatform.database.engine import Database
from launchpad.localplatform.database.tables import CallbackRow
from launchpad.localplatform.guarded import is_named, parse, request
from launchpad.localplatform.settings import PlatformSettings

_LOOK = 2.0  # seconds between looks at the outbox
_FIRST_WAIT, _LONGEST_WAIT = 5.0, 3600.0
_GIVE_UP = 3 * 24 * 3600.0  # seconds after the change
_PATIENCE = 10.0  # seconds for an answer
_AT_ONCE = 100  # rows of one look

_log = logging.getLogger(__name__)


def load_secret(file: Path) -> bytes:
    """The secret that callbacks are signed with, made at the first start; the file is for this account alone."""
    if not file.exists():
        paths.write_private(file, secrets.token_urlsafe(32).encode())
    return file.read_bytes().strip()


def signature(secret: bytes, timestamp: str, body: bytes) -> str:
    """The value of `Launchpad-Signature`."""
    return f"v1={hmac.new(secret, timestamp.encode() + b'.' + body, hashlib.sha256).hexdigest()}"


class Sender:
    """A thread that sends until it is stopped. What is not sent by then is sent after the next start."""

    def __init__(self, database: Database, settings: PlatformSettings, secret_file: Path) -> None:
        self._database = database
        self._settings = settings
        self._secret_file = secret_file
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="callbacks", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """End after the request that is under way."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=15)

    def _serve(self) -> None:
        while not self._stop.wait(_LOOK):
            try:
                self.send_due()
            except Exception:  # noqa: BLE001 - the next look may go better
                _log.exception("the outbox of callbacks could not be read; trying again")

    def send_due(self) -> int:
        """Send what is due now; how many messages are off the list, delivered or given up.

        A message waits for the earlier ones of its run, so that a receiver hears things in their order.
        """
        at = time.time()
        with self._database.reading() as session:
            query = select(CallbackRow).where(CallbackRow.due <= at).order_by(CallbackRow.id).limit(_AT_ONCE)
            due = list(session.scalars(query))
            runs = {row.run_id for row in due}
            waiting = select(CallbackRow.run_id, CallbackRow.id).where(
                CallbackRow.run_id.in_(runs), CallbackRow.due > at
            )
            held: dict[str, int] = {}
            for run_id, number in session.execute(waiting):
                held[run_id] = min(number, held.get(run_id, number))
        sent = 0
        for row in due:
            if self._stop.is_set():
                break
            if row.id > held.get(row.run_id, row.id):
                continue
            if self._try(row):
                sent += 1
            else:
                held.setdefault(row.run_id, row.id)
        return sent

    def _try(self, row: CallbackRow) -> bool:
        """Send one; whether it is off the list (delivered, or given up)."""
        status, problem = self._post(row)
        delivered = 200 <= status < 300
        if delivered or status == 410 or time.time() - row.created > _GIVE_UP:
            if not delivered:
                _log.warning("callback %s of run %s is given up: %s", row.event, row.run_id, problem)
            with self._database.writing() as session:
                session.execute(delete(CallbackRow).where(CallbackRow.id == row.id))
            return True
        wait = min(_FIRST_WAIT * 2**row.attempts, _LONGEST_WAIT)
        _log.info("callback %s of run %s: %s; again in %.0f s", row.event, row.run_id, problem, wait)
        with self._database.writing() as session:
            kept = session.get(CallbackRow, row.id)
            if kept is not None:
                kept.attempts, kept.due = row.attempts + 1, time.time() + wait
        return False

    def _post(self, row: CallbackRow) -> tuple[int, str]:
        """Status and words of one try; status 0 without an answer."""
        body, stamp = row.body.encode(), str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Launchpad-Callback",
            "Launchpad-Delivery": row.delivery,
            "Launchpad-Event": row.event,
            "Launchpad-Timestamp": stamp,
            "Launchpad-Signature": signature(load_secret(self._secret_file), stamp, body),
        }
        try:
            if not is_named(parse(row.url), self._settings.callback_hosts):
                return 410, "its host is not allowed any more"
            status, _, close = request(
                "POST", row.url, headers, body, self._settings.callback_hosts, patience=_PATIENCE
            )
        except (LaunchpadError, OSError, http.client.HTTPException) as error:
            return 0, f"{type(error).__name__}: {error}"
        close()
        return status, f"HTTP {status}"
