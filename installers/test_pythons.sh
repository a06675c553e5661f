#!/bin/sh
# The unit and contract tests on other Pythons than that of .venv.
#   test_pythons.sh           every Python 3.12 to 3.14 of this machine, each in an environment of its own under build
#   test_pythons.sh trixie    the Python of that Debian, in a pristine system made by debootstrap (as root), where root's
#                             `make setup` installs what it needs
set -eu
cd "$(dirname "$0")/.."

if [ $# -gt 0 ]; then
  . installers/linux/roots.sh
  suite=$1
  why=$(no_roots)
  if [ -n "$why" ]; then echo "NOT CHECKED: the Python of $suite: $why"; exit 77; fi
  work=$(mktemp -d "${TMPDIR:-/tmp}/launchpad-python.XXXXXX")
  chmod 755 "$work"
  root="$work/$suite"
  trap 'remove_root "$root"; rm -rf --one-file-system "$work"' EXIT
  begun=$(date +%s)
  say() { echo "$suite: $*, $(($(date +%s) - begun)) s"; begun=$(date +%s); }
  make_root_with_source "$suite" "$root"
  inside "$root" git -c init.defaultBranch=main -c advice.detachedHead=false clone --quiet /tmp/launchpad.bundle /root/launchpad
  inside "$root" make -C /root/launchpad setup setup-for-tests >"$work/log" 2>&1 || { tail -30 "$work/log"; exit 1; }
  version=$(inside "$root" /root/launchpad/.venv/bin/python -c 'import platform; print(platform.python_version())')
  say "make setup by root on Python $version: passed"
  code=0
  inside "$root" sh -c \
    'cd /root/launchpad && .venv/bin/python -m pytest -m "not long" -n 2 --dist loadfile tests/unit tests/contract' \
    >"$work/log" 2>&1 || code=$?
  grep -E '^(FAILED|ERROR|SKIPPED)' "$work/log" || true
  tail -1 "$work/log"
  mkdir -p build
  cp "$work/log" "build/test-python-$version.log"
  [ $code -eq 0 ] || { echo "FAILED: Python $version of $suite; build/test-python-$version.log says more" >&2; exit 1; }
  say "unit and contract tests on Python $version: passed"
  exit 0
fi

# Asked to run: a name on the PATH may be a version manager's that has no such Python. Those of pyenv and uv lie in their
# own folders.
python_of() {
  for candidate in "python$1" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin/python \
    "$(.tools/bin/python -m uv python dir)/cpython-$1".*/bin/python; do
    "$candidate" -c 'import sys; print(sys.executable)' 2>/dev/null && return
  done
  return 1
}

found="" failed=""
for version in 3.12 3.13 3.14; do
  python=$(python_of $version) || { echo "NOT CHECKED: Python $version: not on this machine"; continue; }
  place="build/pythons/$version"
  .tools/bin/python -m uv venv --quiet --clear --python "$python" "$place"
  exact=$("$place/bin/python" -c 'import platform; print(platform.python_version())')
  found="$found $exact"
  .tools/bin/python -m uv pip sync --quiet --python "$place/bin/python" --require-hashes requirements/dev.lock
  .tools/bin/python -m uv pip install --quiet --python "$place/bin/python" --no-deps --no-build-isolation --editable .
  begun=$(date +%s)
  if "$place/bin/python" -m pytest -m "not long" -n 2 --dist loadfile tests/unit tests/contract; then
    echo "Python $exact: passed, $(($(date +%s) - begun)) s"
  else failed="$failed $exact"; fi
done
if [ -z "$found" ]; then
  echo "No Python 3.12 to 3.14 is on this machine: nothing was tested." >&2
  exit 1
fi
echo "Tested on:$found"
if [ -n "$failed" ]; then echo "FAILED on:$failed" >&2; exit 1; fi
