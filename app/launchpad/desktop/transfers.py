"""Uploads and downloads of the window, also those that an earlier one left.

Made before the first paint: what a transfer needs is imported where the first one is made.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from launchpad.desktop.background import Jobs, in_thread
from launchpad.desktop.models.words import counted
from launchpad.desktop.session import Session
from launchpad.errors import LaunchpadError

if TYPE_CHECKING:
    import asyncio

    from launchpad.application.download_plan import DownloadPlan
    from launchpad.application.draft import SubmissionDraft
    from launchpad.desktop.transfer import Download, Transfer, Upload

_OVER = ("done", "cancelled")

_log = logging.getLogger(__name__)


class Transfers(QObject):
    """All transfers of this window, and those that an earlier one left.

    Signals:
        changed: one came, went, moved or stands otherwise.
    """

    changed = Signal()

    def __init__(self, session: Session, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._jobs = session, jobs
        self._all: list[Transfer] = []
        self._writing: asyncio.Lock | None = None
        self._looked: set[str] = set()
        session.connected.connect(self._connected)

    def all(self) -> list[Transfer]:
        """The newest first."""
        return list(reversed(self._all))

    def running(self) -> list[Transfer]:
        """Those under way."""
        return [transfer for transfer in self._all if transfer.running]

    def find(self, kind: str, subject: str) -> Transfer | None:
        """The transfer of a draft (`upload`) or a run (`download`) that is not through, or None."""
        for transfer in self._all:
            if (transfer.record.kind, transfer.record.subject) == (kind, subject) and transfer.state not in _OVER:
                return transfer
        return None

    def upload(self, draft: SubmissionDraft) -> Upload:
        """Upload and submit a draft, a copy that nobody changes meanwhile; one that was stopped goes on with it."""
        from launchpad.application.transfers import TransferRecord
        from launchpad.desktop.transfer import Upload

        found = self.find("upload", draft.id)
        if not isinstance(found, Upload):
            count = len(draft.included())
            words = counted(count, self.tr("Upload 1 slide"), self.tr("Upload %n slides", "", count))
            name = self._session.application_name(draft.application_id)
            record = TransferRecord("upload", draft.id, self._session.profile.name, f"{words} · {name}")
            found = Upload(record, self._session, self._jobs, self._keep, draft)
            self._add(found)
        if not found.running:
            found.draft = draft
            found.resume()
        return found

    def find_download(self, run_id: str) -> Download | None:
        """A download of this run that is not through, or None."""
        from launchpad.desktop.transfer import Download

        for transfer in self.all():
            if isinstance(transfer, Download) and transfer.plan.run_id == run_id and transfer.state not in _OVER:
                return transfer
        return None

    def download(self, plan: DownloadPlan, name: str) -> Download:
        """Download results of a run; one of the same plan that was stopped goes on."""
        from launchpad.application.transfers import TransferRecord
        from launchpad.desktop.transfer import Download

        found = self.find("download", plan.to_text())
        if not isinstance(found, Download):
            words = self.tr("Download results · %1").replace("%1", name)
            record = TransferRecord("download", plan.to_text(), self._session.profile.name, words)
            found = Download(record, self._session, self._jobs, self._keep)
            self._add(found)
        found.resume()
        return found

    def resume(self, transfer: Transfer) -> None:
        """Go on with one, an upload with its draft as it was saved last."""
        from launchpad.desktop.transfer import Upload

        if isinstance(transfer, Upload) and not transfer.running:
            transfer.draft = None
        transfer.resume()

    @Slot()
    def pause_all(self) -> None:
        """Pause what is under way."""
        for transfer in self.running():
            transfer.pause()

    @Slot()
    def clear(self) -> None:
        """Show those no more that are through or cancelled."""
        for transfer in self._all:
            if transfer.state in _OVER:
                transfer.deleteLater()
        self._all = [transfer for transfer in self._all if transfer.state not in _OVER]
        self.changed.emit()

    async def settled(self) -> None:
        """Wait until what stands in the state is how it is."""
        import asyncio

        await asyncio.sleep(0)  # what was asked for just now stands in the queue then
        if self._writing is not None:
            async with self._writing:
                pass

    # --- what was left ----------------------------------------------------------------------------------------------
    @Slot()
    def _connected(self) -> None:
        if self._session.profile.name not in self._looked:
            self._looked.add(self._session.profile.name)
            self._session.spawn(self._find_left_over())

    async def _find_left_over(self) -> None:
        from launchpad.application.draft import load_drafts
        from launchpad.application.transfers import forget_transfer, left_over
        from launchpad.desktop.transfer import Download, Upload

        try:
            records = await in_thread(left_over)
            drafts = {draft.id for draft in await in_thread(load_drafts)}
        except LaunchpadError as error:
            _log.warning("what was left of transfers cannot be read: %s", error.title)
            return
        for record in records:
            if record.profile != self._session.profile.name or self.find(record.kind, record.subject):
                continue
            if record.kind == "upload" and record.subject not in drafts:
                await in_thread(forget_transfer, record.id)  # its draft was submitted or thrown away
            elif record.kind == "upload":
                self._add(Upload(record, self._session, self._jobs, self._keep, None))
            else:
                self._add(Download(record, self._session, self._jobs, self._keep))

    # --- inside -----------------------------------------------------------------------------------------------------
    def _add(self, transfer: Transfer) -> None:
        transfer.setParent(self)
        transfer.changed.connect(self.changed)
        self._all.append(transfer)
        self.changed.emit()

    def _keep(self, transfer: Transfer) -> None:
        from launchpad.application.transfers import forget_transfer, remember_transfer

        record = transfer.record
        over = transfer.state in _OVER
        self._session.spawn(
            self._write(partial(forget_transfer, record.id) if over else partial(remember_transfer, record))
        )

    async def _write(self, call: Callable[[], None]) -> None:
        import asyncio

        if self._writing is None:
            self._writing = asyncio.Lock()
        async with self._writing:  # one after the other, in their order
            try:
                await in_thread(call)
            except LaunchpadError as error:
                _log.warning("a transfer could not be written down: %s", error.title)
