"""Runs in the peer's environment: its command line, one command a line of JSON on stdin, an answer a line on stdout.

One process for many commands, because loading the peer takes seconds. Only the storage endpoint is replaced.
"""

import json
import os
import sys
import traceback

from aignostics.bucket._service import Service

Service._get_s3_client.__defaults__ = (os.environ["PEER_STORE"],)

from aignostics.cli import cli  # noqa: E402
from typer.testing import CliRunner  # noqa: E402

answers = os.fdopen(os.dup(1), "w")
for line in sys.stdin:
    result = CliRunner().invoke(cli, json.loads(line))
    error = "".join(traceback.format_exception(*result.exc_info)) if result.exc_info and result.exit_code else ""
    answer = {"code": result.exit_code, "out": result.stdout, "err": result.stderr, "error": error}
    answers.write(json.dumps(answer) + "\n")
    answers.flush()
