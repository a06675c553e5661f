#!/bin/sh
# Verifies the Authenticode signature of a file: verify.sh FILE. LAUNCHPAD_WINDOWS_CERTIFICATE_CA as in sign.sh.
set -eu
if ! said=$(osslsigncode verify -CAfile "${LAUNCHPAD_WINDOWS_CERTIFICATE_CA:-/etc/ssl/certs/ca-certificates.crt}" -in "$1" 2>&1); then
  printf 'refused: %s\n%s\n' "$1" "$said" >&2
  exit 1
fi
echo "verified: $1"
