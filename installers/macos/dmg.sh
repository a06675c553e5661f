#!/bin/bash
# Makes the disk image of an app: dmg.sh BUNDLE FOLDER VERSION. Needs a Mac.
# Signed, notarized and stapled where there is an identity; otherwise the name ends with -unsigned, and the last line says so.
#   LAUNCHPAD_MACOS_IDENTITY        see sign.sh
#   LAUNCHPAD_NOTARY_KEY, _KEY_ID, _ISSUER   App Store Connect API key (a .p8 file), its id, its issuer
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bundle=$1 out=$2 version=$3
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
mkdir -p "$out" "$work/image"
"${PYTHON:-python3}" "$here/bundle.py" "$bundle" "$work/image" "$version"
app="$work/image/Launchpad.app"
machine=$(uname -m)
if [ -n "${LAUNCHPAD_MACOS_IDENTITY:-}" ]; then
  bash "$here/sign.sh" "$app"
  image="$out/launchpad-$version-macos-$machine.dmg"
else
  codesign --force --deep --sign - "$app"  # macOS on arm64 starts nothing without any signature at all
  image="$out/launchpad-$version-macos-$machine-unsigned.dmg"
fi
"$app/Contents/MacOS/launchpad" self-test  # as it ships: in the layout of an app, with its signature
ln -s /Applications "$work/image/Applications"
rm -f "$image"
hdiutil create -volname Launchpad -srcfolder "$work/image" -fs HFS+ -format UDZO -imagekey zlib-level=9 "$image"
if [ -n "${LAUNCHPAD_MACOS_IDENTITY:-}" ]; then
  codesign --timestamp --sign "$LAUNCHPAD_MACOS_IDENTITY" "$image"
  codesign --verify --verbose=2 "$image"
  if [ -n "${LAUNCHPAD_NOTARY_KEY:-}" ]; then
    bash "$here/notarize.sh" "$image"
    echo "signed and notarized: $image"
  else
    echo "signed, not notarized: $image"
  fi
else
  echo "unsigned: $image"
fi
