"""Programs that are not ours: the browser, and an environment without what a frozen program, Qt and Python set."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping

# What another program must not see.
_OURS = re.compile(
    r"LD_LIBRARY_PATH|LD_PRELOAD|DYLD_\w+|PYTHON\w*|_PYI_\w+|_MEIPASS2?|VIRTUAL_ENV|QT_\w+|QML\w*_PATH|GIO_MODULE_DIR"
    r"|GDK_PIXBUF_MODULE\w*|LAUNCHPAD_\w+|AIGNOSTICS_\w+"
)

_SECONDS = 3  # until a browser that still runs counts as opened
_opened: list[subprocess.Popen[bytes]] = []  # kept: one that goes while its program runs warns


def clean_environment(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment without what belongs to this program; what a frozen one set aside is put back."""
    before = dict(os.environ if environment is None else environment)
    clean = {name: value for name, value in before.items() if not _OURS.fullmatch(name.removesuffix("_ORIG"))}
    for name in ("LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_LIBRARY_PATH"):
        if before.get(f"{name}_ORIG"):
            clean[name] = before[f"{name}_ORIG"]
    own = getattr(sys, "_MEIPASS", "")
    if own:
        kept = [part for part in clean.get("PATH", "").split(os.pathsep) if not part.startswith(own)]
        clean["PATH"] = os.pathsep.join(kept)
        for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"):
            if clean.get(name, "").startswith(own):
                del clean[name]
    return clean


def open_in_browser(address: str) -> bool:
    """Open an address in the person's browser; False where none took it."""
    if not getattr(sys, "frozen", False) or sys.platform == "win32":
        import webbrowser

        return webbrowser.open(address)
    # webbrowser hands our environment on, in which a frozen program names its libraries: a browser would take them.
    chosen = shlex.split(os.environ.get("BROWSER", ""))
    command = chosen or (["open"] if sys.platform == "darwin" else ["xdg-open"])
    if any("%s" in part for part in command):
        command = [part.replace("%s", address) for part in command]
    else:
        command.append(address)
    try:
        opener = subprocess.Popen(
            command,
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        return False
    _opened.append(opener)
    try:
        return opener.wait(_SECONDS) == 0
    except subprocess.TimeoutExpired:
        return True  # a browser that stays with its window
