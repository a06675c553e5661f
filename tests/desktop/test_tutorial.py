"""The steps of the tutorial in their order, by mouse and key, in the whole window on a real platform. Each test begins
with a fresh window and walks the steps before its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import qasync
from PySide6.QtCore import QEvent, QModelIndex, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QFileDialog,
    QLabel,
    QLineEdit,
    QListWidget,
    QPlainTextEdit,
    QPushButton,
    QTableView,
    QWidget,
)

from desktop_bench import begun, until
from launchpad import paths
from launchpad.application.draft import delete_draft, load_drafts
from launchpad.desktop.app import Application
from launchpad.desktop.background import pool
from launchpad.desktop.models.slide_table import SlideTableModel
from launchpad.desktop.pages.dataset import DatasetPage
from launchpad.desktop.start import FirstWindow
from launchpad.desktop.widgets.basics import Pill
from public_mirror import PLACE, SERIES, Mirror

APPLICATION = "Open H&E TME"
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support grabbing the keyboard", extend=True)


class Desk:
    """The whole application, and hands to use it with."""

    def __init__(self, qapp: QApplication, folder: Path) -> None:
        self.loop = qasync.QEventLoop(qapp)
        asyncio.set_event_loop(self.loop)
        self.app = Application(FirstWindow(qapp, "light"), [])
        self.window = self.app.window
        self.folder = folder
        self.errors: list[BaseException] = []
        self.app.session.tasks._on_error = self.errors.append

    def run(self, *steps: Callable[[Desk], Awaitable[None]]) -> None:
        async def work() -> None:
            async with asyncio.timeout(150):
                self.app._ended = asyncio.Event()
                self.app.session.start()
                for step in steps:
                    await step(self)

        self.loop.run_until_complete(work())
        assert self.errors == []

    def find(self, kind: type[Any], name: str) -> Any:
        found = [item for item in self.window.findChildren(kind, name) if item.isVisible()]
        assert found, f"{name} is not to be seen"
        return found[0]

    async def click(self, name: str) -> None:
        await until(
            lambda: any(item.isVisible() and item.isEnabled() for item in self.window.findChildren(QPushButton, name))
        )
        QTest.mouseClick(self.find(QPushButton, name), Qt.MouseButton.LeftButton)

    def click_index(self, view: Any, index: QModelIndex) -> None:
        view.scrollTo(index)
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=view.visualRect(index).center())

    async def choose(self, table: QTableView, index: QModelIndex, value: str) -> None:
        """Click a red cell and take the value from its list."""
        self.click_index(table, index)
        box = None

        def opened() -> bool:
            nonlocal box
            box = next((item for item in table.viewport().findChildren(QComboBox) if item.isVisible()), None)
            return box is not None and box.view().isVisible()

        await until(opened)
        assert box is not None
        QTest.keyClick(box.view(), Qt.Key.Key_Home)
        for _ in range(box.findText(value)):
            QTest.keyClick(box.view(), Qt.Key.Key_Down)
        QTest.keyClick(box.view(), Qt.Key.Key_Return)
        await until(lambda: index.data() == value)


@pytest.fixture
def desk(qapp: QApplication, platform_endpoint: object, sample_svs: Path, tmp_path: Path) -> Iterator[Desk]:
    qapp.setQuitOnLastWindowClosed(False)
    folder = tmp_path / "tcga_luad"
    folder.mkdir()
    (folder / "slide ä.svs").symlink_to(sample_svs)
    begun()
    made = Desk(qapp, folder)
    made.app.show()
    yield made
    made.loop.run_until_complete(made.app._end())
    made.window.deleteLater()
    made.app.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    for draft in load_drafts():
        delete_draft(draft.id)
    pool.close()
    made.loop.close()
    asyncio.set_event_loop(None)


@pytest.fixture
def tutorial_index(unpacked_index: Path, module_data_dir: Path) -> None:
    """The index of public slides is unpacked already."""
    target = module_data_dir / "datasets" / "index" / unpacked_index.name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.symlink_to(unpacked_index)


async def start(desk: Desk) -> None:
    """Step 1: the window opens with the catalog above the runs, and is healthy."""
    applications = desk.find(QListWidget, "application_list")
    await until(applications.count)
    await until(lambda: desk.app.session.health is not None)
    assert desk.window.footer.text() == "Launchpad is healthy"
    assert any(APPLICATION in applications.item(row).text() for row in range(applications.count()))


async def download_data_set(desk: Desk) -> None:
    """Step 2: “Download data sets” in the menu, the example, its folder by the system's dialog, the download; back."""
    QTest.mouseClick(desk.find(QPushButton, "menu"), Qt.MouseButton.LeftButton)
    await until(desk.window.menu.isVisible)
    action = next(item for item in desk.window.menu.actions() if item.objectName() == "menu_datasets")
    QTest.mouseClick(desk.window.menu, Qt.MouseButton.LeftButton, pos=desk.window.menu.actionGeometry(action).center())
    await until(lambda: isinstance(desk.window.page(), DatasetPage))
    page = desk.window.page()
    await until(page._model.rowCount)
    await desk.click("dataset_example")
    await until(lambda: [item.series_uid for item in page.chosen()] == [SERIES])
    assert desk.find(QLineEdit, "dataset_search").text() == SERIES
    await desk.click("dataset_data")
    await until(lambda: any(item.isVisible() for item in desk.window.findChildren(QFileDialog)))
    dialog = next(item for item in desk.window.findChildren(QFileDialog) if item.isVisible())
    dialog.fileSelected.emit(str(desk.folder.parent))
    dialog.reject()
    await desk.click("dataset_download")
    await until(page.done.isVisible)
    assert len(list((desk.folder.parent / PLACE).glob("*.dcm"))) == 8
    QTest.mouseClick(desk.find(QPushButton, "menu"), Qt.MouseButton.LeftButton)
    await until(desk.window.menu.isVisible)
    action = next(item for item in desk.window.menu.actions() if item.objectName() == "menu_applications")
    QTest.mouseClick(desk.window.menu, Qt.MouseButton.LeftButton, pos=desk.window.menu.actionGeometry(action).center())
    await until(lambda: not isinstance(desk.window.page(), DatasetPage))


