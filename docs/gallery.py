"""Screenshots of every page, light and dark, into a folder: `python docs/gallery.py docs/screenshots`.

Makes runs on a local platform of its own first, so that the pages have something to show.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from launchpad.desktop.main_window import MainWindow

ROOT = Path(__file__).resolve().parent.parent
SLIDES = ROOT / "tests" / "data" / "slides"
COLOURS = 256  # of a small PNG


def make_runs(folder: Path) -> list[str]:
    """Three runs: of every form of the sample, of one slide that disappears, and one that was cancelled."""
    from dataclasses import replace

    from launchpad import paths
    from launchpad.application.draft import SubmissionDraft
    from launchpad.application.service import Service

    folder.mkdir(parents=True, exist_ok=True)
    gone = folder / "Case-7 (moved away).svs"
    shutil.copy(ROOT / "resources" / "sample" / "CMU-1-Small-Region.svs", gone)
    made = []
    with Service() as service:
        for number, (sources, note, tags) in enumerate(
            (
                ([SLIDES], "All forms of the sample", ["sample", "cohort B"]),
                ([SLIDES / "CMU-1-Small-Region.pyramid.tiff", gone], "One slide was moved away", ["sample"]),
            )
        ):
            version = service.application_version("he-tme")
            prepared = service.prepare(sources, version)
            slides = [
                replace(
                    slide,
                    mpp=slide.mpp or 0.5,
                    values={"tissue": "LUNG", "disease": "LUNG_CANCER", "staining_method": "H&E"},
                )
                for slide in prepared.slides
                if not slide.error
            ]
            from launchpad.application.columns import columns, input_artifact

            fields = columns(input_artifact(version).metadata_schema)
            slides = service.upload(slides, "he-tme", version.version_number)
            if number == 1:
                gone.unlink()
            draft = SubmissionDraft(
                "he-tme", version=version.version_number, columns=fields, slides=list(slides), note=note, tags=tags
            )
            made.append(service.submit(draft, version, interface="launchpad"))
        end = time.monotonic() + 600
        while time.monotonic() < end and any(service.client.run(run).details().state != "TERMINATED" for run in made):
            time.sleep(0.5)
        service.application_run_download(made[0], paths.results_dir(), qupath_project=True)
    return made


class Gallery:
    """Visits the pages of one window and keeps a picture of each."""

    def __init__(self, window: MainWindow, folder: Path, scheme: str, runs: list[str]) -> None:
        self._window, self._folder, self._scheme, self._runs = window, folder, scheme, runs

    async def run(self) -> None:
        """All pages."""
        from launchpad.desktop.navigation import (
            About,
            BucketPage,
            Catalog,
            DatasetPage,
            FirstStart,
            Home,
            Info,
            NotebookPage,
            QuPathPage,
            RunPage,
            SignIn,
            TransferList,
        )

        window = self._window
        session = window._session
        first = window.page_of(FirstStart())
        assert first is not None
        await self._shot("first-start")
        self._go(SignIn())
        await self._settle(1.0)
        await self._shot("sign-in")
        first.begin_here.emit()
        await self._until("runs", lambda: session.runs_loaded and session.applications and session.health is not None)
        self._go(Home())
        await self._shot("home")
        self._go(Catalog("he-tme"))
        await self._settle(1.0)
        await self._shot("catalog")
        for name, run in zip(("run", "run-with-failures"), self._runs, strict=True):
            self._go(RunPage(run))
            await self._settle(2.5)
            await self._shot(name)
        for name, route in (
            ("transfers", TransferList()), ("bucket", BucketPage()), ("info", Info()), ("about", About()),
            ("qupath", QuPathPage()), ("notebook", NotebookPage(self._runs[0])),
        ):  # fmt: skip
            self._go(route)
            await self._settle(1.5)
            await self._shot(name)
        self._go(DatasetPage())
        await self._until("public slides", lambda: window.page()._model.rowCount() == 1000)
        window.page().show_example()
        await self._until("the example", lambda: window.page()._model.rowCount() == 1)
        await self._settle(1.0)
        await self._shot("datasets")

    def _go(self, route: object) -> None:
        self._window._ways._navigator.go(route)

    async def _settle(self, seconds: float = 0.4) -> None:
        await asyncio.sleep(seconds)

    async def _until(self, what: str, condition: Callable[[], object]) -> None:
        end = time.monotonic() + 60
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(what)
            await asyncio.sleep(0.05)

    async def _shot(self, name: str, widget: QWidget | None = None) -> None:
        await self._settle()
        save((widget or self._window).grab(), self._folder / f"{self._scheme}-{name}.png")


def save(pixmap: object, path: Path) -> None:
    """A small PNG."""
    from PIL import Image
    from PySide6.QtCore import QBuffer, QIODevice

    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    pixmap.save(buffer, "PNG")
    image = Image.open(io.BytesIO(bytes(buffer.data()))).convert("RGB")
    path.parent.mkdir(parents=True, exist_ok=True)
    image.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(path, optimize=True)
    sys.stdout.write(f"{path} {path.stat().st_size // 1024} kB\n")


def main() -> int:
    """Make the pictures; the exit code is 1 when a page could not be shown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", default="1400x900")
    parser.add_argument("--schemes", nargs="*", default=["light", "dark"])
    arguments = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    width, height = (int(part) for part in arguments.size.split("x"))
    outcome = {"code": 0}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ.setdefault("LAUNCHPAD_DATA_DIR", folder)
        from launchpad import paths
        from launchpad.desktop import start
        from launchpad.platform import embedded

        runs = make_runs(Path(folder) / "slides")

        def driver(scheme: str) -> Callable:
            async def drive(window: MainWindow) -> None:
                window.resize(width, height)
                try:
                    await Gallery(window, arguments.folder, scheme, runs).run()
                except Exception:
                    outcome["code"] = 1
                    raise
                finally:
                    window.close()

            return drive

        try:
            for scheme in arguments.schemes:
                paths.window_file().unlink(missing_ok=True)  # each begins with the first start
                start.run(["--theme", scheme], driver=driver(scheme))
        finally:
            embedded.stop()
    return outcome["code"]


if __name__ == "__main__":
    sys.exit(main())
