#!/bin/sh
# Judges the packages in dist. As root also in pristine systems made by debootstrap (Debian's packages are fetched).
#   test.sh                  the packages here, then a system for each of bookworm and trixie
#   test.sh bookworm         that system only
set -eu
cd "$(dirname "$0")/../.."
name=pathology-launchpad
suites="${*:-bookworm trixie}"
deb=$(ls dist/${name}_*.deb)
rpm=$(ls dist/${name}-*.rpm)
say() { printf '%s\n' "$*"; }
work=$(mktemp -d "${TMPDIR:-/tmp}/launchpad-installers.XXXXXX")
chmod 755 "$work"
root=""
clean() {
  for place in "$work"/*/proc; do if mountpoint -q "$place" 2>/dev/null; then umount "$place"; fi; done
  rm -rf --one-file-system "$work"
}
trap clean EXIT

if [ $# -eq 0 ]; then
  desktop-file-validate installers/linux/$name.desktop
  say "the desktop entry is valid"
  for file in dist/*.AppDir; do
    "$file/opt/$name/launchpad" self-test >"$work/log" 2>&1 || { tail -20 "$work/log"; exit 1; }
    say "$(basename "$file"): self-test passed"
  done
  mkdir "$work/rpm"
  rpm2cpio "$rpm" | (cd "$work/rpm" && cpio -idm --quiet)
  "$work/rpm/opt/$name/launchpad" self-test >"$work/log" 2>&1 || { tail -20 "$work/log"; exit 1; }
  say "$(basename "$rpm"): unpacked, self-test passed"
  rm -rf "$work/rpm"
fi

if [ "$(id -u)" -ne 0 ]; then
  say "NOT CHECKED: pristine systems (debootstrap wants root)"
  exit 0
fi
for suite in $suites; do
  root="$work/$suite"
  debootstrap --variant=minbase "$suite" "$root" >"$work/log" 2>&1 || { tail -20 "$work/log"; exit 1; }
  if mount -t proc proc "$root/proc" 2>/dev/null; then :; else say "$suite: no /proc in the new root"; exit 1; fi
  cp "$deb" "$root/tmp/launchpad.deb"
  for file in /etc/apt/sources.list /etc/apt/apt.conf.d/*proxy*; do
    case "$file" in *proxy*) [ ! -f "$file" ] || cp "$file" "$root/etc/apt/apt.conf.d/";; esac
  done
  cp /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || true
  inside() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }
  person() { inside su person -c "$*"; }
  inside sh -c 'apt-get update -qq && apt-get install -y -qq /tmp/launchpad.deb xvfb xauth' >"$work/log" 2>&1 || { tail -20 "$work/log"; exit 1; }
  if inside sh -c 'command -v python3' >/dev/null; then say "$suite: note: a Python is in this root"; fi
  inside useradd --create-home person
  person launchpad self-test >"$work/log" 2>&1 || { tail -30 "$work/log"; exit 1; }
  say "$suite: self-test as a normal user, offscreen: passed"
  person LAUNCHPAD_SELF_TEST_DISPLAY=1 xvfb-run -a -s "'-screen 0 1600x1000x24'" launchpad self-test >"$work/log" 2>&1 || { tail -30 "$work/log"; exit 1; }
  say "$suite: self-test as a normal user, under Xvfb: passed"
  changed=$(inside dpkg -V $name)
  [ -z "$changed" ] || { say "$suite: dpkg -V: $changed"; exit 1; }
  person mkdir -p .config/launchpad
  person "printf 'log_level = \"DEBUG\"\n' > .config/launchpad/settings.toml"
  inside dpkg -i /tmp/launchpad.deb >"$work/log" 2>&1
  person "grep -q DEBUG .config/launchpad/settings.toml"
  inside apt-get purge -y -qq $name >"$work/log" 2>&1
  left=$(inside sh -c "find / -xdev -path /home -prune -o -path /proc -prune -o -name '*$name*' -print")
  [ -z "$left" ] || { say "$suite: purge leaves $left"; exit 1; }
  say "$suite: dpkg -V clean, settings kept over a second installation, purge leaves nothing"
  umount "$root/proc"
  rm -rf --one-file-system "$root"
done
