"""Entry of the window: `launchpad-desktop`, `pathology-launchpad`, `python -m launchpad.desktop`."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Open the window and return the exit code."""
    from launchpad.errors import LaunchpadError

    try:
        from launchpad.desktop import start

        return start.run(list(sys.argv[1:] if argv is None else argv))
    except LaunchpadError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code


def run() -> None:
    """Open the window and end the process."""
    sys.exit(main())


if __name__ == "__main__":
    run()
