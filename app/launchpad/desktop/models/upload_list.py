"""The slides of a submission with the state of their upload, for the last step of the wizard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from launchpad.application.draft import Slide
from launchpad.desktop.models.slide_status import Status
from launchpad.desktop.models.slide_table import Role
from launchpad.desktop.models.words import file_size

Index = QModelIndex | QPersistentModelIndex

WAITING = Status("waiting", "pending", "clock")
UPLOADING = Status("uploading", "uploading", "cloud-upload")
UPLOADED = Status("uploaded", "done", "circle-check")
FAILED = Status("failed", "failed", "circle-x")

NAME, SIZE, STATE, DETAIL = range(4)


class UploadListModel(QAbstractTableModel):
    """Columns: name, size, state, and why it failed."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._slides: tuple[Slide, ...] = ()
        self._results: Mapping[str, Slide] = {}
        self._running = False
        self._shown: list[Status] = []

    def set_slides(self, slides: Sequence[Slide]) -> None:
        """Show these slides."""
        if tuple(slides) != self._slides:
            self.beginResetModel()
            self._slides = tuple(slides)
            self._shown = [self.status(slide) for slide in self._slides]
            self.endResetModel()

    def set_results(self, results: Mapping[str, Slide], *, running: bool) -> None:
        """Show how far the upload is; only rows whose state is another one are announced."""
        self._results, self._running = results, running
        for row, slide in enumerate(self._slides):
            status = self.status(slide)
            if status is not self._shown[row]:
                self._shown[row] = status
                self.dataChanged.emit(self.index(row, 0), self.index(row, DETAIL), [])

    def status(self, slide: Slide) -> Status:
        """How the upload of a slide stands."""
        result = self._results.get(slide.id)
        if result is not None:
            return FAILED if result.error else UPLOADED
        return UPLOADING if self._running else WAITING

    def status_words(self, status: Status) -> str:
        """The state in a person's language."""
        return {
            "waiting": self.tr("Waiting"),
            "uploading": self.tr("Uploading"),
            "uploaded": self.tr("Uploaded"),
            "failed": self.tr("Failed"),
        }[status.key]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._slides)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else DETAIL + 1

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> str | None:
        if (
            orientation != Qt.Orientation.Horizontal
            or role != Qt.ItemDataRole.DisplayRole
            or not 0 <= section <= DETAIL
        ):
            return None
        return (self.tr("Slide"), self.tr("Size"), self.tr("Upload"), "")[section]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        slide = self._slides[index.row()]
        status = self._shown[index.row()]
        if role == Role.Row:
            return slide
        if role == Role.State:
            return status
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return (slide.path.name, file_size(slide.size), self.status_words(status), self._detail(slide))[
                index.column()
            ]
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._detail(slide) or str(slide.path)
        return None

    def _detail(self, slide: Slide) -> str:
        result = self._results.get(slide.id)
        return "" if result is None else " ".join(part for part in (result.error, result.advice) if part)
