#!/bin/bash
# Writes a secret of the environment (base64) into a file and names that file to the steps that follow:
# secret_file.sh SECRET_VARIABLE=FILE_VARIABLE. Does nothing where the secret is not set.
set -euo pipefail
source=${1%%=*} target=${1#*=}
[ -n "${!source:-}" ] || { echo "unsigned: $source is not set"; exit 0; }
file=$(mktemp)
chmod 600 "$file"
printf '%s' "${!source}" | base64 --decode > "$file"
command -v cygpath >/dev/null 2>&1 && file=$(cygpath -m "$file")  # for programs of Windows
echo "$target=$file" >> "${GITHUB_ENV:-/dev/stdout}"
