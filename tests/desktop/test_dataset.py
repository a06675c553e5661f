"""The page of public data sets, on a mirror of the public buckets: found, seen, downloaded, stopped, used."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QMenu, QPushButton, QWidget

from desktop_bench import Bench, until
from launchpad import paths
from launchpad.desktop.models.slide_search import SIZE
from launchpad.desktop.navigation import DatasetPage as DatasetRoute
from launchpad.desktop.pages.dataset import DatasetPage
from launchpad.desktop.theme import palette
from launchpad.desktop.window_state import WindowState
from public_mirror import FOLDER, PLACE, SERIES, Mirror

# Of sockets that the mirror's server leaves to the collector when a download breaks off.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(autouse=True)
def index_of_the_module(unpacked_index: Path, module_data_dir: Path) -> None:
    """The index is unpacked already."""
    target = module_data_dir / "datasets" / "index" / unpacked_index.name
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(unpacked_index)


@asynccontextmanager
async def opened(bench: Bench, tmp_path: Path) -> AsyncIterator[DatasetPage]:
    settings = QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)
    page = DatasetPage(bench.session, bench.jobs, WindowState(settings))
    page.download.folder = tmp_path / "slides"
    page.resize(1000, 760)
    page.show()
    await until(page._model.rowCount)
    try:
        yield page
    finally:
        page.leave()
        bench.session.tasks.let_go(page)
        page.close()
        page.deleteLater()
        await until(lambda: not len(bench.jobs))


def button(page: DatasetPage, name: str) -> QPushButton:
    found = page.findChild(QPushButton, name)
    assert isinstance(found, QPushButton)
    return found


def text(page: DatasetPage, name: str) -> str:
    found = page.findChild(QLabel, name)
    assert isinstance(found, QLabel)
    return found.text()


def click(page: DatasetPage, name: str) -> None:
    assert button(page, name).isEnabled(), name
    QTest.mouseClick(button(page, name), Qt.MouseButton.LeftButton)


async def choose_example(page: DatasetPage) -> None:
    click(page, "dataset_example")
    await until(lambda: [item.series_uid for item in page.chosen()] == [SERIES])
    await until(lambda: "398" in text(page, "dataset_chosen"))


def test_slides_are_found_by_words_collection_and_id(bench: Bench, tmp_path: Path, qapp: QApplication) -> None:
    palette.set_theme(qapp, False)

    async def work() -> None:
        async with opened(bench, tmp_path) as page:
            assert page._model.rowCount() == 1000
            assert "the first 1000" in text(page, "dataset_count").replace(",", "")
            QTest.keyClicks(page._search, "lung frozen HE")
            await until(lambda: page._model.rowCount() and page._model.series(0).description.startswith("Frozen"))
            page._collections.setCurrentIndex(page._collections.findData("tcga_lusc"))
            await until(lambda: {page._model.series(row).collection_id for row in range(9)} == {"tcga_lusc"})
            page._search.clear()
            QTest.keyClicks(page._search, "zebrafish")
            await until(lambda: "No public slide" in text(page, "dataset_empty") and not page._table.isVisible())
            page._collections.setCurrentIndex(0)
            page._search.setText("TCGA-86-6562")
            await until(lambda: page._model.rowCount() == 3)
            assert page._table.isVisible()
            page.activateWindow()
            page._table.setFocus(Qt.FocusReason.TabFocusReason)
            await until(page._table.hasFocus)
            QTest.keyClick(page._table, Qt.Key.Key_Down)
            await until(lambda: len(page.chosen()) == 1)
            cell = page._table.visualRect(page._table.currentIndex())
            picture = page._table.viewport().grab().toImage()
            assert picture.pixelColor(cell.left() + 1, cell.center().y()) == palette.current().colour("focus")

    bench.run(work())


def test_the_largest_of_all_slides_come_first_when_sizes_are_sorted(bench: Bench, tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(bench, tmp_path) as page:
            page._table.sortByColumn(SIZE, Qt.SortOrder.DescendingOrder)
            await until(lambda: page._model.series(0).size > 20e9)
            sizes = [page._model.series(row).size for row in range(page._model.rowCount())]
            assert sizes == sorted(sizes, reverse=True)

    bench.run(work())


def test_size_licence_and_citation_are_seen_before_the_download(bench: Bench, tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(bench, tmp_path) as page:
            assert not button(page, "dataset_download").isEnabled()
            await choose_example(page)
            assert text(page, "dataset_chosen") == "1 slide · 398.1\N{NO-BREAK SPACE}MB"
            assert text(page, "dataset_terms").startswith("CC BY 3.0 · Clunie, D.")
            assert text(page, "dataset_folder") == str(tmp_path / "slides")
            assert button(page, "dataset_download").isEnabled()
            page._table.clearSelection()
            await until(lambda: not button(page, "dataset_download").isEnabled())
            page._search.clear()
            await until(lambda: page._model.rowCount() == 1000)
            page._table.selectAll()
            await until(lambda: text(page, "dataset_terms").count("CC BY 4.0") == 3)  # all sources, in little room
            terms = page.findChild(QWidget, "dataset_terms_area")
            assert isinstance(terms, QWidget)
            assert terms.height() < 7 * terms.fontMetrics().lineSpacing()
            first = page._model.series(0)
            tip = page._model.index(0, 0).data(Qt.ItemDataRole.ToolTipRole)
            assert first.collection_id in tip
            assert first.patient_id in tip

    bench.run(work())


def test_large_text_in_a_small_window_leaves_the_list_its_room(
    bench: Bench, tmp_path: Path, qapp: QApplication
) -> None:
    async def work() -> None:
        palette.set_theme(qapp, False, 1.5)
        async with opened(bench, tmp_path) as page:
            page.resize(696, 574)  # what 1024 x 700 leaves
            await choose_example(page)
            QApplication.sendPostedEvents()
            assert page.minimumSizeHint().height() <= 574
            row = palette.current().size["rowCompact"]
            assert page._table.viewport().height() > 2 * row
            header = page._table.horizontalHeader()
            shown = [n for n in range(header.count()) if not header.isSectionHidden(n)]
            for column in shown:
                words = page._model.headerData(column, Qt.Orientation.Horizontal)
                assert header.sectionSize(column) > header.fontMetrics().horizontalAdvance(str(words)) + 20, words
            place = page.findChild(QLabel, "dataset_folder")
            terms = page.findChild(QWidget, "dataset_terms_area")
            assert isinstance(place, QLabel)
            assert isinstance(terms, QWidget)
            top = place.mapTo(page, place.rect().topLeft()).y()
            assert terms.mapTo(page, terms.rect().bottomLeft()).y() < top, "one lies over the other"

    try:
        bench.run(work())
    finally:
        palette.set_theme(qapp, False)


def test_a_slide_is_downloaded_and_used_in_a_run(bench: Bench, tmp_path: Path, public_mirror: Mirror) -> None:
    async def work() -> None:
        async with opened(bench, tmp_path) as page:
            wanted: list[tuple[str, list[Path]]] = []
            page.use_wanted.connect(lambda application, folders: wanted.append((application, folders)))
            await choose_example(page)
            click(page, "dataset_download")
            await until(page.done.isVisible)
            folder = tmp_path / "slides" / PLACE
            assert len(list(folder.glob("*.dcm"))) == 8
            assert (folder / "CITATION.txt").is_file()
            assert str(tmp_path / "slides") in page.done.text()
            assert not page.banner.isVisible()
            click(page, "dataset_use")
            menu = next(item for item in page.findChildren(QMenu) if item.isVisible())
            names = [action.text() for action in menu.actions()]
            menu.actions()[next(n for n, name in enumerate(names) if "TME" in name)].trigger()
            menu.close()
            assert wanted == [("he-tme", [folder])]
            wizard = await bench.page(ready=False)
            wizard.take_files(wanted[0][1])  # the window gives them at once, before the version is loaded
            await until(lambda: wizard.step == 2)
            await until(lambda: wizard.model.scan is None and wizard.model.slides.rowCount() == 1)
            slide = wizard.model.draft.slides[0]
            assert (slide.proposals["tissue"], slide.proposals["disease"]) == ("LUNG", "LUNG_CANCER")
            assert not slide.values.get("tissue")
            wizard.model.slides.take_proposals()
            values = wizard.model.draft.slides[0].values
            assert (values["tissue"], values["disease"]) == ("LUNG", "LUNG_CANCER")

    bench.run(work())


def test_a_download_is_stopped_and_goes_on(bench: Bench, tmp_path: Path, public_mirror: Mirror) -> None:
    public_mirror.put(f"{FOLDER}/large.dcm", os.urandom(48 << 20))

    async def work() -> None:
        async with opened(bench, tmp_path) as page:
            await choose_example(page)
            click(page, "dataset_download")
            assert not button(page, "dataset_download").isEnabled()
            await until(lambda: " of " in text(page, "dataset_words"))
            click(page, "dataset_cancel")
            await until(lambda: not page.download.running)
            assert "goes on from there" in page.stopped.text()
            assert page.stopped.isVisible()
            assert not page.done.isVisible()
            assert not page.banner.isVisible()
            assert not (tmp_path / "slides" / PLACE / "large.dcm").exists()
            click(page, "dataset_download")
            assert not page.stopped.isVisible()
            await until(page.done.isVisible)
            assert (tmp_path / "slides" / PLACE / "large.dcm").stat().st_size == 48 << 20

    bench.run(work())


def test_what_goes_wrong_is_said(
    bench: Bench, tmp_path: Path, public_mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("secret", "secret-2"):
        public_mirror.put(f"{FOLDER}/{name}.dcm", b"not for all", acl="private")

    async def work() -> None:
        async with opened(bench, tmp_path) as page:
            await choose_example(page)
            click(page, "dataset_download")
            await until(page.banner.isVisible)
            assert "secret" in page.banner.text()
            assert page.banner.text().endswith("1 more failed.")
            assert not page.done.isVisible()
            monkeypatch.setenv("LAUNCHPAD_IDC_MIRROR", "http://127.0.0.1:9")
            click(page, "dataset_download")
            await until(lambda: "cannot be reached" in page.banner.text() and page.banner.isVisible())
            assert button(page, "dataset_download").isEnabled()

    bench.run(work())


def test_leaving_the_page_ends_its_download(bench: Bench, tmp_path: Path, public_mirror: Mirror) -> None:
    public_mirror.put(f"{FOLDER}/large.dcm", os.urandom(48 << 20))

    async def work() -> None:
        async with opened(bench, tmp_path) as page:
            await choose_example(page)
            click(page, "dataset_download")
            await until(lambda: len(bench.jobs))

    bench.run(work())
    assert not (tmp_path / "slides" / PLACE / "large.dcm").exists()


def test_the_wizard_offers_what_was_downloaded_and_the_way_to_more(
    bench: Bench, tmp_path: Path, public_mirror: Mirror
) -> None:
    async def work() -> None:
        async with opened(bench, tmp_path) as page:
            page.download.folder = paths.datasets_dir() / "idc"
            await choose_example(page)
            click(page, "dataset_download")
            await until(page.done.isVisible)
        wizard = await bench.page()
        wizard.open_step(2)
        finding = wizard.finding
        await until(lambda: len(finding._sets.actions()) > 1)
        first, *_, more = finding._sets.actions()
        assert first.text() == "tcga_luad · TCGA-86-6562 · Frozen HE TP TS1"
        first.trigger()
        await until(lambda: wizard.model.scan is None and wizard.model.slides.rowCount() == 1)
        more.trigger()
        assert bench.went[-1] == DatasetRoute()

    bench.run(work())


def test_the_buttons_of_the_wizard_fit_into_the_smallest_window(bench: Bench) -> None:
    async def work() -> None:
        wizard = await bench.page()
        wizard.setMinimumWidth(1)  # the window gives it what there is
        wizard.open_step(2)
        finding = wizard.finding
        finding._show_recent([str(paths.data_dir())])
        for width, words in ((1100, 5), (728, 4), (1100, 5)):
            wizard.resize(width, 616)
            await until(lambda width=width: wizard.width() == width)
            QApplication.sendPostedEvents()
            await until(lambda words=words: sum(bool(item.text()) for item in finding._ways) == words)
            right = [item.mapTo(wizard, item.rect().topRight()).x() for item in finding._ways]
            assert max(right) < width
            assert all(item.text() or item.toolTip() for item in finding._ways)

    bench.run(work())
