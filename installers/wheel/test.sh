#!/bin/sh
# Judges the wheel in dist: what it holds, in a fresh environment without a display, by uv's own way to run it, with a
# window; and, by ../release/wheels.py, whether each system and Python has a wheel of every locked dependency.
# What cannot be checked is said in a line that begins with “NOT CHECKED”.
set -eu
cd "$(dirname "$0")/../.."
uv() { .tools/bin/python -m uv "$@"; }
work=$(mktemp -d "${TMPDIR:-/tmp}/launchpad-wheel.XXXXXX")
clean() {
  # The platform that a command started stays for a minute; here nobody else wants it.
  if [ -x "$work/venv/bin/launchpad" ]; then LAUNCHPAD_DATA_DIR="$work/data" "$work/venv/bin/launchpad" platform stop >/dev/null 2>&1 || true; fi
  rm -rf "$work"
}
trap clean EXIT
fail() { [ ! -s "$work/log" ] || tail -30 "$work/log"; echo "FAILED: $*" >&2; exit 1; }

wheel=$(ls dist/pathology_launchpad-*.whl)
[ "$(echo "$wheel" | wc -l)" -eq 1 ] || fail "one wheel is wanted, there are: $wheel"
name=$(basename "$wheel")
.venv/bin/python -m zipfile -l "$wheel" >"$work/names"
for file in help/index.html sample/CMU-1-Small-Region.svs tokens.json updates.toml; do
  grep -q "^launchpad/resources/$file " "$work/names" || fail "$name lacks $file"
done
echo "$name: the help, the sample slide and the other resources are in it"

uv venv --quiet --python .venv/bin/python "$work/venv"
uv pip sync --quiet --python "$work/venv/bin/python" --require-hashes requirements/runtime.lock
uv pip install --quiet --python "$work/venv/bin/python" --no-deps "$wheel"
here="$PWD"
(
  cd "$work"
  unset DISPLAY WAYLAND_DISPLAY
  export LAUNCHPAD_DATA_DIR="$work/data"
  venv/bin/launchpad --help >/dev/null
  venv/bin/python -c 'from launchpad import platform; import launchpad; assert "site-packages" in launchpad.__file__'
  venv/bin/launchpad wsi inspect "$here"/resources/sample/*.svs >/dev/null
  unset LAUNCHPAD_DATA_DIR
  venv/bin/launchpad self-test >log 2>&1
) || fail "$name in a fresh environment"
echo "$name: command line, library and self-test in a fresh environment, without a display: passed"

if command -v xvfb-run >/dev/null 2>&1 && command -v xdotool >/dev/null 2>&1; then
  cat >"$work/window.sh" <<'WINDOW'
set -eu
# As `uvx pathology-launchpad` from the package index, but of this wheel.
"$PYTHON" -m uv tool run --quiet --python "$FOR" --constraints requirements/runtime.lock --from "$WHEEL" pathology-launchpad &
started=$!
window=$(timeout 300 xdotool search --sync --onlyvisible --name '^Launchpad' | head -1)
[ -n "$window" ] || { echo "no window came"; exit 1; }
echo "window: $(xdotool getwindowname "$window"),$(xdotool getwindowgeometry "$window" | sed -n 's/^ *Geometry://p')"
sleep 2
kill -INT "$(xdotool getwindowpid "$window")"  # as Ctrl-C: it closes as by its own button
wait "$started"
WINDOW
  PYTHON="$PWD/.tools/bin/python" FOR="$PWD/.venv/bin/python" WHEEL="$wheel" LAUNCHPAD_DATA_DIR="$work/data" \
    timeout 600 xvfb-run -a -s '-screen 0 1600x1000x24' sh "$work/window.sh" >"$work/log" 2>&1 || fail "$name: uv tool run … pathology-launchpad"
  echo "$name: uv tool run … pathology-launchpad opened a window ($(sed -n 's/^window: //p' "$work/log")) and ended well"
else
  echo "NOT CHECKED: the window by uv tool run: xvfb-run or xdotool is missing"
fi

.tools/bin/python installers/release/wheels.py
