#!/bin/bash
# What goes beside the installers of a release: collect.sh FOLDER VERSION BASE_URL. Writes the notes, the feed that the
# application reads, and SHA256SUMS with its signature; then checks what it wrote. The folder has the installers of all
# systems, each with its SBOM and licences (bill_of_materials.py).
#   LAUNCHPAD_UPDATE_PRIVATE_KEY, LAUNCHPAD_UPDATE_PUBLIC_KEY   see feed.py; without them nothing is signed
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
python=${PYTHON:-$root/.venv/bin/python}
folder=$1 version=$2 base=$3
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
# Another version announced than is inside would be offered again and again.
built=$("$python" -c 'import launchpad; print(launchpad.__version__)')
[ "$version" = "$built" ] || { echo "the release is called $version, the program says $built" >&2; exit 1; }
ls "$folder"/*-sbom.cdx.json >/dev/null || { echo "no SBOM is in $folder" >&2; exit 1; }
# The section of the version in CHANGELOG.md.
awk -v version="$version" '/^## /{on = $2 == version; next} on' "$root/CHANGELOG.md" > "$work/notes.md"
[ -s "$work/notes.md" ] || { echo "CHANGELOG.md says nothing of $version" >&2; exit 1; }
cp "$work/notes.md" "$folder/release-notes.md"
"$python" "$here/feed.py" announce "$version" "$work/notes.md" "$base" "$folder" "$work/releases.json"
"$python" "$here/feed.py" sign-feed "$work/releases.json" "$folder/updates.json"
"$python" "$here/feed.py" sums "$folder"
if [ -n "${LAUNCHPAD_UPDATE_PUBLIC_KEY:-}" ]; then
  "$python" "$here/feed.py" verify "$folder" "$LAUNCHPAD_UPDATE_PUBLIC_KEY"
else
  (cd "$folder" && sha256sum --check --quiet SHA256SUMS)
  echo "unsigned: SHA256SUMS has no signature"
fi
