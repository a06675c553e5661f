#!/bin/bash
# What can be proven of the macOS installer without a Mac: the app's layout of a stand-in, Info.plist and entitlements,
# the icon by a library of others, and the syntax of the scripts. codesign, notarytool and hdiutil need a Mac.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
python="$root/.venv/bin/python"
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
for script in "$here"/*.sh; do bash -n "$script"; done
mkdir -p "$work/bundle/_internal/numpy-2.0.dist-info" "$work/bundle/_internal/numpy"
printf '\xcf\xfa\xed\xfe code' | tee "$work/bundle/launchpad" "$work/bundle/launchpad-desktop" "$work/bundle/_internal/numpy/core.so" > "$work/bundle/_internal/libpython.dylib"
echo data > "$work/bundle/_internal/numpy-2.0.dist-info/METADATA"
"$python" "$here/bundle.py" "$work/bundle" "$work/out" 1.2.3rc1
contents="$work/out/Launchpad.app/Contents"
[ "$(cat "$contents/Frameworks/numpy-2.0.dist-info/METADATA")" = data ]
[ -L "$contents/Frameworks/numpy-2.0.dist-info" ] && [ ! -L "$contents/Frameworks/numpy" ]
[ -f "$contents/MacOS/launchpad" ] && [ -f "$contents/MacOS/launchpad-desktop" ]
"$python" - "$contents" <<'PY'
import plistlib, sys
from pathlib import Path
found = plistlib.loads((Path(sys.argv[1]) / "Info.plist").read_bytes())
assert found["CFBundleShortVersionString"] == "1.2.3", found
assert (Path(sys.argv[1]) / "MacOS" / found["CFBundleExecutable"]).is_file()
assert (Path(sys.argv[1]) / "Resources" / found["CFBundleIconFile"]).is_file()
PY
"$python" "$here/bundle.py" entitlements | "$python" -c '
import plistlib, sys
found = plistlib.loads(sys.stdin.buffer.read())
assert found and all(name.startswith("com.apple.security.cs.") and value is True for name, value in found.items()), found'
echo "ok: the app's layout, Info.plist and entitlements"
if [ ! -x "$root/build/icnsutil/bin/icnsutil" ]; then
  "$root/.tools/bin/python" -m uv venv --quiet --python "$python" "$root/build/icnsutil"
  "$root/.tools/bin/python" -m uv pip install --quiet --python "$root/build/icnsutil/bin/python" icnsutil==1.1.0
fi
said=$("$root/build/icnsutil/bin/icnsutil" test "$contents/Resources/launchpad.icns" 2>&1)
printf '%s\n' "$said"
case "$said" in *OK*) ;; *) echo "FAILED: the icon" >&2; exit 1 ;; esac
"$root/build/icnsutil/bin/icnsutil" info "$contents/Resources/launchpad.icns"
if command -v codesign >/dev/null 2>&1; then
  codesign --force --deep --sign - "$work/out/Launchpad.app" && codesign --verify --deep --strict "$work/out/Launchpad.app"
  echo "passed: with a signature for this Mac alone"
else
  echo "passed: layout, Info.plist, entitlements, icon"
  echo "NOT CHECKED: codesign, notarytool, stapler, hdiutil and the bundle for macOS (need a Mac)"
fi
