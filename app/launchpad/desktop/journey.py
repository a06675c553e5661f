"""The journey of a first-time user through the real window, by mouse and key events: from slides to results on disk.

Drives `make run` where there is no display, and `launchpad self-test`. Each step is printed and leaves a screenshot;
a blank screenshot or a step that fails ends it with exit code 1. Widgets are found by their object names.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from launchpad.desktop.qupath_stand_in import QuPathStandIn, StandInFailed
from launchpad.other_programs import set_by_the_bundle

if TYPE_CHECKING:
    from PySide6.QtCore import QModelIndex
    from PySide6.QtWidgets import QAbstractItemView, QMainWindow, QWidget

APPLICATION = "Open H&E TME"
CHOICES = {"tissue": "LUNG", "disease": "LUNG_CANCER", "staining_method": "H&E"}
RESULTS = {
    "tissue_segmentation_geojson_polygons.json",
    "cell_classification_geojson_polygons.json",
    "tissue_segmentation_tiff_segmap.tiff",
    "readout_generation_csv_measurements.csv",
    "readout_generation_json_summary.json",
}


class StepFailed(Exception):
    """A step of the journey did not do what it should."""


class Journey:
    """Drives one main window. Runs on its event loop, so every wait is an await."""

    def __init__(
        self,
        window: QMainWindow,
        slides: Sequence[Path],
        screenshots: Path,
        prefix: str,
        qupath: QuPathStandIn | None = None,
    ) -> None:
        self._window = window
        self._qupath = qupath
        self._slides = slides
        self._screenshots = screenshots
        self._prefix = prefix
        self._number = 0
        self._count = 0
        self._run_folder: Path | None = None
        self._started = time.monotonic()

    async def run(self) -> None:
        """All steps, in order.

        Raises:
            StepFailed: the step that failed says what it waited for.
        """
        try:
            await self._choose_application()
            await self._find_slides()
            await self._fill_table()
            await self._notes_and_schedule()
            await self._submit()
            await self._results()
            if self._qupath is not None:
                await self._open_in_qupath(self._qupath)
        except Exception:
            self._shot("failed", check=False)
            raise

    # --- steps ------------------------------------------------------------------------------------------------------
    async def _choose_application(self) -> None:
        await self._pass_first_start()
        applications = await self._find("application_list")
        row = await self._until(
            "the application in the sidebar", lambda: _row_with(self._view(applications), APPLICATION), 60
        )
        self._shot("start")
        self._click_row(self._view(applications), row)
        version = await self._find("version_choice")
        await self._until("a version to choose", lambda: _count(version) > 0)
        await self._until("the next button", lambda: self._enabled("wizard_next"))
        self._shot("version")
        self._click("wizard_next")

    async def _pass_first_start(self) -> None:
        """A fresh data folder asks how to begin; one that was used before does not."""
        from PySide6.QtWidgets import QPushButton

        button = self._window.findChild(QPushButton, "first_start_here")
        if button is not None and button.isVisible():
            self._click("first_start_here")

    async def _find_slides(self) -> None:
        for path in self._slides:
            field = await self._find("source_path")
            self._type(field, str(path))
            self._press(field, "return")
            await self._until("the pasted path to be taken", partial(_is_cleared, field))
        await self._until("slides to be found", lambda: self._enabled("wizard_next"), 120)
        label = await self._find("found_label")
        self._say(f"found: {_text(label)}")
        self._shot("find-slides")
        self._click("wizard_next")

    async def _fill_table(self) -> None:
        from PySide6.QtCore import Qt

        table = self._view(await self._find("slide_table"))
        model = table.model()
        await self._until("rows in the slide table", lambda: model.rowCount() > 0, 60)
        self._shot("slides-incomplete")
        columns = self._columns(table)
        for key, value in CHOICES.items():
            if key in columns:
                await self._choose(table, model.index(0, columns[key]), value)
        if model.rowCount() > 1:
            table.setFocus(Qt.FocusReason.TabFocusReason)
            for key in CHOICES:
                if key not in columns:
                    continue
                table.setCurrentIndex(model.index(0, columns[key]))
                table.selectAll()
                table.selectionModel().setCurrentIndex(
                    model.index(0, columns[key]), table.selectionModel().SelectionFlag.NoUpdate
                )
                self._click("fill_down")
        await self._until("all required cells to be filled", lambda: self._enabled("wizard_next"))
        await self._until("thumbnails", lambda: _has_thumbnail(table), 60)
        self._count = model.rowCount()
        self._say(f"{self._count} slides are ready")
        self._shot("slides-ready")
        self._click("wizard_next")

    async def _notes_and_schedule(self) -> None:
        note = await self._find("note_edit")
        self._type(note, "First look at the sample slide")
        tags = await self._find("tag_edit")
        self._type(tags, "sample")
        self._press(tags, "return")
        self._shot("notes")
        self._click("wizard_next")
        await self._find("schedule_off")
        self._shot("schedule")
        await self._until("the next button", lambda: self._enabled("wizard_next"))
        self._click("wizard_next")

    async def _submit(self) -> None:
        await self._find("submit_summary")
        await self._until("the submit button", lambda: self._enabled("wizard_submit"), 60)
        self._shot("review")
        self._click("wizard_submit")
        await self._find("run_state_pill", 120)
        self._shot("run")

    async def _results(self) -> None:
        pill = await self._find("run_state_pill")
        state = await self._until("the run to end", lambda: _ended(_text(pill)), 600)
        self._say(f"the run is {state.lower()}")
        if state != "Completed":
            raise StepFailed(f"the run ended as “{state}”")
        await self._until("the download button", lambda: self._enabled("download_results"))
        self._shot("completed")
        self._click("download_results")
        from launchpad import paths

        folder = paths.results_dir()
        found = await self._until("results on disk", lambda: _complete_results(folder, self._count), 120)
        await self._until(
            "the folder button", lambda: self._enabled("open_folder"), 120
        )  # QuPath's project is written, too
        self._shot("results")
        for place in found:
            summary = json.loads((place / "readout_generation_json_summary.json").read_text(encoding="utf-8"))
            provenance = summary["provenance"]
            missing = [
                key for key in ("platform", "application", "application_version", "engine") if not provenance.get(key)
            ]
            if missing:
                raise StepFailed(f"{place.name}: the readout does not name {', '.join(missing)}")
            self._say(
                f"{place.name}: {len(RESULTS)} result files, made by {provenance['platform']}, "
                f"{provenance['application']} {provenance['application_version']}"
            )
        self._run_folder = found[0].parent
        self._say(f"results in {folder}")

    async def _open_in_qupath(self, qupath: QuPathStandIn) -> None:
        await self._until("the QuPath button", lambda: self._enabled("open_in_qupath"), 60)
        self._click("open_in_qupath")
        await self._until("QuPath to start", qupath.has_started, 60)
        project = qupath.check()
        if self._run_folder is None or not project.is_relative_to(self._run_folder):
            raise StepFailed(f"QuPath was started with {project}, which is not of this run")
        self._shot("opened-in-qupath")
        self._say(f"QuPath's stand-in was started with {project}, in a clean environment")
        # The browser and the file manager are started by Qt, with what this process has.
        if ours := _inherited():
            raise StepFailed(f"other programs would be led into the bundle by {', '.join(ours)}")
        self._say("what other programs inherit leads none of them into the bundle")

    async def answer_quit(self) -> None:
        """Quit also when a step failed in the middle of a transfer, which the window then asks about."""
        await asyncio.sleep(0.2)
        if self._enabled("quit_now"):
            self._click("quit_now")

    # --- hands ------------------------------------------------------------------------------------------------------
    async def _find(self, name: str, seconds: float = 30) -> QWidget:
        widget: QWidget = await self._until(f"“{name}” to be visible", lambda: self._visible(name), seconds)
        return widget

    def _visible(self, name: str) -> QWidget | None:
        from PySide6.QtWidgets import QWidget

        for widget in self._window.findChildren(QWidget, name):
            if widget.isVisible():
                return widget
        return None

    def _enabled(self, name: str) -> bool:
        widget = self._visible(name)
        return widget is not None and widget.isEnabled()

    async def _until(self, what: str, condition: Callable[[], Any], seconds: float = 30) -> Any:
        seconds = min(seconds, float(os.environ.get("LAUNCHPAD_JOURNEY_SECONDS", "600")))
        end = time.monotonic() + seconds
        while True:
            value = condition()
            if value is not None and value is not False:
                return value
            if time.monotonic() > end:
                raise StepFailed(f"waited {seconds:g} s for {what}")
            await asyncio.sleep(0.03)

    def _click(self, name: str) -> None:
        from PySide6.QtCore import Qt
        from PySide6.QtTest import QTest

        widget = self._visible(name)
        if widget is None or not widget.isEnabled():
            raise StepFailed(f"“{name}” cannot be clicked")
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton)

    def _type(self, widget: QWidget, text: str) -> None:
        from PySide6.QtCore import Qt
        from PySide6.QtTest import QTest

        QTest.mouseClick(widget, Qt.MouseButton.LeftButton)
        if text.isascii():
            QTest.keyClicks(widget, text)
        else:  # QTest types one key an ASCII letter only; a person would paste
            from PySide6.QtGui import QGuiApplication

            QGuiApplication.clipboard().setText(text)
            QTest.keyClick(widget, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)

    def _press(self, widget: QWidget, key: str) -> None:
        from PySide6.QtCore import Qt
        from PySide6.QtTest import QTest

        QTest.keyClick(widget, {"return": Qt.Key.Key_Return}[key])

    def _view(self, widget: QWidget) -> QAbstractItemView:
        from PySide6.QtWidgets import QAbstractItemView

        if not isinstance(widget, QAbstractItemView):
            raise StepFailed(f"“{widget.objectName()}” is no list or table")
        return widget

    def _click_row(self, view: QAbstractItemView, index: QModelIndex) -> None:
        from PySide6.QtCore import Qt
        from PySide6.QtTest import QTest

        view.scrollTo(index)
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=view.visualRect(index).center())

    def _columns(self, table: QAbstractItemView) -> dict[str, int]:
        from launchpad.desktop.models.slide_table import SlideTableModel

        model = table.model()
        if not isinstance(model, SlideTableModel):
            raise StepFailed("the slide table has another model")
        return {model.column_key(number): number for number in range(model.columnCount())}

    async def _choose(self, table: QAbstractItemView, index: QModelIndex, value: str) -> None:
        """One click opens the editor; the value is chosen in its list by keyboard."""
        from PySide6.QtCore import Qt
        from PySide6.QtTest import QTest
        from PySide6.QtWidgets import QComboBox

        self._click_row(table, index)
        box = await self._until(
            "the choice to open",
            lambda: next((item for item in table.viewport().findChildren(QComboBox) if item.isVisible()), None),
        )
        await self._until("the list of the choice", lambda: box.view().isVisible())
        row = box.findText(value)
        if row < 0:
            raise StepFailed(f"the choice lacks “{value}”")
        QTest.keyClick(box.view(), Qt.Key.Key_Home)
        for _ in range(row):
            QTest.keyClick(box.view(), Qt.Key.Key_Down)
        QTest.keyClick(box.view(), Qt.Key.Key_Return)
        await self._until(f"“{value}” in the table", lambda: index.data() == value)

    # --- what is seen -----------------------------------------------------------------------------------------------
    def _say(self, text: str) -> None:
        sys.stdout.write(f"{time.monotonic() - self._started:6.1f} s  {text}\n")
        sys.stdout.flush()

    def _shot(self, name: str, *, check: bool = True) -> None:
        from PySide6.QtWidgets import QApplication

        QApplication.sendPostedEvents()  # what was asked for is laid out
        self._number += 1
        path = self._screenshots / f"{self._prefix}{self._number:02d}-{name}.png"
        picture = self._window.grab()
        self._screenshots.mkdir(parents=True, exist_ok=True)
        if not picture.save(str(path)):
            raise StepFailed(f"the screenshot {path} could not be written")
        self._say(f"step {self._number}: {name} -> {path}")
        if check and _is_blank(picture.toImage()):
            raise StepFailed(f"the screenshot {path.name} is blank")


def _is_blank(image: object) -> bool:
    """Whether a picture has fewer than 30 colours: an empty window, or text without a font."""
    from PySide6.QtGui import QImage

    if not isinstance(image, QImage):
        raise TypeError(type(image).__name__)
    small = image.convertToFormat(QImage.Format.Format_RGB32)
    colours = {small.pixel(x, y) for x in range(0, small.width(), 3) for y in range(0, small.height(), 3)}
    return len(colours) < 30


def _text(widget: QWidget) -> str:
    for name in ("text", "toPlainText"):
        method = getattr(widget, name, None)
        if method is not None:
            return str(method())
    raise StepFailed(f"“{widget.objectName()}” has no text")


def _is_cleared(widget: QWidget) -> bool:
    return not _text(widget)


def _count(widget: QWidget) -> int:
    from PySide6.QtWidgets import QComboBox

    return widget.count() if isinstance(widget, QComboBox) else 0


def _row_with(view: QAbstractItemView, text: str) -> QModelIndex | None:
    model = view.model()
    for row in range(model.rowCount()):
        index = model.index(row, 0)
        if text in str(index.data()):
            return index
    return None


def _has_thumbnail(table: QAbstractItemView) -> bool:
    """Whether the first row shows its picture."""
    from PySide6.QtCore import Qt

    model = table.model()
    return any(
        model.index(0, column).data(Qt.ItemDataRole.DecorationRole) is not None for column in range(model.columnCount())
    )


def _ended(words: str) -> str | None:
    return words if words and words not in ("Received", "Scheduled", "Running", "Queued", "Uploading") else None


def _complete_results(folder: Path, count: int) -> list[Path] | None:
    """The folders of `count` slides when all are whole and nothing is under way."""
    places = {file.parent for file in folder.glob("*/*/*.*")} if folder.is_dir() else set()
    if any(folder.rglob("*.part")):
        return None
    complete = [place for place in sorted(places) if {file.name for file in place.iterdir()} >= RESULTS]
    return complete if len(complete) == count else None


def main(argv: Sequence[str] | None = None) -> int:
    """Drive the journey in a data folder of its own and return the exit code."""
    from launchpad import paths

    parser = argparse.ArgumentParser(prog="journey", description=__doc__)
    parser.add_argument("--screenshots", type=Path, default=None, help="folder for the screenshots")
    parser.add_argument("--slides", type=Path, nargs="*", default=None, help="slides or folders; default: the sample")
    parser.add_argument("--qupath-stand-in", action="store_true", help="open the results in a stand-in for QuPath")
    parser.add_argument("--theme", choices=("light", "dark"), default="light")
    arguments = parser.parse_args(argv)
    slides = [path.absolute() for path in arguments.slides or [paths.resource("sample")]]
    if not sys.platform.startswith(("win", "darwin")) and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory(prefix="launchpad-journey-", ignore_cleanup_errors=True) as folder:
        os.environ.setdefault("LAUNCHPAD_DATA_DIR", folder)
        screenshots = (arguments.screenshots or Path(folder) / "screenshots").absolute()
        qupath = None
        if arguments.qupath_stand_in:
            if sys.platform == "win32":
                sys.stdout.write("The stand-in for QuPath is a shell script: not started on Windows.\n")
            else:
                qupath = QuPathStandIn(Path(folder) / "QuPath-0.6.0")
                os.environ["LAUNCHPAD_QUPATH"] = str(qupath.program)
        try:
            code = _run(slides, screenshots, arguments.theme, qupath)
        finally:
            if qupath is not None:
                qupath.end()
        if arguments.screenshots is not None:
            sys.stdout.write(f"Screenshots: {screenshots}\n")
        return code


def _inherited() -> list[str]:
    """What a program that is started without any care would find of the bundle in its environment."""
    said = subprocess.run(["env", "-0"], capture_output=True, text=True, check=True).stdout
    return set_by_the_bundle(dict(line.partition("=")[::2] for line in said.split("\0") if line))


def _run(slides: Sequence[Path], screenshots: Path, theme: str, qupath: QuPathStandIn | None) -> int:
    from launchpad.desktop import start
    from launchpad.platform import embedded

    outcome = {"code": 1}

    async def drive(window: QMainWindow) -> None:
        window.resize(1400, 900)  # whatever the screen: the pictures are to be compared
        prefix = f"{theme}-" if theme == "dark" else ""
        journey = Journey(window, slides, screenshots, prefix, qupath)
        try:
            await journey.run()
            outcome["code"] = 0
        except (StepFailed, StandInFailed) as error:
            sys.stderr.write(f"The journey failed: {error}.\n")
        except Exception:  # noqa: BLE001 - the journey reports whatever went wrong, and ends the application
            traceback.print_exc()
        finally:
            window.close()
            await journey.answer_quit()

    try:
        start.run(["--theme", theme], driver=drive)
    finally:
        embedded.stop()
    sys.stdout.write("The journey ended well.\n" if outcome["code"] == 0 else "The journey failed.\n")
    return outcome["code"]


if __name__ == "__main__":
    sys.exit(main())
