"""About Launchpad: what it is, for what it may be used, and the licences of all its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from launchpad import __version__, paths
from launchpad.desktop.background import in_thread
from launchpad.desktop.session import Session
from launchpad.desktop.widgets.basics import Card, StateIcon, label

if TYPE_CHECKING:
    from launchpad.system.licences import Licence

_LicenceRole = Qt.ItemDataRole.UserRole


class AboutPage(QWidget):
    """Who we are, and on whose shoulders."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._session = session
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(StateIcon("microscope", "accent", 40))
        titles = QVBoxLayout()
        titles.setSpacing(2)
        titles.addWidget(label("Launchpad", "display"))
        titles.addWidget(label(self.tr("Version %1").replace("%1", __version__), "muted", name="about_version"))
        head.addLayout(titles)
        head.addStretch(1)
        words = label(
            self.tr(
                "Launchpad runs computational pathology applications on whole slide images. It is for research use "
                "only and not a diagnostic device. It is free software under the MIT licence, and not affiliated with "
                "the makers of the Aignostics SDK."
            ),
            wrap=True,
            name="about_words",
        )
        self._filter = QLineEdit()
        self._filter.setObjectName("licence_filter")
        self._filter.setPlaceholderText(self.tr("Filter by name or licence"))
        self._filter.setAccessibleName(self.tr("Filter licences"))
        self._filter.setClearButtonEnabled(True)
        self._filter.textChanged.connect(self._filtered)
        self._count = label(self.tr("Reading the licences …"), "muted", name="licence_count")
        self._list = QListWidget()
        self._list.setObjectName("licence_list")
        self._list.setAccessibleName(self.tr("Parts of Launchpad"))
        self._list.currentItemChanged.connect(self._chosen)
        self._text = QPlainTextEdit()
        self._text.setObjectName("licence_text")
        self._text.setReadOnly(True)
        self._text.setAccessibleName(self.tr("Text of the licence"))
        self._list.setProperty("role", "padded")
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.setTextElideMode(Qt.TextElideMode.ElideRight)
        parts = QHBoxLayout()
        parts.setSpacing(12)
        parts.addWidget(self._list, 1)
        parts.addWidget(self._text, 2)
        card = Card(16)
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(label(self.tr("Licences"), "section"))
        row.addWidget(self._count)
        row.addStretch(1)
        row.addWidget(self._filter, 1)
        card.column.addLayout(row)
        card.column.addLayout(parts, 1)
        box = QVBoxLayout(self)
        box.setContentsMargins(32, 24, 32, 20)
        box.setSpacing(14)
        box.addLayout(head)
        box.addWidget(words)
        box.addWidget(card, 1)
        session.spawn(self._load(), self)

    async def _load(self) -> None:
        self._show(await in_thread(_all_licences))

    def _show(self, licences: list[Licence]) -> None:
        self._list.clear()
        for licence in licences:
            item = QListWidgetItem(f"{licence.name} {licence.version}".strip() + f"\n{licence.licence}")
            item.setData(_LicenceRole, licence)
            self._list.addItem(item)
        self._list.setCurrentRow(0)
        self._filtered(self._filter.text())

    @Slot(str)
    def _filtered(self, text: str) -> None:
        wanted, shown = text.casefold().strip(), 0
        for row in range(self._list.count()):
            item = self._list.item(row)
            fits = wanted in item.text().casefold()
            item.setHidden(not fits)
            shown += fits
        self._count.setText(self.tr("%n parts", "", shown) if shown else self.tr("No part has this in its name."))

    @Slot(QListWidgetItem)
    def _chosen(self, item: QListWidgetItem | None) -> None:
        licence: Licence | None = item.data(_LicenceRole) if item is not None else None
        missing = self.tr("The package brings no text of its licence.")
        self._text.setPlainText(licence.text or missing if licence is not None else "")


def _all_licences() -> list[Licence]:
    """In a worker thread: Launchpad's own first."""
    from launchpad.system.licences import Licence, packages, shipped

    own = paths.resource("LICENSE.txt").read_text(encoding="utf-8")
    return [Licence("Launchpad", __version__, "MIT", own), *shipped(), *packages()]
