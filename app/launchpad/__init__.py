"""Launchpad: run computational pathology applications on whole slide images.

Importing this package loads nothing else; `launchpad.platform`, `launchpad.application`, `launchpad.wsi` and the
others are imported by name.
"""

__version__ = "0.1.0"
