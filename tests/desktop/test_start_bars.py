"""Crash reports and updates in the window: said quietly, shown before they are copied or saved, started by a click."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QAbstractButton, QApplication, QCheckBox, QFileDialog, QLabel, QPlainTextEdit

from desktop_bench import Bench, until
from launchpad import crashes, paths
from launchpad.desktop.appearance import Appearance
from launchpad.desktop.pages.info import InfoPage
from launchpad.desktop.updates import Updates
from launchpad.desktop.widgets import start_bars
from launchpad.desktop.widgets.safe_browser import SafeBrowser
from launchpad.desktop.widgets.start_bars import StartBars
from launchpad.desktop.window_state import WindowState
from launchpad.own_program import OwnProgram
from launchpad.settings import load_settings
from launchpad.system import crash_reports, updates


def press(widget: object, name: str) -> None:
    button = widget.findChild(QAbstractButton, name)  # type: ignore[attr-defined]
    assert button.isVisible(), name
    button.click()


@pytest.fixture
def bars(bench: Bench) -> Iterator[StartBars]:
    made = StartBars(bench.session, Updates(bench.session, bench.jobs))
    made.resize(900, 80)
    made.show()
    yield made
    made.close()
    made.deleteLater()


def test_a_crash_is_shown_before_it_can_be_copied_or_saved(bench: Bench, bars: StartBars, tmp_path: Path) -> None:
    crashes.record(RuntimeError(), "desktop")
    file = tmp_path / "for support.txt"

    async def steps() -> None:
        await bars.look()
        assert "nothing was sent" in bars.crash.text()
        assert bars.findChild(QAbstractButton, "crash_save") is None
        press(bars, "crash_show")
        await until(lambda: bars.findChild(QPlainTextEdit, "code_text") is not None)
        dialog = bars._dialog
        assert dialog is not None
        await until(dialog.isVisible)
        shown = dialog.text()
        assert "unexpected RuntimeError" in shown
        press(dialog, "code_copy")
        assert QApplication.clipboard().text() == shown
        press(dialog, "crash_save")
        chooser = dialog.findChild(QFileDialog, "crash_file")
        chooser.fileSelected.emit(str(file))
        chooser.close()
        await until(file.exists)
        assert file.read_text() == shown
        dialog.accept()
        press(bars, "crash_delete")
        await until(lambda: bars.crash.isHidden())

    bench.run(steps())
    assert crash_reports.waiting() == []


def test_a_program_that_was_replaced_asks_to_be_started_again(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start_bars, "_LOOK", 0.01)
    program, newer = tmp_path / "launchpad", tmp_path / "newer"
    program.touch()
    newer.touch()
    made = StartBars(bench.session, Updates(bench.session, bench.jobs), OwnProgram(program))

    async def steps() -> None:
        bench.session.spawn(made.watch_program(), made)
        await asyncio.sleep(0.05)
        assert made.replaced.isHidden()
        newer.replace(program)
        await until(lambda: not made.replaced.isHidden())
        assert "start it again" in made.replaced.text()

    try:
        bench.run(steps())
    finally:
        made.deleteLater()


def test_it_says_what_failed(bench: Bench, bars: StartBars) -> None:
    async def steps() -> None:
        for name, words in (("desktop", "Launchpad failed"), ("platform", "platform on"), ("analysis-0", "on slides")):
            report = crashes.record(RuntimeError(), name)
            await bars.look()
            assert words in bars.crash.text()
            report.unlink()

    bench.run(steps())


def test_updates_are_off_in_a_build_without_a_key(bench: Bench, bars: StartBars) -> None:
    async def steps() -> None:
        bars._updates.look()
        await until(lambda: not bars._updates.looking)

    bench.run(steps())
    assert "without a place" in bars._updates.why_off
    assert bars.update_notice.isHidden()


def test_a_newer_version_is_told_once_and_shown_with_its_notes(
    bench: Bench, bars: StartBars, module_data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = Ed25519PrivateKey.generate()
    text = json.dumps(
        {"schema": 1, "releases": [{"version": "99.0.0", "notes": "# New\n<img src=http://x/>\n- faster", "files": []}]}
    )
    feed = json.dumps({"signed": text, "signature": base64.b64encode(key.sign(text.encode())).decode()})
    shipped = tmp_path / "updates.toml"
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    shipped.write_text(f'feed = "https://updates.invalid/feed"\nkeys = ["{public}"]\n')
    resource = paths.resource
    monkeypatch.setattr(paths, "resource", lambda *parts: shipped if parts == ("updates.toml",) else resource(*parts))
    monkeypatch.setattr(updates, "managed_file", lambda: tmp_path / "managed.toml")
    # As if it had been fetched a moment ago: the window asks no network.
    import time

    (module_data_dir / "updates.json").write_text(json.dumps({"looked": time.time(), "feed": feed}))
    asked: list[bool] = []
    bars.update_wanted.connect(lambda: asked.append(True))
    state = WindowState(QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat))
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    page = InfoPage(bench.session, Appearance(app, state, "light"), state, bars._updates)
    page.resize(900, 640)

    async def steps() -> None:
        bars._updates.look()
        await until(lambda: not bars._updates.looking)
        assert bars.update_notice.text() == "Launchpad 99.0.0 is available."
        press(bars, "update_see")
        assert asked == [True]
        assert bars.update_notice.isHidden()
        bars._updates.look()
        await until(lambda: not bars._updates.looking)
        assert bars.update_notice.isHidden(), "it is told once"
        page.open_tab("updates")
        page.show()
        title, words = page.findChild(QLabel, "update_title"), page.findChild(QLabel, "update_words")
        assert title.text() == "Launchpad 99.0.0 is available"
        await until(lambda: "pip install" in words.text())
        notes = page.findChild(SafeBrowser).toPlainText()
        assert "faster" in notes
        wanted = page.findChild(QCheckBox, "update_wanted")
        await until(wanted.isEnabled)
        assert wanted.isChecked()
        if folder := __import__("os").environ.get("LAUNCHPAD_SHOW"):
            page.grab().save(f"{folder}/updates.png")
        wanted.click()
        await until(lambda: "switched off" in words.text())

    bench.run(steps())
    assert load_settings().updates is False
    page.close()
    page.deleteLater()
    paths.settings_file().unlink()
