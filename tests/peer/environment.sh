#!/bin/sh
# Makes build/peer, an environment that holds the old SDK and nothing of ours, where it is not there yet.
set -eu
cd "$(dirname "$0")/../.."
wanted=1.6.0
[ -f build/peer/made ] && [ "$(cat build/peer/made)" = "$wanted" ] && exit 0
rm -rf build/peer
.tools/bin/python -m uv venv --quiet --python "$(.venv/bin/python -c 'import sys; print(getattr(sys, "_base_executable", sys.executable))')" build/peer
.tools/bin/python -m uv pip install --quiet --python build/peer/bin/python "aignostics==$wanted"
printf %s "$wanted" > build/peer/made
