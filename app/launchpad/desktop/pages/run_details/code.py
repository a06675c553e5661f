"""A run as text: the commands and the Python that make it again, or all its metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QWidget

from launchpad import paths

if TYPE_CHECKING:
    from launchpad.platform.models import RunReadResponse


def show_code(run: RunReadResponse, parent: QWidget, *, metadata: bool) -> None:
    """Open the dialog with the code of a run, or with its metadata as JSON."""
    from launchpad.application.recipe import run_as_commands, run_as_python
    from launchpad.desktop.widgets.code_dialog import CodeDialog

    if metadata:
        texts = {_tr("Metadata"): run.model_dump_json(indent=2)}
        CodeDialog(_tr("All metadata"), "", texts, parent).open()
        return
    folder = str(paths.results_dir())
    texts = {_tr("Command"): run_as_commands(run, folder), _tr("Python"): run_as_python(run, folder)}
    CodeDialog(_tr("This run without the window"), "", texts, parent).open()


def _tr(text: str) -> str:
    return QCoreApplication.translate("RunCode", text)
