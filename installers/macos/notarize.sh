#!/bin/bash
# Has Apple notarize a disk image, staples the ticket to it, and asks Gatekeeper: notarize.sh IMAGE. Needs a Mac.
#   LAUNCHPAD_NOTARY_KEY, LAUNCHPAD_NOTARY_KEY_ID, LAUNCHPAD_NOTARY_ISSUER   see dmg.sh
set -euo pipefail
keys=(--key "$LAUNCHPAD_NOTARY_KEY" --key-id "$LAUNCHPAD_NOTARY_KEY_ID" --issuer "$LAUNCHPAD_NOTARY_ISSUER")
answer=$(xcrun notarytool submit "$1" "${keys[@]}" --wait --timeout 30m --output-format json)
printf '%s\n' "$answer"
if ! printf '%s' "$answer" | grep -q '"status" *: *"Accepted"'; then
  id=$(printf '%s' "$answer" | sed -n 's/.*"id" *: *"\([^"]*\)".*/\1/p' | head -1)
  xcrun notarytool log "$id" "${keys[@]}"
  exit 1
fi
xcrun stapler staple "$1"
xcrun stapler validate "$1"
spctl --assess --type open --context context:primary-signature --verbose=2 "$1"
