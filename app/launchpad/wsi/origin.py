"""Where slides of a public data set come from: a small file beside them, written when they are downloaded.

It is read when slides are prepared, so that what the collection tells of tissue and disease can be proposed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from launchpad.paths import write_atomic

FILE = "origin.json"
_LARGEST = 64 << 20  # bytes


def read_origins(folder: Path) -> dict[str, dict[str, str]]:
    """What is known of the files of a folder, by file name; empty where nothing is, or it cannot be understood."""
    file = folder / FILE
    try:
        if file.stat().st_size > _LARGEST:
            return {}
        document: Any = json.loads(file.read_bytes())
        return {
            str(name): {str(key): str(value) for key, value in facts.items()}
            for name, facts in document["files"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}  # a proposal less


def write_origins(folder: Path, files: Mapping[str, Mapping[str, str]]) -> None:
    """Note where files come from, beside what is noted of others. Raises OSError."""
    together = read_origins(folder) | {name: dict(facts) for name, facts in files.items()}
    document = {"about": "Where these files come from, and what that tells of them.", "files": together}
    write_atomic(folder / FILE, json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True).encode())
