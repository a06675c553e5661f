#!/bin/sh
# Makes the environment in .venv from the lock files, and nothing when it is up to date (then no network is needed).
# As root it installs what Debian and Ubuntu lack; otherwise it prints the one line to type and exits 2. Never sudo.
#   environment.sh           what running and testing need
#   environment.sh test      also what judges the object store and the packages in the tests
#   environment.sh freeze    also what building the bundle needs
#   environment.sh package   also what making and judging packages needs
set -eu
cd "$(dirname "$0")/.."
PYTHON="${PYTHON:-python3}"
say() { printf '%s\n' "$*" >&2; }

# --- the system -----------------------------------------------------------------------------------------------------
new_enough() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' 2>/dev/null; }
if ! new_enough "$PYTHON"; then
  for candidate in python3.14 python3.13 python3.12 python3.11; do
    if new_enough "$candidate"; then PYTHON=$candidate; break; fi
  done
fi

packages="" wishes=""
want() { case " $packages " in *" $1 "*) ;; *) packages="$packages $1" ;; esac; }
# `wish TOOL PACKAGE …`: judges that not every system has; without one its checks are left out, and say so.
wish() { command -v "$1" >/dev/null 2>&1 || { shift; wishes="$wishes $*"; }; }
# The wishes that this system's sources have.
grant() {
  for wished in $wishes; do
    if apt-cache show "$wished" >/dev/null 2>&1; then want "$wished"; else say "Not to be had here: $wished. What it judges is left out."; fi
  done
}
if [ "$(uname -s)" = Linux ]; then
  if ! new_enough "$PYTHON"; then
    # The python3 of Debian 12 and Ubuntu 24.04 will do; beside an older one there may be a newer.
    if command -v python3 >/dev/null 2>&1; then PYTHON=python3.11; else PYTHON=python3; fi
    want "$PYTHON"; want "$PYTHON-venv"
  elif ! "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null; then
    want "$(basename "$("$PYTHON" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')")-venv"
  fi
  # What Qt's libraries and platform plug-ins load, and the package that has it.
  libraries="libEGL.so.1=libegl1 libGL.so.1=libgl1 libX11.so.6=libx11-6 libX11-xcb.so.1=libx11-xcb1
libdbus-1.so.3=libdbus-1-3 libfontconfig.so.1=libfontconfig1 libfreetype.so.6=libfreetype6
libglib-2.0.so.0=libglib2.0-0 libgthread-2.0.so.0=libglib2.0-0 libgssapi_krb5.so.2=libgssapi-krb5-2
libbrotlidec.so.1=libbrotli1 libwayland-client.so.0=libwayland-client0 libwayland-cursor.so.0=libwayland-cursor0
libxcb-cursor.so.0=libxcb-cursor0 libxcb-glx.so.0=libxcb-glx0 libxcb-icccm.so.4=libxcb-icccm4
libxcb-image.so.0=libxcb-image0 libxcb-keysyms.so.1=libxcb-keysyms1 libxcb-randr.so.0=libxcb-randr0
libxcb-render-util.so.0=libxcb-render-util0 libxcb-render.so.0=libxcb-render0 libxcb-shape.so.0=libxcb-shape0
libxcb-shm.so.0=libxcb-shm0 libxcb-sync.so.1=libxcb-sync1 libxcb-util.so.1=libxcb-util1
libxcb-xfixes.so.0=libxcb-xfixes0 libxcb-xkb.so.1=libxcb-xkb1 libxkbcommon.so.0=libxkbcommon0
libxkbcommon-x11.so.0=libxkbcommon-x11-0 libzstd.so.1=libzstd1"
  missing_libraries() {
    # Without a Python to ask: all of them, so that one line is enough.
    "$PYTHON" - "$libraries" <<'PY' 2>/dev/null || printf '%s\n' "$libraries" | tr ' ' '\n' | sed 's/.*=//'
import ctypes, sys
for pair in sys.argv[1].split():
    library, package = pair.split("=")
    try:
        ctypes.CDLL(library)
    except OSError:
        print(package)
PY
  }
  for package in $(missing_libraries); do want "$package"; done
  if [ "${1:-}" = test ]; then
    command -v rclone >/dev/null 2>&1 || want rclone
    # What makes and judges the packages: the tests that need it are left out without.
    command -v xz >/dev/null 2>&1 || want xz-utils
    command -v rpmbuild >/dev/null 2>&1 || want rpm
    command -v desktop-file-validate >/dev/null 2>&1 || want desktop-file-utils
    command -v mksquashfs >/dev/null 2>&1 || want squashfs-tools
    command -v gpg >/dev/null 2>&1 || want gpg
    command -v gpg-agent >/dev/null 2>&1 || want gpg-agent  # without it gpg signs nothing
    command -v ld >/dev/null 2>&1 || want binutils
  fi
  if [ "${1:-}" = package ]; then
    command -v dpkg-deb >/dev/null 2>&1 || want dpkg
    command -v xz >/dev/null 2>&1 || want xz-utils
    command -v rpmbuild >/dev/null 2>&1 || want rpm
    command -v rpm2cpio >/dev/null 2>&1 || want rpm2cpio
    command -v cpio >/dev/null 2>&1 || want cpio
    command -v debootstrap >/dev/null 2>&1 || want debootstrap
    command -v desktop-file-validate >/dev/null 2>&1 || want desktop-file-utils
    command -v appstreamcli >/dev/null 2>&1 || want appstream
    if [ -n "${LAUNCHPAD_LINUX_SIGNING_KEY:-}" ]; then
      command -v gpg >/dev/null 2>&1 || want gpg
      command -v gpg-agent >/dev/null 2>&1 || want gpg-agent
    fi
  fi
  if [ "${1:-}" = freeze ]; then
    command -v objdump >/dev/null 2>&1 || want binutils
    if new_enough "$PYTHON" && ! "$PYTHON" - <<'PY'
import ctypes, sys, sysconfig
from pathlib import Path
name = f"libpython{sys.version_info.major}.{sys.version_info.minor}.so.1.0"
try:
    ctypes.CDLL(name)
except OSError:
    sys.exit(not (Path(sysconfig.get_config_var("LIBDIR")) / name).exists())
PY
    then want "lib$("$PYTHON" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')"; fi
  fi
  if [ "${1:-}" = package ]; then
    wish makensis nsis
    wish osslsigncode osslsigncode
    wish openssl openssl
    wish wine wine wine64
    wish xvfb-run xvfb xauth
    wish xdotool xdotool
    if [ -n "${LAUNCHPAD_APPIMAGE_RUNTIME:-}" ]; then wish mksquashfs squashfs-tools; fi
  fi
  if [ -n "$wishes" ] && command -v apt-get >/dev/null 2>&1; then
    if [ "$(id -u)" -eq 0 ]; then apt-get update -qq >/dev/null; fi
    grant
  fi
  if [ -n "$packages" ]; then
    if ! command -v apt-get >/dev/null 2>&1; then
      say "Missing on this system (Debian's names):$packages. Install them with your package manager, then try again."
      exit 2
    elif [ "$(id -u)" -ne 0 ]; then
      say "Some packages are missing. Type this line, then try again:"
      say "  sudo apt-get install -y --no-install-recommends$packages"
      exit 2
    fi
    say "Installing$packages"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >/dev/null
    # shellcheck disable=SC2086 # a list
    apt-get install -y -qq --no-install-recommends $packages >/dev/null
    if [ -z "$(missing_libraries)" ]; then :; else  # python3 itself was new: ask once more, now with it
      # shellcheck disable=SC2046
      apt-get install -y -qq --no-install-recommends $(missing_libraries) >/dev/null
    fi
  fi
fi
if ! new_enough "$PYTHON"; then
  say "Python 3.11 to 3.14 is needed, and “$PYTHON” is not. Install one, or name it: make setup PYTHON=/path/to/python3"
  exit 2
fi

if command -v getent >/dev/null 2>&1 && ! getent hosts localhost >/dev/null; then
  say "Note: “localhost” has no address on this system. Notebooks and tests need it: put 127.0.0.1 localhost into /etc/hosts."
fi

# --- the environment ------------------------------------------------------------------------------------------------
stamp=.venv/launchpad-stamp
# The place counts: an environment does not survive being moved.
now="$(pwd) $("$PYTHON" -c 'import sys; print(sys.version)') $(cat requirements/*.lock pyproject.toml | cksum)"
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$now" ]; then exit 0; fi

say "Making the environment in .venv"
if [ -z "${HOME:-}" ]; then
  export UV_CACHE_DIR="$PWD/.tools/cache" PIP_CACHE_DIR="$PWD/.tools/cache-pip"
fi
if ! .tools/bin/uv --version >/dev/null 2>&1; then
  rm -rf .tools/bin .tools/lib .tools/pyvenv.cfg
  "$PYTHON" -m venv .tools
  # Called as a module: the scripts' first line does not survive a long path or one with a space.
  .tools/bin/python -m pip install --quiet --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.lock
fi
uv() { .tools/bin/python -m uv "$@"; }
rm -f "$stamp"
[ -x .venv/bin/python ] && [ "$(.venv/bin/python -c 'import sys; print(sys.version)' 2>/dev/null)" = "$("$PYTHON" -c 'import sys; print(sys.version)')" ] \
  && grep -qsF "$PWD" .venv/launchpad-place || rm -rf .venv
[ -d .venv ] || { uv venv --quiet --python "$("$PYTHON" -c 'import sys; print(sys.executable)')" .venv; printf '%s\n' "$PWD" > .venv/launchpad-place; }

uv pip sync --quiet --python .venv/bin/python --require-hashes requirements/dev.lock
uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
printf '%s' "$now" > "$stamp"
