#!/bin/bash
# What goes beside the installers of a release: collect.sh FOLDER VERSION BASE_URL. Writes the SBOM, the licences, the
# feed that the application reads, and SHA256SUMS with its signature; then checks what it wrote.
#   LAUNCHPAD_UPDATE_PRIVATE_KEY, LAUNCHPAD_UPDATE_PUBLIC_KEY   see feed.py; without them nothing is signed
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
python=${PYTHON:-$root/.venv/bin/python}
folder=$1 version=$2 base=$3
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
"$python" "$here/bill_of_materials.py" "$folder"
# The section of the version in CHANGELOG.md.
awk -v version="$version" '/^## /{on = index($2, version) == 1; next} on' "$root/CHANGELOG.md" > "$work/notes.md"
[ -s "$work/notes.md" ] || { echo "CHANGELOG.md says nothing of $version" >&2; exit 1; }
cp "$work/notes.md" "$folder/release-notes.md"
"$python" "$here/feed.py" announce "$version" "$work/notes.md" "$base" "$folder" "$work/releases.json"
"$python" "$here/feed.py" sign-feed "$work/releases.json" "$folder/updates.json"
"$python" "$here/feed.py" sums "$folder"
if [ -n "${LAUNCHPAD_UPDATE_PUBLIC_KEY:-}" ]; then
  "$python" "$here/feed.py" verify "$folder" "${LAUNCHPAD_UPDATE_PUBLIC_KEY%%,*}"
else
  (cd "$folder" && sha256sum --check --quiet SHA256SUMS)
  echo "unsigned: SHA256SUMS has no signature"
fi
