"""The pieces of the wizard that need no platform: stepper, drop area, pasted paths, tags, order of versions."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from launchpad.application.columns import mpp_limits, outside
from launchpad.desktop.pages.wizard.draft_model import default_schedule
from launchpad.desktop.pages.wizard.step_slides import _path
from launchpad.desktop.widgets.drop_area import DropArea
from launchpad.desktop.widgets.stepper import Stepper, StepState
from launchpad.desktop.widgets.tag_chips import TagChips

NAMES = ("Version", "Find slides", "Slides", "Notes & tags", "Schedule", "Submit")


def test_the_stepper_leads_back_but_not_ahead(qtbot: QtBot) -> None:
    stepper = Stepper(NAMES)
    qtbot.addWidget(stepper)
    stepper.resize(1000, 40)
    stepper.show()
    stepper.set_current(3, reachable=3)
    assert [step.state for step in stepper.steps[:4]] == [
        StepState.DONE,
        StepState.DONE,
        StepState.CURRENT,
        StepState.AHEAD,
    ]
    chosen: list[int] = []
    stepper.chosen.connect(chosen.append)
    for step in stepper.steps:
        QTest.mouseClick(step, Qt.MouseButton.LeftButton)
    assert chosen == [1, 2]
    assert stepper.steps[2].accessibleName() == "Step 3, Slides: current step"


def test_the_stepper_fits_a_small_window(qtbot: QtBot) -> None:
    stepper = Stepper(NAMES)
    qtbot.addWidget(stepper)
    stepper.show()
    for width in (1000, 664, 480):
        stepper.resize(width, 40)
        QApplication.processEvents()
        last = stepper.steps[-1]
        assert last.geometry().right() <= stepper.width(), width
        wide = [step.number for step in stepper.steps if step.width() > 40]
        assert wide == ([1, 2, 3, 4, 5, 6] if width == 1000 else [1])


def drag(paths: list[Path]) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data


def test_files_and_folders_are_dropped(qtbot: QtBot, tmp_path: Path) -> None:
    area = DropArea("Drop slides here", large=True)
    qtbot.addWidget(area)
    area.resize(400, 200)
    dropped: list[list[Path]] = []
    area.dropped.connect(dropped.append)
    data = drag([tmp_path / "ä slide.svs", tmp_path])
    copy, button, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(5, 5), copy, data, button, none)
    QApplication.sendEvent(area, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(area, QDropEvent(QPoint(5, 5).toPointF(), copy, data, button, none))
    assert dropped == [[tmp_path / "ä slide.svs", tmp_path]]


def test_text_is_not_dropped(qtbot: QtBot) -> None:
    area = DropArea("Drop slides here")
    qtbot.addWidget(area)
    data = QMimeData()
    data.setText("/tmp")
    copy, button, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(5, 5), copy, data, button, none)
    enter.ignore()
    QApplication.sendEvent(area, enter)
    assert not enter.isAccepted()


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ('  "/data/my slides/a.svs" ', Path("/data/my slides/a.svs")),
        ("'/data/a.svs'", Path("/data/a.svs")),
        ("file:///data/my%20slides/100%2525.svs", Path("/data/my slides/100%25.svs")),
        ("~/slides", Path.home() / "slides"),
        ("   ", None),
    ],
)
def test_pasted_paths(line: str, path: Path | None) -> None:
    assert _path(line) == path


@pytest.mark.parametrize(
    ("mpp", "allowed"), [(0.05, False), (0.051, True), (2.0, True), (2.01, False), (float("nan"), False)]
)
def test_the_schema_limits_the_mpp(mpp: float, allowed: bool) -> None:
    schema = {"properties": {"resolution_mpp": {"type": "number", "exclusiveMinimum": 0.05, "maximum": 2.0}}}
    assert (not outside(mpp_limits(schema), mpp)) is allowed


def test_the_default_schedule_is_six_and_twenty_four_hours() -> None:
    due, deadline = default_schedule()
    assert due.tzinfo is not None
    assert (deadline - due).total_seconds() == 18 * 3600


def test_tags_wrap_and_a_click_takes_one_away(qtbot: QtBot) -> None:
    chips = TagChips()
    qtbot.addWidget(chips)
    chips.resize(200, 10)
    chips.show()
    chips.show_tags(["first", "R&D", "a rather long tag"])
    buttons = [chip for chip in chips.findChildren(QPushButton) if chip.isVisible()]
    assert all(chip.geometry().right() <= chips.width() for chip in buttons)
    assert chips.height() > buttons[0].height()
    removed: list[str] = []
    chips.removed.connect(removed.append)
    QTest.mouseClick(buttons[1], Qt.MouseButton.LeftButton)
    assert removed == ["R&D"]
