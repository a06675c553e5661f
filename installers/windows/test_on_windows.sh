#!/bin/bash
# The tests on Windows, in Git's bash, with Python 3.11 to 3.14 as `python`.
set -euo pipefail
cd "$(dirname "$0")/../.."
export PYTHONUTF8=1  # as the Makefile has it
bash installers/windows/environment.sh
.venv/Scripts/python -m pytest -m "not long" -n 2 --dist loadfile
