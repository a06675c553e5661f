#!/bin/bash
# The whole way on a Mac: environment, bundle, its self-test, disk image: package.sh FOLDER. Signing: see dmg.sh.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:-dist}
make freeze
PYTHON=.venv/bin/python bash installers/macos/dmg.sh dist/launchpad "$out" "$(.venv/bin/launchpad --version)"
app=$(mktemp -d)
.venv/bin/python installers/macos/bundle.py dist/launchpad "$app"
codesign --force --deep --sign - "$app/Launchpad.app"
"$app/Launchpad.app/Contents/MacOS/launchpad" self-test  # in the layout of an app, too
rm -rf "$app"
