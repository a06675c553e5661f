"""Tells when the network is another one: the health is looked at then, not only every half minute."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QNetworkInformation


class NetworkWatch(QObject):
    """Asks the system, nobody else. Where the system cannot tell, nothing is announced.

    Signals:
        changed: the network came, went, or is another one.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        if QNetworkInformation.loadDefaultBackend():
            information = QNetworkInformation.instance()
            information.reachabilityChanged.connect(self.changed)
            information.isBehindCaptivePortalChanged.connect(self.changed)
            information.transportMediumChanged.connect(self.changed)
