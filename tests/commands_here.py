"""Commands of Launchpad in this process, which saves the second that a start takes."""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stderr, redirect_stdout

from launchpad.cli.app import app
from launchpad.cli.errors import guarded


def here(words: list[str]) -> tuple[int, str, str]:
    """Run a command in this process; code, stdout, stderr."""
    out, err = io.StringIO(), io.StringIO()
    before, sys.argv = sys.argv, ["launchpad", *words]
    try:
        with redirect_stdout(out), redirect_stderr(err):
            code = guarded(lambda: app(words, standalone_mode=False, prog_name="launchpad"))
    finally:
        sys.argv = before
    assert "Traceback" not in err.getvalue(), err.getvalue()
    return code, out.getvalue(), err.getvalue()
