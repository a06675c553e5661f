# Sourced: pristine Debian systems in folders, made by debootstrap, and commands inside them. Wants root.
# They reach Debian's and Python's packages in this machine's way: its mirror, its proxies and its certificates.
#   make_root SUITE DIR            inside DIR COMMAND …        as root
#   make_root_with_source SUITE DIR: with git, make, certificates, and what is committed here as a bundle
#   remove_root DIR                as_person DIR 'COMMANDS'    as an ordinary user in /home/person

# Why no system can be made here; nothing when one can.
no_roots() {
  if [ "$(id -u)" -ne 0 ]; then echo "debootstrap wants root"
  elif ! command -v debootstrap >/dev/null 2>&1; then echo "debootstrap is missing"; fi
}

# NAME=VALUE of each variable by which a program finds its way to a package index; values have no white space.
ways_out() {
  env | grep -E '^((https?|all|no)_proxy|(HTTPS?|ALL|NO)_PROXY|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|PIP_(CERT|PROXY|INDEX_URL|TRUSTED_HOST|DEFAULT_TIMEOUT)|UV_(DEFAULT_INDEX|INDEX_URL|NATIVE_TLS|SYSTEM_CERTS))=[^[:space:]]+$' || true
}

make_root() {
  suite=$1 place=$2
  # Debian's own mirror is asked where this machine is no Debian, or has none set.
  mirror=$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN)' 'Created-By: Packages' 2>/dev/null \
    | sed -n 's/ Debian$//p' | head -1)
  # The packages are kept: several systems are made in one run.
  mkdir -p build/debootstrap
  # shellcheck disable=SC2086 # no mirror is no argument
  debootstrap --variant=minbase --cache-dir="$PWD/build/debootstrap" "$suite" "$place" $mirror >"$place.log" 2>&1 \
    || { tail -20 "$place.log"; return 1; }
  mount -t proc proc "$place/proc"
  mount -t tmpfs tmpfs "$place/dev/shm"
  mkdir -p "$place/dev/pts"
  mount -t devpts -o newinstance,ptmxmode=0666 devpts "$place/dev/pts"
  ln -sf pts/ptmx "$place/dev/ptmx"
  apt-config dump | grep -E '^Acquire::(https?|Retries|Check-)' >"$place/etc/apt/apt.conf.d/90this-machine" || true
  printf '127.0.0.1 localhost\n::1 localhost\n' >"$place/etc/hosts"  # as Debian's installer does
  cp /etc/resolv.conf "$place/etc/resolv.conf" 2>/dev/null || true
  if ls /usr/local/share/ca-certificates/*.crt >/dev/null 2>&1; then
    mkdir -p "$place/usr/local/share/ca-certificates"
    cp /usr/local/share/ca-certificates/*.crt "$place/usr/local/share/ca-certificates/"
  fi
  inside "$place" useradd --create-home --shell /bin/bash person
  inside "$place" apt-get update -qq
}

# Also git, make and the certificates of the web, and what is committed here as /tmp/launchpad.bundle.
make_root_with_source() {
  make_root "$1" "$2"
  inside "$2" apt-get install -y -qq --no-install-recommends git make ca-certificates >"$2.log" 2>&1 \
    || { tail -20 "$2.log"; return 1; }
  inside "$2" update-ca-certificates >/dev/null 2>&1
  git bundle create --quiet "$2/tmp/launchpad.bundle" HEAD
}

inside() {
  place=$1; shift
  # shellcheck disable=SC2046 # a list
  chroot "$place" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 TERM=dumb \
    DEBIAN_FRONTEND=noninteractive $(ways_out) "$@"
}

as_person() {
  place=$1; shift
  # shellcheck disable=SC2046 # a list
  chroot "$place" env -i PATH=/usr/bin:/bin HOME=/home/person USER=person LC_ALL=C.UTF-8 TERM=dumb $(ways_out) \
    setpriv --reuid person --regid person --init-groups sh -c "cd && $*"
}

# The one line that environment.sh prints for who is not root, typed by root: `type_line DIR FILE`.
type_line() {
  line=$(sed -n 's/^  sudo \(apt-get install .*\)$/\1/p' "$2")
  [ -n "$line" ] || return 1
  # shellcheck disable=SC2086 # a list
  inside "$1" $line -qq >"$1.log" 2>&1 || { tail -20 "$1.log"; return 1; }
}

remove_root() {
  [ -d "$1/proc" ] || { rm -rf "$1"; return 0; }
  # What still runs in there, as the platform a minute after its last use, and is of no use to anybody.
  for process in /proc/[0-9]*; do
    if [ "$(readlink "$process/root" 2>/dev/null)" = "$(realpath "$1")" ]; then kill -9 "${process#/proc/}" 2>/dev/null || true; fi
  done
  for mounted in dev/pts dev/shm proc; do
    n=0
    while mountpoint -q "$1/$mounted" && ! umount "$1/$mounted" 2>/dev/null && [ $n -lt 50 ]; do n=$((n + 1)); sleep 0.1; done
  done
  rm -rf --one-file-system "$1" "$1.log"
}
