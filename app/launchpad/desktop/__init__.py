"""The desktop application: the only package that knows Qt."""

from __future__ import annotations

import sys

import PySide6.QtCore  # noqa: F401 - loads the module below

# PySide looks through the source text of every module that is imported after it for `__feature__` switches.
# Nothing here has any, and the looking takes a sixth of the time to the first window.
_feature = sys.modules.get("shibokensupport.feature")
if hasattr(_feature, "_mod_uses_pyside"):
    _feature._mod_uses_pyside = lambda module: False  # type: ignore[union-attr]
