"""The workers: one supervised process a slot, fed from the queue by a thread each."""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from launchpad import analysis
from launchpad.bucket import signing
from launchpad.bucket.crc32c import crc32c_file
from launchpad.bucket.download import download
from launchpad.errors import LaunchpadError, SlideError, WorkerDied
from launchpad.localplatform.applications.registry import APPLICATIONS
from launchpad.localplatform.database.engine import Database
from launchpad.localplatform.objectstore.storage import Keys, Storage
from launchpad.localplatform.scheduling import queue, states
from launchpad.localplatform.scheduling.queue import Claimed
from launchpad.localplatform.scheduling.work import analyse_slide
from launchpad.progress import Cancelled, Progress
from launchpad.supervised import Worker

_MEMORY = 3 << 30  # bytes a worker may use
_TIME = 4 * 3600.0  # seconds for one slide
_BEAT = 2.0  # seconds between heartbeats, and so the longest that a cancellation waits
_LOOK = 5.0  # seconds between looks at the queue when nobody wakes us

_log = logging.getLogger(__name__)


class Scheduler:
    """Runs items in `slots` worker processes until it is stopped."""

    def __init__(
        self,
        database: Database,
        storage: Storage,
        keys: Keys,
        work: Path,
        *,
        slots: int | None = None,
    ) -> None:
        self._database = database
        self._storage = storage
        self._keys = keys
        self._work = work
        self._stop = threading.Event()
        self._wake = threading.Condition()
        self._running: dict[str, Progress] = {}
        count = slots or max(1, min(4, (os.cpu_count() or 2) // 2))
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
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """There is work, or a cancellation."""
        with self._wake:
            self._wake.notify_all()

    def stop(self) -> None:
        """End the workers; what was under way goes back into the queue."""
        self._stop.set()
        for progress in list(self._running.values()):
            progress.cancel()
        self.wake()
        for worker in self._workers:
            worker.close()
        for thread in self._threads:
            thread.join(timeout=10)
        queue.recover(self._database)

    # --- threads ----------------------------------------------------------------------------------------------------
    def _watch(self) -> None:
        """Heartbeats of running items, leases that ended, deadlines."""
        while not self._stop.wait(_BEAT):
            try:
                for item_id, progress in list(self._running.items()):
                    if not queue.heartbeat(self._database, item_id):
                        progress.cancel()
                queue.sweep(self._database)
            except Exception:  # noqa: BLE001 - the watch must go on
                _log.exception("the queue could not be looked after; trying again")

    def _serve(self, worker: Worker) -> None:
        while not self._stop.is_set():
            try:
                item = queue.claim(self._database)
            except Exception:  # noqa: BLE001 - a full disk may have room again later
                _log.exception("the queue could not be read; trying again")
                item = None
            if item is None:
                with self._wake:
                    self._wake.wait(_LOOK)
                continue
            try:
                self._run(worker, item)
            except Exception as error:  # noqa: BLE001 - one item must not end the worker
                _log.exception("item %s of run %s", item.item_id, item.run_id)
                with self._database.writing() as session:
                    states.fail(
                        session,
                        item.item_id,
                        "SYSTEM_ERROR",
                        "INTERNAL",
                        f"The platform failed: {type(error).__name__}.",
                    )

    def _run(self, worker: Worker, item: Claimed) -> None:
        progress = Progress()
        self._running[item.item_id] = progress
        folder = self._work / item.item_id
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        started = time.monotonic()
        _log.info("item %s of run %s starts, attempt %d", item.item_id, item.run_id, item.attempts)
        try:
            slide = self._input(item, folder, progress)
            outputs = worker.call(
                analyse_slide,
                str(slide),
                str(self._outputs(folder)),
                float(item.metadata["resolution_mpp"]),
                self._parameters(item),
                self._provenance(item),
                time_limit=_TIME,
                progress=progress,
            )
            self._succeed(item, outputs)
            _log.info("item %s is done after %.1f s", item.item_id, time.monotonic() - started)
        except Cancelled:
            self._put_back(item)
        except WorkerDied as error:
            if self._stop.is_set():
                self._put_back(item)
            elif item.attempts < queue.ATTEMPTS:
                _log.warning("the worker of item %s died; once more", item.item_id)
                self._put_back(item)
            else:
                self._fail(item, "SYSTEM_ERROR", "WORKER_DIED", error)
        except LaunchpadError as error:
            self._fail(item, "USER_ERROR", type(error).__name__.upper(), error)
        finally:
            self._running.pop(item.item_id, None)
            shutil.rmtree(folder, ignore_errors=True)

    def _put_back(self, item: Claimed) -> None:
        with self._database.writing() as session:
            states.release(session, item.item_id)

    def _fail(self, item: Claimed, reason: str, code: str, error: LaunchpadError) -> None:
        _log.warning("item %s ends with %s %s", item.item_id, reason, code)
        with self._database.writing() as session:
            states.fail(session, item.item_id, reason, code, str(error))

    def _succeed(self, item: Claimed, outputs: list[dict[str, Any]]) -> None:
        stored = []
        for output in outputs:
            key = f"results/{item.run_id}/{item.item_id}/{uuid.uuid4().hex}"
            self._storage.commit(
                Path(output["path"]),
                self._keys.bucket,
                key,
                size=output["size"],
                crc32c=output["crc32c"],
                content_type=output["media_type"],
            )
            metadata = {**output["metadata"], "size_bytes": output["size"]}
            stored.append(states.Stored(output["name"], key, metadata))
        with self._database.writing() as session:
            kept = states.succeed(session, item.item_id, stored)
        if not kept:
            for output_stored in stored:
                self._storage.remove(self._keys.bucket, output_stored.key)

    # --- inputs -----------------------------------------------------------------------------------------------------
    def _input(self, item: Claimed, folder: Path, progress: Progress) -> Path:
        """The slide on disk: where it is when it was handed over by reference, otherwise fetched and verified."""
        expected = str(item.metadata["checksum_base64_crc32c"])
        parts = urlsplit(item.download_url)
        # Whatever port our store had when the URL was signed: it may have been started again since.
        if parts.hostname in ("127.0.0.1", "localhost") and parts.path.startswith(f"/{self._keys.bucket}/"):
            return self._own(item, parts, expected)
        path = folder / f"slide{_suffix(item)}"
        return download(lambda: item.download_url, path, crc32c=expected, progress=progress)

    def _own(self, item: Claimed, url: SplitResult, expected: str) -> Path:
        """An object of our own store; its signature must open it, as for everybody."""

        def secret(access_key: str) -> str | None:
            return self._keys.secret_key if access_key == self._keys.access_key else None

        try:
            signing.verify("GET", f"{url.path}?{url.query}", {"host": url.netloc}, secret)
        except signing.SignatureError as error:
            raise SlideError(
                "The slide's URL does not open it",
                detail=error.message,
                advice="Submit the slide again.",
                subject=item.external_id,
            ) from error
        bucket, _, key = unquote(url.path).lstrip("/").partition("/")
        row = self._storage.find(bucket, key)
        if row is None:
            raise SlideError(
                "The slide was not uploaded", advice="Upload it, then submit again.", subject=item.external_id
            )
        place = self._storage.open_path(row)
        found = crc32c_file(place) if row.reference else row.crc32c
        if found != expected:
            raise SlideError(
                "The slide is not the one that was described",
                detail=f"Its checksum is {found}, the metadata say {expected}.",
                advice="Prepare and submit it again.",
                subject=item.external_id,
            )
        return place

    def _outputs(self, folder: Path) -> Path:
        outputs = folder / "outputs"
        outputs.mkdir()
        return outputs

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


def _suffix(item: Claimed) -> str:
    kinds = {"image/tiff": ".tiff", "application/dicom": ".dcm"}
    media_type = str(item.metadata.get("media_type", ""))
    own = Path(urlsplit(item.external_id).path).suffix.lower()
    return kinds.get(media_type, own if len(own) <= 6 else "")
