"""Tokens, fonts, icons, and what is loaded at the first paint."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QFontDatabase
from PySide6.QtWidgets import QApplication

from desktop_bench import begun
from launchpad import paths
from launchpad.application.states import STATES
from launchpad.desktop.theme import icons, palette, style

ROOT = Path(__file__).resolve().parents[2]


def luminance(colour: QColor) -> float:
    """Relative luminance, WCAG 2.1."""
    parts = [value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4 for value in colour.getRgbF()[:3]]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: QColor, two: QColor) -> float:
    light, dark = sorted((luminance(one), luminance(two)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("dark", [False, True])
def test_contrast(qapp: QApplication, dark: bool) -> None:
    theme = palette.Theme(dark=dark)
    for front in ("text", "textMuted"):
        for back in ("window", "surface", "sunken", "sidebar", "hover", "selected"):
            assert contrast(theme.colour(front), theme.colour(back)) >= 4.5, (front, back)
    assert contrast(theme.colour("onAccent"), theme.colour("accent")) >= 4.5
    assert contrast(theme.colour("controlBorder"), theme.colour("surface")) >= 3.0
    for token in palette.load_tokens()["state"]:
        front, back, _, _ = theme.state(token)
        assert contrast(front, back) >= 4.5, token


def test_every_state_has_its_token_and_icon() -> None:
    tokens = palette.load_tokens()["state"]
    for view in STATES.values():
        assert view.token in tokens
        assert paths.resource("icons", f"{view.icon}.svg").is_file()
    for token in tokens.values():
        assert paths.resource("icons", f"{token['icon']}.svg").is_file()


def test_every_icon_that_the_code_names_is_there(qapp: QApplication) -> None:
    names = set()
    for file in (ROOT / "app" / "launchpad" / "desktop").rglob("*.py"):
        names |= set(re.findall(r'(?:icons?|pixmap|IconLabel|IconButton|StateIcon)\("([a-z0-9-]+)"', file.read_text()))
    assert len(names) > 10
    missing = [name for name in names if not (ROOT / "resources" / "icons" / f"{name}.svg").is_file()]
    assert missing == []
    picture = icons.pixmap("clock", QColor("#ff0000"), 16, 2.0)
    assert (picture.width(), picture.devicePixelRatio()) == (32, 2.0)


def test_the_style_sheet_is_whole(qapp: QApplication) -> None:
    assert "@" not in style.stylesheet(palette.Theme(dark=True))


def test_inter_has_its_weights(qapp: QApplication) -> None:
    palette.load_fonts()
    assert {"Regular", "Medium", "SemiBold"} <= set(QFontDatabase.styles("Inter"))


@pytest.mark.parametrize("page", ["home", "first_start"])
def test_nothing_heavy_is_loaded_at_the_first_paint(data_dir: Path, page: str) -> None:
    if page == "home":
        begun()
    code = """
import json, sys
from PySide6.QtCore import QTimer
from launchpad.desktop import main_window, start
loaded = {}
def painted(self, event):
    if not loaded:
        loaded["frame"] = sorted(sys.modules)
        from launchpad.desktop import app
        shown = app.Application.show
        def show(application):
            shown(application)
            loaded["page"] = sorted(sys.modules)
            QTimer.singleShot(0, application.window.close)
        app.Application.show = show
        app.Session.start = lambda self: None
main_window.MainWindow.paintEvent = painted
start.run([])
print(json.dumps(loaded))
"""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, env=environment, check=True
    )
    loaded = {name: set(modules) for name, modules in json.loads(done.stdout.strip().splitlines()[-1]).items()}
    # The frame needs the theme; what is in it comes later.
    parts = [name for name in loaded["frame"] if name.startswith("launchpad.desktop.")]
    assert not [name for name in parts if name.startswith(("launchpad.desktop.pages", "launchpad.desktop.widgets"))]
    later = {"launchpad.desktop.app", "launchpad.desktop.session", "launchpad.desktop.navigation", "asyncio"}
    assert loaded["frame"] & {*later, "PySide6.QtSvg"} == set()
    assert f"launchpad.desktop.pages.{page}" in loaded["page"]
    heavy = "pydantic pydantic_settings httpx numpy openslide PIL pydicom cv2 fastapi sqlalchemy typer jsonschema"
    for modules in loaded.values():
        assert modules & {*heavy.split(), "launchpad.platform.client", "launchpad.settings", "keyring"} == set()
