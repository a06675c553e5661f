"""Commands of Launchpad in this process, which saves the second that a start takes."""

from __future__ import annotations

import io
import os
import sys
from contextlib import redirect_stderr, redirect_stdout

from launchpad.cli.app import app
from launchpad.cli.errors import guarded


def here(words: list[str]) -> tuple[int, str, str]:
    """Run a command in this process; code, stdout, stderr."""
    out, err = io.StringIO(), io.StringIO()
    before, sys.argv = sys.argv, ["launchpad", *words]
    chosen = os.environ.get("LAUNCHPAD_PROFILE")
    try:
        with redirect_stdout(out), redirect_stderr(err):
            try:
                code = guarded(lambda: app(words, standalone_mode=False, prog_name="launchpad"))
            except SystemExit as end:  # the shells' completion ends the process by itself
                code = end.code if isinstance(end.code, int) else 1
    finally:
        sys.argv = before
        os.environ.pop("LAUNCHPAD_PROFILE", None)  # of --profile
        os.environ.update({"LAUNCHPAD_PROFILE": chosen} if chosen is not None else {})
    assert "Traceback" not in err.getvalue(), err.getvalue()
    return code, out.getvalue(), err.getvalue()
