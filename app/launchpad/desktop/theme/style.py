"""The style sheet, made from the tokens."""

from __future__ import annotations

from launchpad import paths
from launchpad.desktop.theme.palette import Theme, load_tokens


def stylesheet(theme: Theme) -> str:
    """QSS of a theme. Widgets say what they are by the properties `kind`, `type` and `role`."""
    colours = {name: theme.colour(name).name() for name in load_tokens()["colour"]["light"]}
    failed, failed_back, _, _ = theme.state("failed")
    size, radius = theme.size, theme.radius
    values = {
        **colours,
        "failed": failed.name(),
        "failedBack": failed_back.name(),
        "control": size["control"] - 2,
        "controlSmall": size["controlSmall"] - 2,
        "rControl": radius["control"],
        "rCard": radius["card"],
        "arrow": _picture("chevron-down", theme.colour("textMuted").name()),
        "check": _picture("check", theme.colour("onAccent").name()),
        "caption": theme.scaled(12),
        "header": size["header"],
        "row": theme.scaled(30),
        "chip": theme.scaled(22),
        "chipInner": theme.scaled(22) - 2,
        "rChip": theme.scaled(12),
    }
    text = _QSS
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    return text + _fonts(theme)


def _picture(name: str, colour: str) -> str:
    """The file of an icon in one of the theme's colours: a style sheet takes pictures from files only."""
    file = paths.cache_dir() / "theme" / f"{name}-{colour[1:]}.svg"
    if not file.exists():
        svg = paths.resource("icons", f"{name}.svg").read_text(encoding="utf-8")
        paths.ensure_private(file.parent)
        paths.write_atomic(file, svg.replace("currentColor", colour).encode())
    return file.as_posix()


def _fonts(theme: Theme) -> str:
    rules = []
    for name, value in load_tokens()["type"].items():
        size = theme.scaled(value["size"])
        rules.append(f'QLabel[type="{name}"] {{ font-size: {size}px; font-weight: {value["weight"]}; }}')
    return "\n".join(rules)


