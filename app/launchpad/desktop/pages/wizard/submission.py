"""The wizard's side of its upload: the transfer of its draft, which lives on when the page is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from launchpad.application.draft import Slide, SubmissionDraft
from launchpad.desktop.transfers import Transfers

if TYPE_CHECKING:
    from launchpad.application.send import Sent
    from launchpad.desktop.transfer import Upload


class Submission(QObject):
    """One attempt after the other to upload and submit a draft.

    Signals:
        changed: it began, moved on or ended.
        submitted: id of the run that the platform accepted.
        failed: an exception for the person to see.
    """

    changed = Signal()
    submitted = Signal(str)
    failed = Signal(object)

    def __init__(self, transfers: Transfers, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._transfers = transfers
        self.upload: Upload | None = None
        self.run_id = ""

    @property
    def running(self) -> bool:
        """Whether an attempt is under way."""
        return self.upload is not None and self.upload.running

    @property
    def results(self) -> dict[str, Slide]:
        """Slides of the latest attempt that are through, with `bucket_url` or `error`, by id."""
        return self.upload.results if self.upload is not None else {}

    def start(self, draft: SubmissionDraft) -> None:
        """Upload and submit, or go on with it; `draft` is a copy that nobody changes meanwhile."""
        if not self.running and not self.run_id:
            self._watch(self._transfers.upload(draft))

    def adopt(self, draft_id: str) -> None:
        """Show the upload of this draft, where there is one that was begun."""
        from launchpad.desktop.transfer import Upload

        found = self._transfers.find("upload", draft_id)
        if isinstance(found, Upload):
            self._watch(found)

    @Slot()
    def pause(self) -> None:
        """Stop for now."""
        if self.upload is not None:
            self.upload.pause()

    @Slot()
    def cancel(self) -> None:
        """Stop for good; what is wholly uploaded need not be uploaded again."""
        if self.upload is not None:
            self.upload.cancel()

    def begin_anew(self) -> None:
        """Forget the run that was submitted, for the next one."""
        self.run_id = ""
        self._watch(None)

    def _watch(self, upload: Upload | None) -> None:
        if upload is not self.upload:
            if self.upload is not None:
                self.upload.changed.disconnect(self.changed)
                self.upload.ended.disconnect(self._ended)
                self.upload.broke.disconnect(self.failed)
            self.upload = upload
            if upload is not None:
                upload.changed.connect(self.changed)
                upload.ended.connect(self._ended)
                upload.broke.connect(self.failed)
        self.changed.emit()

    @Slot(object)
    def _ended(self, sent: Sent) -> None:
        self.run_id = sent.run_id
        self.changed.emit()
        if sent.run_id:
            self.submitted.emit(sent.run_id)
