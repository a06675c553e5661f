"""The command line."""

from __future__ import annotations


def main() -> None:
    """Entry of `launchpad`: runs a command and ends the process with its exit code."""
    import sys

    try:
        from launchpad.cli.app import run
    except KeyboardInterrupt:  # while the modules are loaded
        sys.exit(130)
    run()
