#!/bin/bash
# The whole way on a Mac: environment, bundle, disk image, and the self-test of both: package.sh FOLDER. Signing: see dmg.sh.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:-dist}
make freeze
.venv/bin/python installers/release/bill_of_materials.py "$out" dist/launchpad
PYTHON=.venv/bin/python bash installers/macos/dmg.sh dist/launchpad "$out" "$(.venv/bin/launchpad --version)"
