"""How a slide stands in the slide table, in keys of the tokens and names of icons."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication


@dataclass(frozen=True)
class Status:
    """How a slide stands: `token` is a key of the tokens' states, `icon` a Lucide name."""

    key: str
    token: str
    icon: str


READY = Status("ready", "done", "circle-check")
SET_MPP = Status("set_mpp", "partial", "circle-alert")
INCOMPLETE = Status("incomplete", "failed", "circle-x")
UNREADABLE = Status("unreadable", "failed", "circle-x")
LEFT_OUT = Status("left_out", "cancelled", "ban")


def status_words(status: Status) -> str:
    """The status in a person's language."""
    tr = QCoreApplication.translate
    return {
        "ready": tr("slide_status", "Ready"),
        "set_mpp": tr("slide_status", "Set MPP"),
        "incomplete": tr("slide_status", "Incomplete"),
        "unreadable": tr("slide_status", "Unreadable"),
        "left_out": tr("slide_status", "Left out"),
    }[status.key]