_QSS = """
QMainWindow, QWidget#page { background: @window@; }
QLabel { background: transparent; color: @text@; }
QLabel[type="muted"] { color: @textMuted@; }
QLabel[type="caption"] { color: @textMuted@; }
QFrame[role="card"] { background: @surface@; border: 1px solid @border@; border-radius: @rCard@px; }
QFrame[role="topbar"] { background: @surface@; border: none; border-bottom: 1px solid @border@; }
QFrame[role="sidebar"] { background: @sidebar@; border: none; }
QFrame[role="footer"] { background: @surface@; border: none; border-top: 1px solid @border@; }
QFrame[role="banner"] { background: @failedBack@; border: 1px solid @failed@; border-radius: @rControl@px; }
QFrame[role="banner"] QLabel { color: @failed@; }
QFrame[role="line"] { background: @border@; border: none; }
QPushButton, QToolButton {
  background: @surface@; color: @text@; border: 1px solid @borderStrong@; border-radius: @rControl@px;
  min-height: @control@px; padding: 0 14px; font-weight: 500;
}
QPushButton:hover, QToolButton:hover { background: @hover@; }
QPushButton:focus, QToolButton:focus { border: 2px solid @focus@; padding: 0 13px; min-height: @controlSmall@px; }
QPushButton:disabled, QToolButton:disabled { color: @textMuted@; background: @sunken@; border-color: @border@; }
QPushButton[kind="primary"] { background: @accent@; color: @onAccent@; border-color: @accent@; }
QPushButton[kind="primary"]:hover { background: @accentHover@; border-color: @accentHover@; }
QPushButton[kind="primary"]:focus { border: 2px solid @text@; }
QPushButton[kind="primary"]:disabled { color: @textMuted@; background: @sunken@; border-color: @border@; }
QPushButton[kind="danger"] { color: @failed@; }
QPushButton[kind="danger"]:disabled { color: @textMuted@; }
QPushButton[kind="quiet"], QToolButton[kind="quiet"] { background: transparent; border-color: transparent; }
QPushButton[kind="quiet"]:hover, QToolButton[kind="quiet"]:hover { background: @hover@; }
QPushButton[kind="quiet"]:focus, QToolButton[kind="quiet"]:focus { border: 2px solid @focus@; }
QPushButton[kind="link"] {
  background: transparent; border: 1px solid transparent; color: @accent@; padding: 0 4px; min-height: @chip@px;
  font-size: @caption@px;
}
QPushButton[kind="link"]:hover { background: @hover@; }
QPushButton[kind="link"]:focus { border: 2px solid @focus@; padding: 0 3px; min-height: @chipInner@px; }
QPushButton[kind="section"] { background: transparent; border-color: transparent; }
QPushButton[kind="section"]:checked { background: @selected@; }
QPushButton[kind="chip"] {
  background: @sunken@; border: 1px solid @border@; border-radius: @rChip@px; min-height: @chip@px; padding: 0 8px;
  font-size: @caption@px;
}
QPushButton[kind="chip"]:hover { background: @hover@; border-color: @borderStrong@; }
QPushButton[kind="chip"]:focus { border: 2px solid @focus@; padding: 0 7px; min-height: @chipInner@px; }
QToolButton { padding: 0 6px; }
QLineEdit QToolButton, QLineEdit QToolButton:disabled {
  min-height: 0; padding: 0; border: none; background: transparent;
}
QToolButton::menu-indicator, QPushButton::menu-indicator { image: none; width: 0; }
QPushButton[iconOnly="true"] { padding: 0; }
QLineEdit, QPlainTextEdit, QTextEdit, QComboBox, QDateTimeEdit, QSpinBox, QDoubleSpinBox {
  background: @surface@; color: @text@; border: 1px solid @controlBorder@; border-radius: @rControl@px;
  min-height: @control@px; padding: 0 8px; selection-background-color: @accent@; selection-color: @onAccent@;
}
QPlainTextEdit, QTextEdit { padding: 6px; }
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QComboBox:focus, QDateTimeEdit:focus {
  border: 2px solid @focus@; padding: 0 7px; min-height: @controlSmall@px;
}
QPlainTextEdit:focus, QTextEdit:focus { padding: 5px; }
QLineEdit:disabled, QComboBox:disabled, QDateTimeEdit:disabled { background: @sunken@; color: @textMuted@; }
QComboBox::drop-down, QDateTimeEdit::drop-down { border: none; width: 24px; }
QComboBox::down-arrow, QDateTimeEdit::down-arrow { image: url("@arrow@"); width: 16px; height: 16px; }
QComboBox QAbstractItemView {
  background: @surface@; color: @text@; border: 1px solid @borderStrong@; selection-background-color: @selected@;
  selection-color: @text@; outline: none;
}
QListView, QTableView, QTreeView {
  background: transparent; border: none; outline: none; color: @text@; gridline-color: @border@;
  selection-background-color: @selected@; selection-color: @text@;
}
QHeaderView { background: @sunken@; border: none; }
QHeaderView::section {
  background: @sunken@; color: @textMuted@; border: none; border-bottom: 1px solid @border@; padding: 0 12px;
  font-size: @caption@px; font-weight: 600; height: @header@px;
}
QTableCornerButton::section { background: @sunken@; border: none; }
QProgressBar {
  background: @sunken@; border: none; border-radius: 3px; max-height: 6px; min-height: 6px; text-align: center;
}
QProgressBar::chunk { background: @accent@; border-radius: 3px; }
QCheckBox, QRadioButton { color: @text@; spacing: 8px; min-height: @row@px; }
QCheckBox::indicator, QRadioButton::indicator {
  width: 16px; height: 16px; border: 1px solid @controlBorder@; background: @surface@;
}
QCheckBox::indicator { border-radius: 4px; }
QRadioButton::indicator { border-radius: 8px; }
QCheckBox::indicator:hover, QRadioButton::indicator:hover { border-color: @accent@; }
QCheckBox::indicator:checked { background: @accent@; border-color: @accent@; image: url("@check@"); }
QRadioButton::indicator:checked { border: 5px solid @accent@; width: 8px; height: 8px; background: @onAccent@; }
QCheckBox:focus, QRadioButton:focus { color: @accent@; }
QAbstractSpinBox QLineEdit { border: none; min-height: 0; padding: 0; background: transparent; }
QMenu { background: @surface@; color: @text@; border: 1px solid @borderStrong@; padding: 4px; }
QMenu::item { padding: 7px 24px 7px 12px; border-radius: 4px; }
QMenu::item:selected { background: @hover@; }
QMenu::item:disabled { color: @textMuted@; }
QToolTip { background: @surface@; color: @text@; border: 1px solid @borderStrong@; padding: 5px; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0; }
QScrollBar::handle { background: @borderStrong@; border-radius: 4px; min-height: 28px; min-width: 28px; margin: 1px; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QAbstractScrollArea::corner { background: transparent; border: none; }
QTableView[role="padded"]::item, QTreeView[role="padded"]::item { padding: 0 9px; }
QTableView[role="padded"]::item:focus, QTreeView[role="padded"]::item:focus {
  border: 2px solid @focus@; padding: 0 7px;
}
QListWidget[role="padded"]::item { padding: 5px 8px; border-radius: 5px; }
QScrollArea, QScrollArea > QWidget > QWidget#page { background: transparent; border: none; }
QSplitter::handle { background: @border@; }
QTabWidget::pane { border: none; }
QTabBar::tab {
  background: transparent; color: @textMuted@; border: none; border-bottom: 2px solid transparent;
  padding: 7px 12px; font-weight: 500;
}
QTabBar::tab:hover { color: @text@; }
QTabBar::tab:selected { color: @accent@; border-bottom: 2px solid @accent@; }
QTabBar::tab:focus { color: @accent@; background: @hover@; }
QDialog, QMessageBox { background: @surface@; }
QTextBrowser { background: @surface@; color: @text@; border: none; padding: 0; }
QTreeView::item, QListWidget::item { min-height: 24px; }
QListWidget::item:selected, QTreeView::item:selected { background: @selected@; color: @text@; }
QListWidget::item:hover, QTreeView::item:hover { background: @hover@; }
"""
