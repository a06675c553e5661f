#!/bin/sh
# Judges the packages in dist (or in the folder PACKAGES): here, and as root in pristine systems made by debootstrap.
#   test.sh                  the packages here, then a system for each of bookworm and trixie
#   test.sh bookworm         that system only
# What cannot be checked is said in a line that begins with “NOT CHECKED”. Ends with 1 when something failed.
set -eu
cd "$(dirname "$0")/../.."
. installers/linux/roots.sh
name=pathology-launchpad
packages=${PACKAGES:-dist}
suites="${*:-bookworm trixie}"
work=$(mktemp -d "${TMPDIR:-/tmp}/launchpad-installers.XXXXXX")
chmod 755 "$work"
root=""
clean() {
  [ -z "$root" ] || remove_root "$root"
  rm -rf --one-file-system "$work"
}
trap clean EXIT
begun=$(date +%s)
# "SENTENCE, SECONDS since the last one".
say() { echo "$*, $(($(date +%s) - begun)) s"; begun=$(date +%s); }
fail() { [ ! -s "$work/log" ] || tail -30 "$work/log"; echo "FAILED: $*" >&2; exit 1; }
# The one file of a pattern, signed or not.
only() {
  [ $# -eq 1 ] && [ -e "$1" ] || fail "one package is wanted, there is: $*"
  echo "$1"
}
# A self-test that went all the way, to the button that starts QuPath with the project of the run.
passed() { grep -q "QuPath's stand-in was started with .*project.qpproj" "$1" && tail -1 "$1" | grep -q "The journey ended well"; }
deb=$(only "$packages/${name}"_*.deb)

# The package as an older version, with a file that the newer lacks and one that has changed.
older() {
  dpkg-deb -R "$deb" "$work/older"
  sed -i 's/^Version: \(.*\)$/Version: \1~older/' "$work/older/DEBIAN/control"
  echo old >"$work/older/opt/$name/_internal/of the older version alone.txt"
  echo old >"$work/older/usr/share/doc/$name/copyright"
  (cd "$work/older" && find opt usr -type f -exec md5sum {} +) >"$work/sums"
  mv "$work/sums" "$work/older/DEBIAN/md5sums"
  dpkg-deb --root-owner-group -Znone --build "$work/older" "$1" >/dev/null
  rm -rf "$work/older"
}

if [ $# -eq 0 ]; then
  if command -v desktop-file-validate >/dev/null 2>&1; then
    desktop-file-validate installers/linux/$name.desktop || fail "the desktop entry"
    say "the desktop entry is valid"
  else
    echo "NOT CHECKED: the desktop entry: desktop-file-validate is missing"
  fi
  appdir=$(only "$packages"/*.AppDir)
  "$appdir/opt/$name/launchpad" self-test >"$work/log" 2>&1 && passed "$work/log" || fail "$(basename "$appdir"): self-test"
  say "$(basename "$appdir"): self-test passed"
  if command -v appstreamcli >/dev/null 2>&1; then
    appstreamcli validate-tree --no-net "$appdir" >"$work/log" 2>&1 || fail "the metainfo"
    say "the metainfo is valid"
  else
    echo "NOT CHECKED: the metainfo: appstreamcli is missing"
  fi
  for appimage in "$packages"/*.AppImage; do
    [ -e "$appimage" ] || { echo "NOT CHECKED: an AppImage: none was made"; continue; }
    appimage=$(realpath "$appimage")
    (cd "$work" && "$appimage" --appimage-extract >"$work/log" 2>&1) || fail "$(basename "$appimage"): unpacking"
    "$work/squashfs-root/opt/$name/launchpad" self-test >"$work/log" 2>&1 && passed "$work/log" \
      || fail "$(basename "$appimage"): self-test"
    say "$(basename "$appimage"): unpacked by itself, self-test passed"
    rm -rf "$work/squashfs-root"
  done
  tar=$(only "$packages"/*.tar.xz)
  mkdir "$work/tar"
  tar -xJf "$tar" -C "$work/tar"
  unpacked=$(only "$work"/tar/*/launchpad)
  "$unpacked" self-test >"$work/log" 2>&1 && passed "$work/log" || fail "$(basename "$tar"): self-test"
  say "$(basename "$tar"): unpacked, self-test passed"
  rm -rf "$work/tar"
  rpm=$(only "$packages/${name}"-*.rpm)
  if command -v rpm2cpio >/dev/null 2>&1 && command -v cpio >/dev/null 2>&1; then
    mkdir "$work/rpm"
    rpm2cpio "$rpm" | (cd "$work/rpm" && cpio -idm --quiet)
    "$work/rpm/opt/$name/launchpad" self-test >"$work/log" 2>&1 && passed "$work/log" || fail "$(basename "$rpm"): self-test"
    say "$(basename "$rpm"): unpacked, self-test passed"
    rm -rf "$work/rpm"
  else
    echo "NOT CHECKED: the .rpm: rpm2cpio and cpio are missing"
  fi
fi

why=$(no_roots)
if [ -n "$why" ]; then echo "NOT CHECKED: the .deb in pristine systems of $suites: $why"; exit 0; fi

# Everything in a system but what changes by itself, and a person's own.
listed() {
  inside "$root" find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /tmp -o -path /home -o -path /root \
    -o -path /run -o -path /var/cache -o -path /var/log -o -path /var/lib/apt -o -path /var/lib/dpkg \) -prune -o -print | sort
}

# Whether a process runs; one that has ended and that nobody has asked about has no program any more.
runs() { readlink "/proc/$1/exe" >/dev/null 2>&1; }

older "$work/older.deb"
say "a package of an older version"
for suite in $suites; do
  root="$work/$suite"
  make_root "$suite" "$root" || fail "$suite: no system"
  cp "$deb" "$root/tmp/newer.deb"
  cp "$work/older.deb" "$root/tmp/older.deb"
  # What it depends on and recommends comes first, so that what is left of itself can be told from what is left of that.
  needed=$(inside "$root" apt-get install -s /tmp/older.deb | sed -n 's/^Inst \([^ ]*\) .*/\1/p' | grep -vx $name)
  # shellcheck disable=SC2086 # a list
  inside "$root" apt-get install -y -qq --no-install-recommends $needed xvfb xauth >"$work/log" 2>&1 || fail "$suite: what it depends on"
  listed >"$work/before"
  say "$suite: a pristine system"
  inside "$root" apt-get install -y -qq /tmp/older.deb >"$work/log" 2>&1 || fail "$suite: the older version"
  if inside "$root" sh -c 'command -v python3' >/dev/null; then echo "$suite: note: a Python is in this system"; fi
  say "$suite: installed an older version"

  # What a person does with it: a setting, and a run on the platform of this computer.
  as_person "$root" 'launchpad system config set LAUNCHPAD_LOG_LEVEL DEBUG' >"$work/log" 2>&1 || fail "$suite: a setting"
  as_person "$root" "mkdir slides && cp /opt/$name/_internal/launchpad/resources/sample/*.svs slides/ &&
    launchpad application run execute he-tme run.csv slides \
      --mapping '.*:staining_method=H&E,tissue=LUNG,disease=LUNG_CANCER'" >"$work/log" 2>&1 || fail "$suite: a run"
  run=$(grep -oE '[0-9a-f]{8}-[0-9a-f-]{27}' "$work/log" | tail -1)
  [ -n "$run" ] || fail "$suite: the run has no id"

  # Something of theirs is open and holds the platform of the older version; the upgrade ends it all the same.
  as_person "$root" "launchpad application run describe $run" >"$work/log" 2>&1 || fail "$suite: the run is not described"
  as_person "$root" 'timeout 600 flock --shared .local/share/launchpad/platform/clients.lock sleep 600' >/dev/null 2>&1 &
  platform=$(sed -n 's/.*"pid": \([0-9]*\).*/\1/p' "$root/home/person/.local/share/launchpad/platform/launch.json")
  runs "$platform" || fail "$suite: no platform runs"
  inside "$root" apt-get install -y -qq /tmp/newer.deb >"$work/log" 2>&1 || fail "$suite: the upgrade"
  n=0
  while runs "$platform" && [ $n -lt 150 ]; do n=$((n + 1)); sleep 0.2; done
  if runs "$platform"; then fail "$suite: the platform of the older version goes on"; fi
  [ ! -e "$root/opt/$name/_internal/of the older version alone.txt" ] || fail "$suite: a file of the older version stays"
  changed=$(inside "$root" dpkg -V $name)
  [ -z "$changed" ] || fail "$suite: dpkg -V: $changed"
  as_person "$root" 'launchpad system config get LAUNCHPAD_LOG_LEVEL' 2>"$work/log" | grep -qx DEBUG || fail "$suite: the setting is lost"
  as_person "$root" "launchpad application run describe $run" >"$work/log" 2>&1 || fail "$suite: the run is lost"
  say "$suite: upgraded while its platform ran, which ended; dpkg -V clean, files of the older version gone, setting and run kept"

  as_person "$root" 'launchpad self-test' >"$work/log" 2>&1 && passed "$work/log" || fail "$suite: self-test"
  say "$suite: self-test as a normal user, offscreen: passed, QuPath's stand-in started by the button"
  as_person "$root" "LAUNCHPAD_SELF_TEST_DISPLAY=1 xvfb-run -a -s '-screen 0 1600x1000x24' launchpad self-test" >"$work/log" 2>&1 \
    && passed "$work/log" || fail "$suite: self-test under Xvfb"
  say "$suite: self-test as a normal user, under Xvfb: passed"

  if inside "$root" apt-get install -y -qq /tmp/older.deb >"$work/log" 2>&1; then fail "$suite: apt downgrades without a word"; fi
  inside "$root" dpkg -i /tmp/older.deb >"$work/log" 2>&1 || fail "$suite: dpkg -i of the older version"
  grep -q downgrading "$work/log" || fail "$suite: dpkg says nothing of a downgrade"
  inside "$root" dpkg -i /tmp/newer.deb >"$work/log" 2>&1 || fail "$suite: back to the newer version"
  as_person "$root" "launchpad application run describe $run" >"$work/log" 2>&1 || fail "$suite: the run is lost"
  say "$suite: a downgrade is refused by apt, done with a warning by dpkg; the run is there afterwards"

  as_person "$root" 'launchpad platform stop' >/dev/null 2>&1 || true
  inside "$root" apt-get purge -y -qq $name >"$work/log" 2>&1 || fail "$suite: purge"
  listed >"$work/after"
  left=$(comm -13 "$work/before" "$work/after")
  [ -z "$left" ] || fail "$suite: purge leaves
$left"
  as_person "$root" 'ls .local/share/launchpad/state.sqlite .local/share/launchpad/platform' >/dev/null || fail "$suite: purge took a person's data"
  say "$suite: purge leaves nothing but a person's own data"
  remove_root "$root"
  root=""
done
