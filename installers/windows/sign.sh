#!/bin/sh
# Signs files by Authenticode and verifies each: sign.sh FILE...
#   LAUNCHPAD_WINDOWS_CERTIFICATE            a .pfx file
#   LAUNCHPAD_WINDOWS_CERTIFICATE_PASSWORD   its password
#   LAUNCHPAD_WINDOWS_CERTIFICATE_CA         PEM of who is trusted by the check (default: the system's)
#   LAUNCHPAD_TIMESTAMP_URL                  a time stamp server (none: the signature ends with the certificate)
#   LAUNCHPAD_WINDOWS_SIGN_COMMAND           instead of certificate and password: a command that gets the file (keys in
#                                            hardware)
set -eu
if ! command -v osslsigncode >/dev/null 2>&1; then
  # On Windows, in Git's bash, which must not take the options for paths.
  export MSYS_NO_PATHCONV=1
  if ! command -v signtool >/dev/null 2>&1; then
    for found in "/c/Program Files (x86)/Windows Kits/10/bin/"*/x64/signtool.exe; do newest=$found; done
    PATH="$PATH:$(dirname "$newest")"
  fi
fi
for file in "$@"; do
  if [ -n "${LAUNCHPAD_WINDOWS_SIGN_COMMAND:-}" ]; then
    $LAUNCHPAD_WINDOWS_SIGN_COMMAND "$file"
  elif command -v osslsigncode >/dev/null 2>&1; then
    set -- -pkcs12 "$LAUNCHPAD_WINDOWS_CERTIFICATE" -n Launchpad -h sha256
    [ -z "${LAUNCHPAD_TIMESTAMP_URL:-}" ] || set -- "$@" -ts "$LAUNCHPAD_TIMESTAMP_URL"
    # The password goes through a file, so that no list of processes shows it.
    password=$(mktemp); trap 'rm -f "$password"' EXIT; chmod 600 "$password"
    printf '%s' "${LAUNCHPAD_WINDOWS_CERTIFICATE_PASSWORD:-}" > "$password"
    rm -f "$file.signed"
    osslsigncode sign "$@" -readpass "$password" -in "$file" -out "$file.signed" >/dev/null
    mv "$file.signed" "$file"
    rm -f "$password"
  else
    signtool sign /fd sha256 /f "$LAUNCHPAD_WINDOWS_CERTIFICATE" /p "${LAUNCHPAD_WINDOWS_CERTIFICATE_PASSWORD:-}" \
      ${LAUNCHPAD_TIMESTAMP_URL:+/tr "$LAUNCHPAD_TIMESTAMP_URL" /td sha256} "$file"
  fi
  if command -v osslsigncode >/dev/null 2>&1; then sh "$(dirname "$0")/verify.sh" "$file"; else signtool verify /pa "$file"; fi
done
