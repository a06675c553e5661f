#!/bin/bash
# The whole way on Windows (in Git's bash): environment, bundle, its self-test, installer: package.sh FOLDER
# Needs Python 3.11 to 3.14 as `python`, and makensis. Signing: see sign.sh.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:-dist}
python -m venv .tools
.tools/Scripts/python -m pip install --quiet --require-hashes -r requirements/bootstrap.lock
.tools/Scripts/python -m uv venv --quiet --clear --python "$(python -c 'import sys; print(sys.executable)')" .venv
.tools/Scripts/python -m uv pip sync --quiet --python .venv/Scripts/python.exe --require-hashes requirements/dev.lock
.tools/Scripts/python -m uv pip install --quiet --python .venv/Scripts/python.exe --no-deps --no-build-isolation --editable .
py=.venv/Scripts/python
export PYTHONHASHSEED=0  # the same sources give the same bytes
NO_MKDOCS_2_WARNING=1 "$py" -m mkdocs build --quiet --strict --site-dir resources/help
"$py" -m PyInstaller --noconfirm --log-level WARN --distpath dist --workpath build/pyinstaller build.spec
dist/launchpad/launchpad.exe self-test
"$py" installers/windows/build.py dist/launchpad "$out"
