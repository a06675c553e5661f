#!/bin/bash
# The whole way on Windows (in Git's bash): environment, bundle, its self-test, what is in it, installer: package.sh FOLDER
# Needs Python 3.11 to 3.14 as `python`, and makensis. Signing: see sign.sh.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:-dist}
bash installers/windows/environment.sh
py=.venv/Scripts/python
# The same sources give the same bytes: times are those of the last commit, and sets have one order.
export PYTHONUTF8=1 PYTHONHASHSEED=0 SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}"
NO_MKDOCS_2_WARNING=1 "$py" -m mkdocs build --quiet --strict --site-dir resources/help
"$py" -m PyInstaller --noconfirm --log-level WARN --distpath dist --workpath build/pyinstaller build.spec
dist/launchpad/launchpad.exe self-test
"$py" installers/release/bill_of_materials.py "$out" dist/launchpad
"$py" installers/windows/build.py dist/launchpad "$out"
