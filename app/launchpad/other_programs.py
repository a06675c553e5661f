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
