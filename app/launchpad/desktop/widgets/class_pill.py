"""What an application may be used for, as a pill."""

from __future__ import annotations

from launchpad.desktop.widgets.basics import Pill


def class_pill(regulatory_class: str, research: str) -> Pill:
    """A regulatory class as a pill; `research` are the words for RUO."""
    known = {"RUO": (research, "partial", "microscope")}
    words, token, icon = known.get(regulatory_class.upper(), (regulatory_class, "info", "info"))
    return Pill(icon, token, words, name="class_pill")
