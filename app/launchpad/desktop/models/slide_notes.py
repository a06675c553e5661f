"""What is worth knowing about a slide and does not stand in the way, in a person's language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import QObject

from launchpad.application.columns import Column
from launchpad.application.draft import Slide, same_content
from launchpad.desktop.models.words import dimensions, file_size

_NAMED = 3  # of many slides that are the same


class SlideNotes(QObject):
    """Words, marks and tooltips for the slides of one table."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._twins: dict[str, tuple[Slide, ...]] = {}

    def compare(self, slides: Iterable[Slide]) -> None:
        """Look which of the slides have the same content; called whenever the list is another."""
        self._twins = {slide.id: group for group in same_content(slides) for slide in group}

    def of(self, slide: Slide, columns: Sequence[Column]) -> tuple[str, ...]:
        """Notes of the file, slides of the same content, and values that the file has for empty columns."""
        found = list(slide.notes)
        twins = self._twins.get(slide.id, ())
        if twins:
            first = [other.path.name for other in twins[: _NAMED + 1] if other.id != slide.id][:_NAMED]
            more = len(twins) - 1 - len(first)
            names = ", ".join(first) + (self.tr(" and %n more", "", more) if more else "")
            found.append(self.tr("The same content as %1; each would be analysed.").replace("%1", names))
        for column in columns:
            if column.key in slide.proposals and not slide.values.get(column.key):
                words = self.tr("The file says %1: %2.").replace("%1", column.title)
                found.append(words.replace("%2", slide.proposals[column.key]))
        return tuple(found)

    def marks(self, slide: Slide, columns: Sequence[Column]) -> tuple[str, ...]:
        """Icons that point to what the tooltip says."""
        marks = ["user"] if slide.identifying else []
        return (*marks, "info") if self.of(slide, columns) else tuple(marks)

    def tooltip(self, slide: Slide, columns: Sequence[Column]) -> str:
        """All that is known about the slide, a line each."""
        lines = [str(slide.path), f"{slide.format} · {dimensions(slide)} · {file_size(slide.size)}"]
        if len(slide.files) > 1:
            lines.append(self.tr("%n files form this slide", "", len(slide.files)))
        if slide.scanner:
            lines.append(self.tr("Scanner: %1").replace("%1", slide.scanner))
        lines.extend(self.of(slide, columns))
        if slide.identifying:
            lines.append(self.tr("May identify somebody:"))
            lines.extend(f"  {words}" for words in slide.identifying)
        return "\n".join(lines)
