#!/bin/sh
# The README's two commands in a fresh clone, by an ordinary person in a pristine Debian that has git, make and the
# certificates of the web, and nothing else: `make run`, then `make test`, each after typing the one line it asks for.
#   fresh_clone.sh [SUITE [run]]     the suite is bookworm when none is given; `run` leaves out `make test`
# Ends with 77 when it cannot be checked here, and says why.
set -eu
cd "$(dirname "$0")/../.."
. installers/linux/roots.sh
suite=${1:-bookworm}
why=$(no_roots)
if [ -n "$why" ]; then echo "NOT CHECKED: a fresh clone in a pristine $suite: $why"; exit 77; fi
work=$(mktemp -d "${TMPDIR:-/tmp}/launchpad-clone.XXXXXX")
chmod 755 "$work"
root="$work/$suite"
trap 'remove_root "$root"; rm -rf --one-file-system "$work"' EXIT
begun=$(date +%s)
# "SENTENCE, SECONDS since the last one".
say() { echo "$suite: $*, $(($(date +%s) - begun)) s"; begun=$(date +%s); }

make_root_with_source "$suite" "$root"
as_person "$root" git -c init.defaultBranch=main -c advice.detachedHead=false clone --quiet /tmp/launchpad.bundle launchpad
say "a system with git, make and ca-certificates, and a clone"

# A command that may first ask for packages of the system: once, in one line.
person_makes() {
  if as_person "$root" "cd launchpad && make $1" >"$work/log" 2>&1; then say "make $1: passed"; return; fi
  type_line "$root" "$work/log" || { tail -60 "$work/log"; echo "FAILED: make $1 in $suite"; exit 1; }
  say "make $1 asked for packages of the system, in one line, which were installed"
  as_person "$root" "cd launchpad && make $1" >"$work/log" 2>&1 || { tail -60 "$work/log"; echo "FAILED: make $1 in $suite"; exit 1; }
  tail -1 "$work/log"
  say "make $1: passed"
}

person_makes run
as_person "$root" 'ls launchpad/screenshots/*.png' >/dev/null
if [ "${2:-}" = run ]; then echo "NOT CHECKED: make test (left out)"; exit 0; fi
person_makes test
grep -E '^SKIPPED' "$work/log" || true
