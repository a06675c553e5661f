#!/bin/sh
# Judges the wheel in dist: in a fresh environment without a display, by uv's own way to run it, and whether each system
# and Python has a wheel of every locked dependency (asked of the package index; the packages themselves are not downloaded).
#   test.sh          all of it
#   test.sh resolve  only the last
set -eu
cd "$(dirname "$0")/../.."
uv() { .tools/bin/python -m uv "$@"; }
work=$(mktemp -d "${TMPDIR:-/tmp}/launchpad-wheel.XXXXXX")
trap 'rm -rf "$work"' EXIT

if [ "${1:-}" != resolve ]; then
  wheel=$(ls dist/pathology_launchpad-*.whl)
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
    venv/bin/launchpad self-test >log 2>&1 || { tail -20 log; exit 1; }
  )
  echo "$(basename "$wheel"): command line, library and self-test in a fresh environment, without a display: passed"
  uv tool run --quiet --python .venv/bin/python --constraints requirements/runtime.lock --from "$wheel" \
    pathology-launchpad --help >"$work/log" 2>&1 || { tail -20 "$work/log"; exit 1; }
  echo "$(basename "$wheel"): uv tool run … pathology-launchpad: passed"
fi

# PySide6 has wheels of arm64 from glibc 2.39 on (Debian 13, Ubuntu 24.04).
for system in x86_64-pc-windows-msvc aarch64-apple-darwin x86_64-manylinux_2_36 aarch64-manylinux_2_39; do
  for version in 3.11 3.12 3.13 3.14; do
    uv pip install --quiet --dry-run --python .venv/bin/python --target "$work/none" --python-platform "$system" \
      --python-version "$version" --only-binary :all: --require-hashes -r requirements/runtime.lock >"$work/log" 2>&1 \
      || { echo "$system, Python $version:"; tail -20 "$work/log"; exit 1; }
  done
  echo "$system: every locked dependency has a wheel for Python 3.11 to 3.14"
done
