#!/bin/sh
# All systems' own checks of what `make package` has made. None stops the others; the end says what failed and what was
# not checked on this machine, and why. Ends with 1 when one failed, with 77 when none could be checked.
#   test_all.sh [SCRIPT …]     all of them by default
# A script ends with 0 when all that it checked passed, with 77 when it could check nothing; a line that begins with
# “NOT CHECKED” says what it left out.
set -u
cd "$(dirname "$0")/.." || exit 1
scripts="${*:-installers/linux/test.sh installers/linux/fresh_clone.sh installers/wheel/test.sh installers/windows/test.sh installers/macos/test.sh}"
logs=build/test-installers
rm -rf "$logs"
mkdir -p "$logs"
passed="" failed="" unchecked=""
for script in $scripts; do
  echo "== $script"
  log="$logs/$(echo "$script" | tr '/' '-').log"
  begun=$(date +%s)
  # `tee` has no code of its own to give here: the script's is written down.
  { "$script"; echo $? >"$log.code"; } 2>&1 | tee "$log"
  case $(cat "$log.code") in
    0) passed="$passed  passed: $script, $(($(date +%s) - begun)) s
" ;;
    77) unchecked="$unchecked  not checked at all: $script
" ;;
    *) failed="$failed  FAILED: $script, code $(cat "$log.code")
" ;;
  esac
done
echo "== Summary"
printf '%s%s%s' "$passed" "$unchecked" "$failed"
grep -h '^NOT CHECKED' "$logs"/*.log | sed 's/^/  /'
[ -z "$failed" ] || exit 1
[ -n "$passed" ] || exit 77
