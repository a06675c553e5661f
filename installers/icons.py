"""Draws resources/launchpad.svg as PNG files, a Windows .ico and a macOS .icns: `icons.py FOLDER`. Needs no display."""

from __future__ import annotations

import io
import os
import struct
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "resources" / "launchpad.svg"
ICO = (16, 24, 32, 48, 64, 128, 256)
# The kinds of an .icns that hold PNG, and their sizes in pixels (retina ones are twice what they stand for).
ICNS = {
    "icp4": 16, "icp5": 32, "ic07": 128, "ic08": 256, "ic09": 512, "ic10": 1024, "ic11": 32, "ic12": 64, "ic13": 256,
    "ic14": 512,
}  # fmt: skip


def png(size: int) -> bytes:
    """The icon at a size in pixels."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtCore import QBuffer, QIODevice, Qt
    from PySide6.QtGui import QImage, QPainter
    from PySide6.QtSvg import QSvgRenderer

    image = QImage(size, size, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    QSvgRenderer(str(SOURCE)).render(painter)
    painter.end()
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    return bytes(buffer.data().data())


def ico() -> bytes:
    """All sizes of a Windows icon, each as PNG."""
    pictures = [png(size) for size in ICO]
    out, place = io.BytesIO(), 6 + 16 * len(ICO)
    out.write(struct.pack("<HHH", 0, 1, len(ICO)))
    for size, data in zip(ICO, pictures, strict=True):
        out.write(struct.pack("<BBBBHHII", size % 256, size % 256, 0, 0, 1, 32, len(data), place))
        place += len(data)
    return out.getvalue() + b"".join(pictures)


def icns() -> bytes:
    """All sizes of a macOS icon, retina ones too."""
    parts = []
    for kind, size in ICNS.items():
        data = png(size)
        parts.append(kind.encode() + struct.pack(">I", len(data) + 8) + data)
    body = b"".join(parts)
    return b"icns" + struct.pack(">I", len(body) + 8) + body


def main(folder: Path) -> None:
    """Write them all."""
    folder.mkdir(parents=True, exist_ok=True)
    for size in (16, 24, 32, 48, 64, 128, 256, 512):
        (folder / f"launchpad-{size}.png").write_bytes(png(size))
    (folder / "launchpad.ico").write_bytes(ico())
    (folder / "launchpad.icns").write_bytes(icns())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
