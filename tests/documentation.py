"""The documentation for tests: its hooks as mkdocs loads them, the code in its pages, and their headings."""

from __future__ import annotations

import functools
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
BLOCK = re.compile(r"(?:^<!-- not run: (?P<reason>.+) -->\n)?^```(?P<kind>\w*)\n(?P<code>.*?)^```$", re.M | re.S)


@functools.cache
def hook(name: str) -> ModuleType:
    """The module `docs/NAME.py`."""
    spec = importlib.util.spec_from_file_location(f"documentation_{name}", DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look for it there
    spec.loader.exec_module(module)
    return module


def anchors(text: str) -> set[str]:
    """The names that links to the headings of a page use."""
    heads = re.findall(r"^#+ (.+)$", BLOCK.sub("", text), re.M)
    plain = (re.sub(r"[^\w\s-]", "", head.replace("\\", "")).strip().lower() for head in heads)
    return {re.sub(r"[\s]+", "-", head) for head in plain}
