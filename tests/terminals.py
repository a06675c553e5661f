"""What a program shows on a terminal."""

from __future__ import annotations

import os


def shown_on(terminal: int) -> bytes:
    """All that is written to the other end of a pseudo-terminal until that is closed; closes this one."""
    shown = b""
    while True:
        try:
            block = os.read(terminal, 4096)
        except OSError:  # the other end is closed
            break
        if not block:
            break
        shown += block
    os.close(terminal)
    return shown
