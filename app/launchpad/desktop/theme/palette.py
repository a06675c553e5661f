"""The design tokens as Qt's colours and fonts. Everything that is drawn asks `current()`."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication

from launchpad import paths


@lru_cache(maxsize=1)
def load_tokens() -> dict[str, Any]:
    """The tokens as they are written."""
    tokens: dict[str, Any] = json.loads(paths.resource("tokens.json").read_text(encoding="utf-8"))
    return tokens


class Theme:
    """The tokens of one scheme, light or dark."""

    def __init__(self, *, dark: bool, scale: float = 1.0) -> None:
        tokens = load_tokens()
        scheme = "dark" if dark else "light"
        self.dark = dark
        self.scale = scale
        self._colours = {name: QColor(value) for name, value in tokens["colour"][scheme].items()}
        self._states = {
            name: (QColor(value[scheme]["fg"]), QColor(value[scheme]["bg"]), str(value["label"]), str(value["icon"]))
            for name, value in tokens["state"].items()
        }
        self._fonts: dict[str, QFont] = {}
        self.space: tuple[int, ...] = tuple(tokens["space"])
        self.radius: dict[str, int] = dict(tokens["radius"])
        # What holds text grows with it; the sidebar's width is the person's own.
        self.size: dict[str, int] = {
            name: size if name == "sidebar" else self.scaled(size) for name, size in tokens["size"].items()
        }

    def colour(self, name: str) -> QColor:
        """A colour by its token."""
        return self._colours[name]

    def scaled(self, pixels: float) -> int:
        """A length in device-independent pixels that grows with the size of the text."""
        return round(pixels * self.scale)

    def state(self, token: str) -> tuple[QColor, QColor, str, str]:
        """Foreground, background, label and icon of a state."""
        return self._states[token]

    def font(self, style: str) -> QFont:
        """A font by its style: display, title, section, strong, body, caption."""
        if style not in self._fonts:
            tokens = load_tokens()
            font = QFont(tokens["font"]["family"])
            font.setPixelSize(self.scaled(tokens["type"][style]["size"]))
            font.setWeight(QFont.Weight(tokens["type"][style]["weight"]))
            self._fonts[style] = font
        return self._fonts[style]


class _Changes(QObject):
    """Tells widgets that paint themselves that the scheme changed."""

    changed = Signal()


changes = _Changes()
_current: list[Theme] = []
_worn: list[tuple[bool, float]] = []  # what `set_theme` was told last


def current() -> Theme:
    """The theme in use."""
    if not _current:
        _current.append(Theme(dark=False))
    return _current[0]


def is_set(dark: bool, scale: float) -> bool:
    """Whether the application wears this theme."""
    return _worn == [(dark, scale)]


@lru_cache(maxsize=1)
def load_fonts() -> None:
    """Make Inter known to Qt."""
    for style in ("Regular", "Medium", "SemiBold"):
        QFontDatabase.addApplicationFont(str(paths.resource("fonts", f"Inter-{style}.ttf")))


def set_theme(app: QApplication, dark: bool, scale: float = 1.0) -> None:
    """Palette, style sheet and fonts of one scheme, in one go; `scale` 1 is text as it was designed."""
    from launchpad.desktop.theme import style

    load_fonts()
    theme = Theme(dark=dark, scale=scale)
    _current[:] = [theme]
    _worn[:] = [(dark, scale)]
    app.setFont(theme.font("body"))
    app.setPalette(_palette(theme))
    app.setStyleSheet(style.stylesheet(theme))
    changes.changed.emit()


def _palette(theme: Theme) -> QPalette:
    palette = QPalette()
    role = QPalette.ColorRole
    for where, token in (
        (role.Window, "window"),
        (role.Base, "surface"),
        (role.AlternateBase, "sunken"),
        (role.Button, "surface"),
        (role.ToolTipBase, "surface"),
        (role.WindowText, "text"),
        (role.Text, "text"),
        (role.ButtonText, "text"),
        (role.ToolTipText, "text"),
        (role.PlaceholderText, "textMuted"),
        (role.Highlight, "accent"),
        (role.HighlightedText, "onAccent"),
        (role.Link, "accent"),
        (role.Mid, "border"),
        (role.Dark, "borderStrong"),
        (role.Light, "hover"),
    ):
        palette.setColor(where, theme.colour(token))
    for where in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, where, theme.colour("textMuted"))
    return palette
