"""The slide table filled from a folder of 500 slides while a 10 ms timer watches the GUI thread.

`python benchmarks/slide_table.py FOLDER [--picture FILE]`; FOLDER as benchmarks/prepare.py makes it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from pathlib import Path


def main() -> None:
    """Print how long the GUI thread was busy at worst, and when the first row stood in the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--picture", type=Path)
    arguments = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as data:
        os.environ["LAUNCHPAD_DATA_DIR"] = data
        measure(arguments.folder, arguments.picture)


def measure(folder: Path, picture: Path | None) -> None:
    """Open the wizard on the embedded platform, add the folder, show its table."""
    import qasync
    from PySide6.QtCore import Qt, QTimer
    from PySide6.QtWidgets import QApplication

    from launchpad.desktop.background import Jobs, pool
    from launchpad.desktop.pages.wizard.wizard import WizardPage
    from launchpad.desktop.session import Session
    from launchpad.desktop.theme import palette
    from launchpad.platform import embedded

    app = QApplication([])
    app.setStyle("Fusion")
    app.setQuitOnLastWindowClosed(False)
    palette.set_theme(app, False)
    loop = qasync.QEventLoop(app)
    asyncio.set_event_loop(loop)
    session, jobs = Session(), Jobs()
    gaps: list[float] = []

    async def until(condition: object) -> None:
        while not condition():  # type: ignore[operator]  # noqa: ASYNC110 - widgets set no asyncio events
            await asyncio.sleep(0.005)

    async def work() -> None:
        session.start()
        await until(lambda: session.is_connected and session.applications)
        page = WizardPage(session, jobs, lambda route: None, "he-tme")
        page.resize(1300, 850)
        page.show()
        await until(lambda: page.model.version is not None)
        session.slides.start()
        await asyncio.sleep(2)
        last = time.perf_counter()

        def tick() -> None:
            nonlocal last
            now = time.perf_counter()
            gaps.append((now - last) * 1000 - 10)
            last = now

        timer = QTimer()
        timer.setTimerType(Qt.TimerType.PreciseTimer)
        timer.timeout.connect(tick)
        page.open_step(2)
        timer.start(10)
        last = started = time.perf_counter()
        page.model.add_sources([folder])
        await until(lambda: page.model.draft.slides)
        first = time.perf_counter() - started
        await until(lambda: page.model.scan is None)
        whole = time.perf_counter() - started
        page.open_step(3)
        bar = page.table.view.verticalScrollBar()
        for step in range(100):  # pictures come while the table is scrolled
            bar.setValue(step * bar.maximum() // 100)
            await asyncio.sleep(0.03)
        timer.stop()
        if picture is not None:
            bar.setValue(0)
            await asyncio.sleep(2)
            page.grab().save(str(picture))
        page.leave()
        page.close()
        page.deleteLater()
        await until(lambda: not len(jobs))
        await session.close()
        over = sorted(max(0.0, gap) for gap in gaps)
        print(
            f"{len(over)} ticks; first row after {first * 1000:.0f} ms, "
            f"all after {whole:.1f} s; the GUI thread was late by median {statistics.median(over):.1f}, "
            f"p99 {over[int(len(over) * 0.99)]:.0f}, at worst {over[-1]:.0f} ms"
        )

    loop.run_until_complete(work())
    jobs.shutdown()
    pool.close()
    loop.close()
    embedded.release()
    embedded.stop()


if __name__ == "__main__":
    main()
