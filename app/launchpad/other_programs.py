"""The environment for programs that are not ours: without what a frozen program, Qt and Python set for us."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping

# What another program must not see.
_OURS = re.compile(
    r"LD_LIBRARY_PATH|LD_PRELOAD|DYLD_\w+|PYTHON\w*|_PYI_\w+|_MEIPASS2?|VIRTUAL_ENV|QT_\w+|QML\w*_PATH|GIO_MODULE_DIR"
    r"|GDK_PIXBUF_MODULE\w*|LAUNCHPAD_\w+|AIGNOSTICS_\w+"
)


def clean_environment(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment without what belongs to this program; what a frozen one set aside is put back."""
    own = getattr(sys, "_MEIPASS", "")
    before = dict(os.environ if environment is None else environment)
    clean = {name: value for name, value in before.items() if not _OURS.fullmatch(name.removesuffix("_ORIG"))}
    for name in ("LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_LIBRARY_PATH"):
        if before.get(f"{name}_ORIG"):
            clean[name] = before[f"{name}_ORIG"]
        elif before.get(name) and own and name not in set_by_the_bundle(before):
            clean[name] = before[name]  # given back already
    if own:
        if "PATH" in clean:
            kept = [part for part in clean["PATH"].split(os.pathsep) if not part.startswith(own)]
            clean["PATH"] = os.pathsep.join(kept)
        for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"):
            if clean.get(name, "").startswith(own):
                del clean[name]
    return clean


def give_back_environment() -> None:
    """Take out of this frozen process's own environment what the bundle's loader put there.

    For programs that are started past `clean_environment`: by Qt (the browser, the file manager) and `webbrowser`. The
    system's loader and Qt go on without: the one read it at the start, the other finds its plug-ins beside itself. Our
    own executables set it again for themselves.
    """
    for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"):
        before = os.environ.pop(f"{name}_ORIG", "")
        os.environ.pop(name, None)
        if before:
            os.environ[name] = before
    for name in set_by_the_bundle(os.environ):
        del os.environ[name]


def set_by_the_bundle(environment: Mapping[str, str]) -> list[str]:
    """The names of variables that lead a program into this bundle; none when Python runs from source."""
    own = getattr(sys, "_MEIPASS", "")
    if not own:
        return []
    return sorted(
        name for name, value in environment.items()
        if name.startswith("_PYI_")
        or (name != "PATH" and any(part.startswith(own) for part in value.split(os.pathsep)))
    )  # fmt: skip