async def use_data_set(desk: Desk) -> None:
    """Step 4 with the downloaded slide: what its collection tells is offered, and taken by a click."""
    await desk.click("add_folder")
    await until(lambda: any(item.isVisible() for item in desk.window.findChildren(QFileDialog)))
    dialog = next(item for item in desk.window.findChildren(QFileDialog) if item.isVisible())
    dialog.filesSelected.emit([str(desk.folder.parent / PLACE)])
    dialog.reject()
    await desk.click("wizard_next")
    assert "2 empty cells have proposals" in desk.find(QLabel, "proposals_text").text()
    await desk.click("take_proposals")
    assert not any(item.isVisible() for item in desk.window.findChildren(QLabel, "proposals_text"))
    model: SlideTableModel = desk.find(QTableView, "slide_table").model()
    values = {key: model.index(0, model.column_of(key) or 0).data() for key in ("tissue", "disease")}
    assert values == {"tissue": "LUNG", "disease": "LUNG_CANCER"}
    await desk.click("wizard_next")


async def select_application(desk: Desk) -> None:
    """Step 3: a click in the sidebar opens the six steps at the latest version; Next."""
    applications = desk.find(QListWidget, "application_list")
    row = next(row for row in range(applications.count()) if APPLICATION in applications.item(row).text())
    desk.click_index(applications, applications.model().index(row, 0))
    await until(
        lambda: any(item.isVisible() and item.count() for item in desk.window.findChildren(QComboBox, "version_choice"))
    )
    assert len([desk.find(QWidget, f"step_{number}") for number in range(1, 7)]) == 6
    await desk.click("wizard_next")


async def select_slides(desk: Desk) -> None:
    """Step 4: the folder from the system's dialog, then tissue and disease in the red cells."""
    await desk.click("add_folder")
    await until(lambda: any(item.isVisible() for item in desk.window.findChildren(QFileDialog)))
    dialog = next(item for item in desk.window.findChildren(QFileDialog) if item.isVisible())
    dialog.filesSelected.emit([str(desk.folder)])
    dialog.reject()
    await desk.click("wizard_next")
    table = desk.find(QTableView, "slide_table")
    model: SlideTableModel = table.model()
    assert model.rowCount() == 1
    assert "need" in desk.find(Pill, "attention_pill").text()
    for key, value in (("tissue", "LUNG"), ("disease", "LUNG_CANCER")):
        column = model.column_of(key)
        assert column is not None
        assert "missing" in model.error(model.slide(0), column)
        await desk.choose(table, model.index(0, column), value)
        assert model.error(model.slide(0), column) == ""
    stain = model.column_of("staining_method")
    assert stain is not None
    if not model.index(0, stain).data():
        await desk.choose(table, model.index(0, stain), "H&E")
    await desk.click("wizard_next")


