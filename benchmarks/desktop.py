"""The window under load: 10,000 slides, 5,000 runs, preparing and uploading while a timer watches, page changes.

`python benchmarks/desktop.py [--folder FOLDER]`; FOLDER as benchmarks/prepare.py makes it (500 slides), without it the
part that prepares and uploads is left out. Each line says what was seen and what was asked for. Frames, filters and
sorts are in processor time of the GUI thread, so that a busy machine changes little; gaps are in time of the clock.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests")]


def main() -> None:
    """All parts, one after the other."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as data:
        os.environ["LAUNCHPAD_DATA_DIR"] = data
        from PySide6.QtWidgets import QApplication

        from launchpad.desktop.theme import palette

        app = QApplication([])
        app.setStyle("Fusion")
        app.setQuitOnLastWindowClosed(False)
        palette.set_theme(app, False)
        slide_table(app)
        runs(app)
        page_changes(app)
        if arguments.folder is not None:
            busy(app, arguments.folder)


def say(what: str, seen: str, asked: str) -> None:
    print(f"{what}: {seen} (asked for: {asked})", flush=True)


def slide_table(app: Any) -> None:
    """10,000 rows with the real delegates: frames while scrolling, filter, sort."""
    from PySide6.QtGui import QColor, QPixmap, QUndoStack

    from launchpad.application.columns import Column
    from launchpad.application.draft import Slide, SubmissionDraft
    from launchpad.desktop.models.slide_table import MPP, SlideTableModel
    from launchpad.desktop.pages.wizard.table_view import SlideTableView

    choices = tuple(f"TISSUE_{number}" for number in range(40))
    columns = tuple(Column(key, (key,), key.title(), True, choices, None) for key in ("tissue", "disease", "stain"))
    pictures = []
    for number in range(50):
        picture = QPixmap(128, 96)
        picture.fill(QColor.fromHsv(number * 7, 120, 220))
        pictures.append(picture)
    draft = SubmissionDraft("he-tme", "1.0.0", columns)
    for number in range(10_000):
        path = Path(f"/slides/{number % 97}/case-{number}.svs")
        values = {"tissue": choices[number % 40], "disease": choices[number % 7]} if number % 3 else {}
        draft.slides.append(
            Slide(path, (path,), str(path), "SVS", 10**9 + number, 90_000, 80_000, 0.25 + number % 5 / 100, "file",
                  crc32c=str(number), values=values)
        )  # fmt: skip
    model = SlideTableModel(draft, QUndoStack(), picture=lambda slide: pictures[hash(slide.path) % 50])
    view = SlideTableView(model)
    view.resize(1100, 700)
    view.show()
    app.processEvents()
    bar = view.verticalScrollBar()
    frames = []
    for step in range(400):
        started = time.thread_time()
        bar.setValue(bar.value() + 60 if step % 4 else (step * 7919) % bar.maximum())
        view.viewport().repaint()
        frames.append((time.thread_time() - started) * 1000)
    frames.sort()
    say(
        "10,000 slides, scrolling", f"median {statistics.median(frames):.1f}, p99 {frames[395]:.1f} ms a frame", "16 ms"
    )
    for what, call in (
        ("filter by text", lambda: view.set_filter("case-99", incomplete=False)),
        ("only incomplete", lambda: view.set_filter("", incomplete=True)),
        ("filter off", lambda: view.set_filter("", incomplete=False)),
        ("sort", lambda: model.sort(MPP)),
    ):
        say(f"10,000 slides, {what}", f"{timed(app, call):.0f} ms", "100 ms")
    view.close()
    view.deleteLater()


