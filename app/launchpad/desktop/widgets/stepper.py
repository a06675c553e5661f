"""The row of steps at the top of the wizard: where one is, what is done, and the way back to it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QSizePolicy, QWidget

from launchpad.desktop.theme import icons, palette

CIRCLE = 26  # px
GAP = 8


class StepState(Enum):
    """How a step stands."""

    DONE = "done"
    CURRENT = "current"
    AHEAD = "ahead"


class StepButton(QAbstractButton):
    """One step: a circle with its number or a tick, and its name."""

    def __init__(self, number: int, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.number = number
        self.state = StepState.AHEAD
        self.setObjectName(f"step_{number}")
        self.setText(name)
        self.setToolTip(name)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._named = True

    def show_name(self, shown: bool) -> None:
        """With its name, or the circle alone."""
        if shown != self._named:
            self._named = shown
            self.updateGeometry()
            self.update()

    def set_state(self, state: StepState, *, reachable: bool) -> None:
        """How the step stands and whether a click leads to it."""
        self.state = state
        self.setEnabled(reachable or state is StepState.CURRENT)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus if reachable else Qt.FocusPolicy.NoFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor if reachable else Qt.CursorShape.ArrowCursor)
        words = {
            StepState.DONE: self.tr("done"),
            StepState.CURRENT: self.tr("current step"),
            StepState.AHEAD: self.tr("not done yet"),
        }[state]
        self.setAccessibleName(
            self.tr("Step %1, %2: %3").replace("%1", str(self.number)).replace("%2", self.text()).replace("%3", words)
        )
        self.update()

    def full_width(self) -> int:
        """Width with its name, px."""
        metrics = QFontMetrics(palette.current().font("strong"))  # the widest of its fonts
        return CIRCLE + GAP + metrics.horizontalAdvance(self.text()) + 4

    def sizeHint(self) -> QSize:
        return QSize(self.full_width() if self._named else CIRCLE + 2, CIRCLE + 6)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = palette.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        circle = QRectF(1.5, (self.height() - CIRCLE) / 2 + 0.5, CIRCLE - 1, CIRCLE - 1)
        current, done = self.state is StepState.CURRENT, self.state is StepState.DONE
        if current:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("accent"))
        elif done:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("selected"))
        else:
            painter.setPen(QPen(theme.colour("borderStrong"), 1))
            painter.setBrush(theme.colour("sunken"))
        painter.drawEllipse(circle)
        if done:
            icon = icons.pixmap("check", theme.colour("accent"), 14, self.devicePixelRatioF())
            painter.drawPixmap(int(circle.center().x()) - 6, int(circle.center().y()) - 6, icon)
        else:
            painter.setFont(theme.font("strong"))
            painter.setPen(theme.colour("onAccent" if current else "textMuted"))
            painter.drawText(circle, Qt.AlignmentFlag.AlignCenter, str(self.number))
        if self._named:
            painter.setFont(theme.font("strong" if current else "body"))
            painter.setPen(theme.colour("text" if current or done else "textMuted"))
            area = QRect(CIRCLE + GAP, 0, self.width() - CIRCLE - GAP, self.height())
            painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self.text())
        if self.hasFocus():
            painter.setPen(QPen(theme.colour("focus"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)
        painter.end()


class _Line(QWidget):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.done = False
        self.setMinimumWidth(10)
        self.setFixedHeight(CIRCLE + 6)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = palette.current()
        painter = QPainter(self)
        painter.fillRect(0, self.height() // 2, self.width(), 2, theme.colour("accent" if self.done else "border"))
        painter.end()


class Stepper(QWidget):
    """All steps in a row. Where there is no room for all names, only the current step has one.

    Signals:
        chosen: number of the step that was clicked (1 for the first).
    """

    chosen = Signal(int)

    def __init__(self, names: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        self.steps: list[StepButton] = []
        self._lines: list[_Line] = []
        for number, name in enumerate(names, 1):
            step = StepButton(number, name, self)
            step.clicked.connect(self._clicked)
            if self.steps:
                line = _Line(self)
                self._lines.append(line)
                layout.addWidget(line, 1)
            self.steps.append(step)
            layout.addWidget(step)
        self._current = 1
        self.set_current(1, reachable=1)

    def set_current(self, current: int, reachable: int) -> None:
        """Show which step is open, and the last one that a click may lead to."""
        self._current = current
        for step in self.steps:
            state = StepState.AHEAD
            if step.number == current:
                state = StepState.CURRENT
            elif step.number < current:
                state = StepState.DONE
            step.set_state(state, reachable=step.number <= reachable and step.number != current)
        for number, line in enumerate(self._lines, 1):
            line.done = number < current
            line.update()
        self._fit()

    def minimumSizeHint(self) -> QSize:
        return QSize(len(self.steps) * (CIRCLE + 32), CIRCLE + 6)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit()
        super().resizeEvent(event)

    def _fit(self) -> None:
        wanted = sum(step.full_width() for step in self.steps) + len(self._lines) * 36
        for step in self.steps:
            step.show_name(wanted <= self.width() or step.number == self._current)

    @Slot()
    def _clicked(self) -> None:
        step = self.sender()
        if isinstance(step, StepButton) and step.number != self._current:
            self.chosen.emit(step.number)
