"""The command line."""

from __future__ import annotations


def main() -> None:
    """Entry of `launchpad`: runs a command and ends the process with its exit code."""
    from launchpad.cli.app import run

    run()