def runs(app: Any) -> None:
    """5,000 runs in the sidebar."""
    from PySide6.QtWidgets import QListView

    from launchpad.desktop.delegates.run_row import RunRowDelegate
    from launchpad.desktop.models.run_list import RunFilter, RunListModel
    from launchpad.platform.models import RunReadResponse
    from platform_that_says import Says

    says = Says("normal")
    found = [RunReadResponse.model_validate(says.run(number)) for number in range(1, 5001)]
    model, view = RunListModel(), QListView()
    delegate = RunRowDelegate(model.name)
    view.setItemDelegate(delegate)
    view.setUniformItemSizes(True)
    view.setModel(model)
    view.resize(296, 700)
    view.show()
    say("5,000 runs, shown", f"{timed(app, lambda: model.set_runs(found)):.0f} ms", "no figure")
    changed = [found[0].model_copy(update={"version_number": "2.0.0"}), *found[1:]]
    say("5,000 runs, one changed", f"{timed(app, lambda: model.set_runs(changed)):.0f} ms", "50 ms")
    for what, wanted in (("text", RunFilter(text="4999")), ("state", RunFilter(state="running")), ("off", RunFilter())):
        say(
            f"5,000 runs, filter {what}",
            f"{timed(app, lambda wanted=wanted: model.set_filter(wanted)):.0f} ms",
            "100 ms",
        )
    frames = []
    for step in range(200):
        started = time.thread_time()
        view.verticalScrollBar().setValue(step * view.verticalScrollBar().maximum() // 200)
        view.viewport().repaint()
        frames.append((time.thread_time() - started) * 1000)
    frames.sort()
    say("5,000 runs, scrolling", f"median {statistics.median(frames):.1f}, p99 {frames[197]:.1f} ms a frame", "16 ms")
    view.close()
    view.deleteLater()


def timed(app: Any, call: Callable[[], object]) -> float:
    """Milliseconds until it is done and painted; the median of three."""
    took = []
    for _ in range(3):
        started = time.thread_time()
        call()
        app.processEvents()
        took.append((time.thread_time() - started) * 1000)
    return statistics.median(took)


def page_changes(app: Any) -> None:
    """1,000 page changes: memory, threads and timers before and after."""
    import psutil
    import qasync
    from PySide6.QtCore import QTimer

    from launchpad.desktop.app import Application
    from launchpad.desktop.background import pool
    from launchpad.desktop.navigation import About, BucketPage, Catalog, Home, Info, RunPage, TransferList, Wizard
    from launchpad.desktop.start import FirstWindow
    from platform_that_says import RUN, Says, serve

    with serve(Says("normal")) as address:
        for name in ("API_ROOT", "STORAGE_ENDPOINT"):
            os.environ[f"LAUNCHPAD_{name}"] = address
        os.environ["LAUNCHPAD_TOKEN"] = "told"
        loop = qasync.QEventLoop(app)
        asyncio.set_event_loop(loop)
        application = Application(FirstWindow(app, "light"), [])
        routes = [
            Home(),
            Catalog("app-0"),
            Wizard("app-0"),
            RunPage(RUN),
            TransferList(),
            BucketPage(),
            Info(),
            About(),
        ]

        def state() -> tuple[float, int, int]:
            gc.collect()
            timers = sum(isinstance(item, QTimer) for item in gc.get_objects())
            return psutil.Process().memory_info().rss / 1e6, threading.active_count(), timers

        async def work() -> None:
            application.show()
            application.session.start()
            while not application.session.runs_loaded:  # noqa: ASYNC110 - widgets set no asyncio events
                await asyncio.sleep(0.01)
            before = (0.0, 0, 0)
            for number in range(1200):
                application.navigator.go(routes[number % len(routes)])
                await asyncio.sleep(0)
                if number == 199:  # after all pages were made
                    await asyncio.sleep(2)
                    before = state()
                    started = time.perf_counter()
            took = time.perf_counter() - started
            await asyncio.sleep(2)
            after = state()
            say(
                "1,000 page changes",
                f"{took:.1f} s; memory {before[0]:.0f} to {after[0]:.0f} MB, threads {before[1]} to {after[1]}, "
                f"timers {before[2]} to {after[2]}",
                "no growth",
            )
            await application._end()

        loop.run_until_complete(work())
        pool.close()
        loop.close()
    for name in ("API_ROOT", "STORAGE_ENDPOINT", "TOKEN"):
        del os.environ[f"LAUNCHPAD_{name}"]


def busy(app: Any, folder: Path) -> None:
    """500 slides prepared, then 4 uploaded, while a 10 ms timer watches the GUI thread."""
    import qasync
    from PySide6.QtCore import Qt, QTimer

    from launchpad.desktop.app import Application
    from launchpad.desktop.background import pool
    from launchpad.desktop.navigation import Wizard
    from launchpad.desktop.start import FirstWindow
    from launchpad.platform import embedded

    loop = qasync.QEventLoop(app)
    asyncio.set_event_loop(loop)
    application = Application(FirstWindow(app, "light"), [])
    gaps: list[float] = []

    async def until(condition: Callable[[], object]) -> None:
        while not condition():  # noqa: ASYNC110 - widgets set no asyncio events
            await asyncio.sleep(0.01)

    async def work() -> None:
        application.show()
        application.session.start()
        await until(lambda: application.session.applications)
        application.navigator.go(Wizard("test-app"))
        page: Any = application.window.page()
        await until(lambda: page.model.version is not None)
        last = time.perf_counter()

        def tick() -> None:
            nonlocal last
            now = time.perf_counter()
            gaps.append((now - last) * 1000)
            last = now

        timer = QTimer()
        timer.setTimerType(Qt.TimerType.PreciseTimer)
        timer.timeout.connect(tick)
        timer.start(10)
        page.open_step(2)
        page.model.add_sources([folder])
        await until(lambda: page.model.draft.slides and page.model.scan is None)
        page.open_step(3)
        ids = [slide.id for slide in page.model.draft.slides]
        page.model.slides.set_text(ids, "mpp", "0.5")
        page.model.slides.include(ids[4:], False)
        page.open_step(6)
        page._submit.click()
        await until(lambda: page.submission.run_id)
        timer.stop()
        gaps.sort()
        say(
            "500 slides prepared and 4 uploaded",
            f"p99 gap {gaps[int(len(gaps) * 0.99)]:.0f} ms, longest {gaps[-1]:.0f} ms of {len(gaps)} ticks",
            "50 ms, none over 150 ms",
        )
        await application._end()

    loop.run_until_complete(work())
    pool.close()
    loop.close()
    embedded.release()
    embedded.stop()


if __name__ == "__main__":
    main()