async def add_notes(desk: Desk) -> None:
    """Step 5: a note, and tags by Enter."""
    QTest.keyClicks(desk.find(QPlainTextEdit, "note_edit"), "TCGA lung sample analysis")
    field = desk.find(QLineEdit, "tag_edit")
    for tag in ("TCGA", "lung"):
        QTest.keyClicks(field, tag)
        QTest.keyClick(field, Qt.Key.Key_Return)
    await desk.click("wizard_next")


async def set_schedule(desk: Desk) -> None:
    """Step 6: the defaults stay."""
    draft = desk.window.page().model.draft
    assert draft.tags == ["TCGA", "lung"]
    assert draft.note == "TCGA lung sample analysis"
    assert draft.due_date is not None
    assert draft.deadline is not None
    assert draft.due_date < draft.deadline
    await desk.click("wizard_next")


async def submit(desk: Desk) -> None:
    """Step 7: the check has nothing in the way; upload and submit; the sidebar shows the run with its tags."""
    desk.find(QWidget, "submit_summary")
    assert "1 slide" in desk.window.page().review._values[2].text()
    await desk.click("wizard_submit")
    await until(lambda: desk.window.findChildren(Pill, "run_state_pill"))
    await until(lambda: desk.window.sidebar.model.rowCount() >= 1)
    sidebar = desk.window.sidebar.model
    assert APPLICATION in str(sidebar.index(0).data())
    assert sidebar.tags() == ["lung", "TCGA"]


async def monitor(desk: Desk) -> None:
    """Step 8: a click on the run in the sidebar; its state goes on by itself until it is completed."""
    runs = desk.window.sidebar._runs
    desk.click_index(runs, runs.model().index(0, 0))
    pills = lambda: [pill.text() for pill in desk.window.page().findChildren(Pill, "run_state_pill")]  # noqa: E731
    await until(lambda: pills() == ["Completed"], 120)
    assert desk.window.page()._timeline.text().startswith("Submitted")
    items = desk.find(QTableView, "item_table")
    assert items.model().rowCount() == 1


async def download(desk: Desk) -> None:
    """Understanding the results: download them, look at the measurements, and open the folder."""
    await desk.click("download_results")
    results = paths.results_dir() / desk.window.page().run_id
    await until(lambda: any(results.rglob("*csv_measurements.csv")) and not any(results.rglob("*.part")))
    await until(lambda: desk.find(QPushButton, "open_folder").isEnabled())
    artifacts = desk.find(QListWidget, "artifact_list")
    row = next(row for row in range(artifacts.count()) if "csv" in artifacts.item(row).text())
    artifacts.setCurrentRow(row)
    QTest.keyClick(artifacts, Qt.Key.Key_Return)
    await until(lambda: any(item.isVisible() for item in desk.window.findChildren(QTableView, "preview_table")))
    table = desk.find(QTableView, "preview_table")
    headers = [str(table.model().headerData(column, Qt.Orientation.Horizontal)) for column in range(3)]
    assert headers[:2] == ["external_id", "class"]
    QTest.keyClick(desk.window.page()._shown_preview, Qt.Key.Key_Escape)
    assert desk.find(QTableView, "item_table").isVisible()


async def again(desk: Desk) -> None:
    """The same run once more: a draft with its slide and what was said about it."""
    first = desk.window.page()
    first._wanted("duplicate")
    await until(lambda: desk.window.page() is not first and hasattr(desk.window.page(), "step"))
    page = desk.window.page()
    await until(lambda: page.model.draft.slides and page.model.version is not None)
    draft = page.model.draft
    assert draft.slides[0].values["tissue"] == "LUNG"
    assert (draft.note, draft.tags) == ("TCGA lung sample analysis", ["TCGA", "lung"])
    page.open_step(6)
    assert page.step == 6, page.model.problems()


def test_step_1_start_launchpad(desk: Desk) -> None:
    desk.run(start)


def test_step_2_download_a_sample_data_set(desk: Desk, public_mirror: Mirror, tutorial_index: None) -> None:
    desk.run(start, download_data_set, select_application, use_data_set)


def test_step_3_select_the_application(desk: Desk) -> None:
    desk.run(start, select_application)


def test_step_4_select_slides_and_provide_metadata(desk: Desk) -> None:
    desk.run(start, select_application, select_slides)


def test_step_5_add_notes_and_tags(desk: Desk) -> None:
    desk.run(start, select_application, select_slides, add_notes)


def test_step_6_set_the_schedule(desk: Desk) -> None:
    desk.run(start, select_application, select_slides, add_notes, set_schedule)


def test_steps_7_and_8_submit_monitor_and_look_at_the_results(desk: Desk) -> None:
    desk.run(start, select_application, select_slides, add_notes, set_schedule, submit, monitor, download, again)
