#!/bin/bash
# The environment on Windows, in Git's bash, with Python 3.11 to 3.14 as `python`: .venv from the lock files.
set -euo pipefail
cd "$(dirname "$0")/../.."
python -m venv .tools
.tools/Scripts/python -m pip install --quiet --require-hashes -r requirements/bootstrap.lock
.tools/Scripts/python -m uv venv --quiet --clear --python "$(python -c 'import sys; print(sys.executable)')" .venv
.tools/Scripts/python -m uv pip sync --quiet --python .venv/Scripts/python.exe --require-hashes requirements/dev.lock
.tools/Scripts/python -m uv pip install --quiet --python .venv/Scripts/python.exe --no-deps --no-build-isolation --editable .
