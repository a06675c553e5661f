#!/bin/bash
# On a builder that forgets: makes a keychain with the certificate of the environment. Prints nothing secret.
#   LAUNCHPAD_MACOS_CERTIFICATE            the .p12 file, base64
#   LAUNCHPAD_MACOS_CERTIFICATE_PASSWORD   its password
set -euo pipefail
[ -n "${LAUNCHPAD_MACOS_CERTIFICATE:-}" ] || { echo "unsigned: LAUNCHPAD_MACOS_CERTIFICATE is not set"; exit 0; }
folder=$(mktemp -d)
trap 'rm -f "$folder/certificate.p12"' EXIT
secret=$(openssl rand -hex 20)
printf '%s' "$LAUNCHPAD_MACOS_CERTIFICATE" | base64 --decode > "$folder/certificate.p12"
security create-keychain -p "$secret" "$folder/launchpad.keychain-db"
security set-keychain-settings -lut 21600 "$folder/launchpad.keychain-db"
security unlock-keychain -p "$secret" "$folder/launchpad.keychain-db"
security import "$folder/certificate.p12" -P "${LAUNCHPAD_MACOS_CERTIFICATE_PASSWORD:-}" -A -t cert -f pkcs12 \
  -k "$folder/launchpad.keychain-db" >/dev/null
security set-key-partition-list -S apple-tool:,apple: -k "$secret" "$folder/launchpad.keychain-db" >/dev/null
security list-keychains -d user -s "$folder/launchpad.keychain-db" login.keychain
echo "the certificate is in a keychain of its own"
