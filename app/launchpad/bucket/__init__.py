"""Bytes to and from buckets: signatures, checksums, upload, download. `Service` has the old SDK's names."""

from __future__ import annotations


def __getattr__(name: str) -> object:
    """Import what is asked for, not before (PEP 562)."""
    if name == "Service":
        import importlib

        # It needs the platform, which lies above this package: known here by name alone, for those who look for it.
        return importlib.import_module("launchpad.application.bucket_service").Service
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
