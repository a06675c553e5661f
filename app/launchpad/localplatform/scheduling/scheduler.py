"""The workers: one supervised process a slot, fed from the queue by a thread each.

How an item ends: a slide or metadata that cannot be used are the user's error, once and for all. An error of the
system is tried again with growing waits, a number of times that the settings bound. A worker process that dies with
the item gets one more chance. While the disk is full nothing ends: items wait.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
import threading
import time
import uuid
from pathlib import Path
from typing import Any

from launchpad import analysis
from launchpad.errors import BadInput, DiskFull, LaunchpadError, WorkerDied
from launchpad.localplatform.applications.registry import APPLICATIONS
from launchpad.localplatform.database.engine import Database
from launchpad.localplatform.layout import Layout
from launchpad.localplatform.objectstore.storage import Keys, Storage, new_row
from launchpad.localplatform.scheduling import queue, states
from launchpad.localplatform.scheduling.inputs import Inputs
from launchpad.localplatform.scheduling.queue import Claimed
from launchpad.localplatform.scheduling.work import analyse_slide
from launchpad.localplatform.settings import PlatformSettings
from launchpad.progress import Cancelled, Progress
from launchpad.supervised import Worker

_MEMORY = 3 << 30  # bytes a worker may use
_TIME = 4 * 3600.0  # seconds for one slide
_BEAT = 2.0  # seconds between heartbeats, and so the longest that a cancellation waits
_LOOK = 5.0  # seconds between looks at the queue when nobody wakes us
_FIRST_WAIT, _LONGEST_WAIT = 5.0, 300.0  # seconds before an item is tried again
_WAIT_FOR_ROOM = 30.0

_log = logging.getLogger(__name__)


class Scheduler:
    """Runs items in as many worker processes as the settings say until it is stopped."""

    def __init__(
        self, database: Database, storage: Storage, keys: Keys, layout: Layout, settings: PlatformSettings
    ) -> None:
        self._database = database
        self._storage = storage
        self._keys = keys
        self._work = layout.work
        self._settings = settings
        self._inputs = Inputs(layout.inputs, storage, keys, settings)
        self._stop = threading.Event()
        self._wake = threading.Condition()
        self._look = threading.Event()
        self._running: dict[str, tuple[str, Progress]] = {}
        self._is_full = False
        count = settings.workers or max(1, min(4, (os.cpu_count() or 2) // 2))
        self._workers = [Worker(f"analysis-{number}", memory_limit=_MEMORY) for number in range(count)]
        self._threads = [
            threading.Thread(target=self._serve, args=(worker,), name=worker.name, daemon=True)
            for worker in self._workers
        ]
        self._threads.append(threading.Thread(target=self._watch, name="scheduler", daemon=True))

    def start(self) -> None:
        """Put back what was left under way, and begin."""
        recovered = queue.recover(self._database)
        if recovered:
            _log.info("put %d items back into the queue", recovered)
        for left in self._work.iterdir():
            shutil.rmtree(left, ignore_errors=True)
        self._inputs.keep_only(queue.unfinished(self._database, self._inputs.item_ids()))
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """There is work, or a cancellation."""
        self._look.set()
        with self._wake:
            self._wake.notify_all()

    def stop(self) -> None:
        """End the workers; what was under way goes back into the queue."""
        self._stop.set()
        for _, progress in list(self._running.values()):
            progress.cancel()
        self.wake()
        for worker in self._workers:
            worker.close()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(timeout=10)
        queue.recover(self._database)

    # --- threads ----------------------------------------------------------------------------------------------------
    def _watch(self) -> None:
        """Heartbeats of running items, then leases that ended and deadlines.

        In this order: after a sleep of the computer all leases have ended, ours are renewed before anybody looks.
        """
        while not self._stop.is_set():
            self._look.wait(_BEAT)
            self._look.clear()
            try:
                for item_id, (claim, progress) in list(self._running.items()):
                    if not queue.heartbeat(self._database, item_id, claim):
                        progress.cancel()
                queue.sweep(self._database)
            except Exception:  # noqa: BLE001 - the watch must go on
                _log.exception("the queue could not be looked after; trying again")
                self._stop.wait(_BEAT)

    def _serve(self, worker: Worker) -> None:
        while not self._stop.is_set():
            item = None
            try:
                if self._has_room():
                    item = queue.claim(self._database)
            except Exception:  # noqa: BLE001 - a full disk may have room again later
                _log.exception("the queue could not be read; trying again")
            if item is None:
                with self._wake:
                    if not self._stop.is_set():
                        self._wake.wait(_LOOK)
                continue
            try:
                self._run(worker, item)
            except Exception:  # noqa: BLE001 - its end could not be written down: its lease ends, and it is done again
                _log.exception("the end of item %s of run %s could not be kept", item.item_id, item.run_id)

    def _has_room(self) -> bool:
        is_full = not self._storage.has_room()
        if is_full != self._is_full:
            self._is_full = is_full
            if is_full:
                _log.warning("the disk is nearly full: items wait until there is room")
            else:
                _log.info("the disk has room again")
        return not is_full

    def _run(self, worker: Worker, item: Claimed) -> None:
        progress = Progress()
        self._running[item.item_id] = item.claim, progress
        folder = self._work / f"{item.item_id}.{item.claim}"
        started = time.monotonic()
        _log.info("item %s of run %s starts, attempt %d", item.item_id, item.run_id, item.attempts)
        try:
            outputs = folder / "outputs"
            outputs.mkdir(parents=True)
            slide = self._inputs.slide(item, progress)
            result = worker.call(
                analyse_slide,
                str(slide),
                str(outputs),
                float(item.metadata["resolution_mpp"]),
                self._parameters(item),
                self._provenance(item),
                time_limit=_TIME,
                progress=progress,
            )
            progress.check()
            self._succeed(item, result)
            _log.info("item %s is done after %.1f s", item.item_id, time.monotonic() - started)
        except Cancelled:
            self._put_back(item)
        except WorkerDied as error:
            if self._stop.is_set() or progress.cancelled:
                self._put_back(item)
            else:
                self._worker_died(item, error)
        except BadInput as error:
            self._fail(item, "USER_ERROR", _code(error), str(error))
        except Exception as error:  # noqa: BLE001 - one item must not end the worker
            self._system_error(item, error)
        finally:
            self._running.pop(item.item_id, None)
            shutil.rmtree(folder, ignore_errors=True)

    # --- ends of an item --------------------------------------------------------------------------------------------
    def _put_back(self, item: Claimed) -> None:
        """It was stopped, which is no fault of its own; nothing where it was cancelled."""
        with self._database.writing() as session:
            kept = states.release(session, item.item_id, item.claim, is_attempt=False)
        if kept is None:
            self._inputs.forget(item.item_id)

    def _worker_died(self, item: Claimed, error: WorkerDied) -> None:
        with self._database.writing() as session:
            row = states.held(session, item.item_id, item.claim)
            if row is None:
                return
            row.kills += 1
            is_last = row.kills >= queue.KILLS
            if not is_last:
                states.release(session, item.item_id, item.claim)
        if is_last:
            self._fail(item, "SYSTEM_ERROR", "WORKER_DIED", str(error))
        else:
            _log.warning("the worker of item %s died: %s; once more", item.item_id, error.detail)

    def _system_error(self, item: Claimed, error: Exception) -> None:
        if self._is_disk_full(error):
            _log.warning("item %s waits for room on the disk", item.item_id)
            with self._database.writing() as session:
                states.release(session, item.item_id, item.claim, wait=_WAIT_FOR_ROOM, is_attempt=False)
            return
        expected = isinstance(error, LaunchpadError)
        _log.warning("item %s of run %s: %s", item.item_id, item.run_id, _code(error), exc_info=not expected)
        with self._database.writing() as session:
            row = states.held(session, item.item_id, item.claim)
            if row is None:
                return
            row.failures += 1
            is_last = row.failures >= self._settings.system_attempts
            if not is_last:
                wait = min(_FIRST_WAIT * 4 ** (row.failures - 1), _LONGEST_WAIT)
                states.release(session, item.item_id, item.claim, wait=wait)
        if is_last:
            words = str(error) if expected else f"The platform failed: {type(error).__name__}."
            self._fail(item, "SYSTEM_ERROR", _code(error), words)

    def _is_disk_full(self, error: BaseException | None) -> bool:
        while error is not None:
            if isinstance(error, DiskFull):
                return True
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                return True
            error = error.__cause__
        return not self._storage.has_room()  # whatever the library made of it

    def _fail(self, item: Claimed, reason: str, code: str, words: str) -> None:
        _log.warning("item %s ends with %s %s", item.item_id, reason, code)
        with self._database.writing() as session:
            states.fail(session, item.item_id, item.claim, reason, code, words, self._settings)
        self._inputs.forget(item.item_id)

    def _succeed(self, item: Claimed, outputs: list[dict[str, Any]]) -> None:
        """Keep the outputs and end the item, both or neither; a crash leaves at most files that nothing names."""
        stored, rows, files = [], [], []
        left: list[str] = []
        try:
            for output in outputs:
                path = Path(output["path"])
                _sync(path)
                files.append(self._storage.adopt(path))
                key = f"results/{item.run_id}/{item.item_id}/{uuid.uuid4().hex}"
                rows.append(
                    new_row(
                        files[-1],
                        self._keys.bucket,
                        key,
                        size=output["size"],
                        crc32c=output["crc32c"],
                        content_type=output["media_type"],
                    )
                )
                metadata = {**output["metadata"], "size_bytes": output["size"]}
                stored.append(states.Stored(output["name"], key, metadata))
            with self._database.writing() as session:
                if states.succeed(session, item.item_id, item.claim, stored):
                    for row in rows:
                        left += self._storage.put_row(session, row)
                else:
                    left = files
        except BaseException:
            self._storage.discard(files)
            raise
        self._storage.discard(left)
        self._inputs.forget(item.item_id)

    # --- what a worker is told --------------------------------------------------------------------------------------
    def _parameters(self, item: Claimed) -> dict[str, object]:
        specimen = item.metadata.get("specimen") or {}
        return {
            "classify": APPLICATIONS[item.application_id].classify,
            "staining_method": item.metadata.get("staining_method"),
            "tissue": specimen.get("tissue"),
            "disease": specimen.get("disease"),
        }

    def _provenance(self, item: Claimed) -> dict[str, str]:
        return {
            "platform": "Launchpad on this computer",
            "application_id": item.application_id,
            "application_name": APPLICATIONS[item.application_id].name,
            "version": item.version_number,
            "engine": f"{analysis.ENGINE_NAME} {analysis.ENGINE_VERSION}",
            "run_id": item.run_id,
            "item_id": item.item_id,
            "external_id": item.external_id,
        }


def _code(error: Exception) -> str:
    return "INTERNAL" if not isinstance(error, LaunchpadError) else type(error).__name__.upper()


def _sync(file: Path) -> None:
    with file.open("rb+") as handle:
        os.fsync(handle.fileno())
