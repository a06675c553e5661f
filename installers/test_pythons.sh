#!/bin/sh
# The unit and contract tests on every Python 3.12 to 3.14 of this machine, each in an environment of its own under build.
set -eu
cd "$(dirname "$0")/.."
found=""
for version in 3.12 3.13 3.14; do
  # Asked to run: a name on the PATH may be a version manager's that has no such Python.
  "python$version" -c "" >/dev/null 2>&1 || { echo "python$version: not on this machine"; continue; }
  found="$found $version"
  place="build/pythons/$version"
  .tools/bin/python -m uv venv --quiet --clear --python "$("python$version" -c 'import sys; print(sys.executable)')" "$place"
  .tools/bin/python -m uv pip sync --quiet --python "$place/bin/python" --require-hashes requirements/dev.lock
  .tools/bin/python -m uv pip install --quiet --python "$place/bin/python" --no-deps --no-build-isolation --editable .
  "$place/bin/python" -m pytest -m "not long" tests/unit tests/contract
  echo "python$version: passed"
done
if [ -z "$found" ]; then
  echo "No Python 3.12 to 3.14 is on this machine: nothing was tested." >&2
  exit 1
fi
echo "Tested on:$found"
