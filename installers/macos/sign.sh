#!/bin/bash
# Signs Launchpad.app with the hardened runtime, from the inside out, and verifies it: sign.sh APP
#   LAUNCHPAD_MACOS_IDENTITY   name of a “Developer ID Application” certificate in the keychain
# Needs a Mac.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
app=$1
rights=$(mktemp); trap 'rm -f "$rights"' EXIT
"${PYTHON:-python3}" "$here/bundle.py" entitlements > "$rights"
sign() { codesign --force --timestamp --options runtime --sign "$LAUNCHPAD_MACOS_IDENTITY" "$@"; }
# Libraries first, then what holds them; --deep would give them the program's entitlements.
find "$app/Contents/Frameworks" "$app/Contents/Resources" -type f \( -name '*.dylib' -o -name '*.so' -o -perm -u+x \) -print0 |
  while IFS= read -r -d '' file; do
    if file -b "$file" | grep -q Mach-O; then sign "$file"; fi
  done
find "$app/Contents/Frameworks" -type d -name '*.framework' -prune | while read -r framework; do sign "$framework"; done
sign --entitlements "$rights" "$app/Contents/MacOS/launchpad"
sign --entitlements "$rights" "$app"
codesign --verify --strict --deep --verbose=2 "$app"
