#!/bin/bash
# On Windows, in Git's bash, and only on a builder that forgets (a Launchpad of this account would be replaced): installs,
# has the installed program test itself, and removes it: test_installed.sh SETUP.EXE
set -euo pipefail
setup=$1
programs="$(cygpath "$LOCALAPPDATA")/Programs/Launchpad"
export MSYS_NO_PATHCONV=1  # options are no paths
"$setup" /S
"$programs/launchpad.exe" self-test
"$programs/uninstall.exe" /S "_?=$(cygpath -w "$programs")"  # in its place, so that its code is waited for
left=$(ls "$programs")
[ "$left" = uninstall.exe ] || { echo "FAILED: left: $left" >&2; exit 1; }
echo "passed: installed, self-test, removed: $setup"
