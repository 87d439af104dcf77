#!/usr/bin/env bash
# Shows that a fresh clone works on a bare Debian 12 (as root):
#
#   tools/clean_room.sh DIRECTORY [COMMAND...]
#
# Makes a Debian 12 root in DIRECTORY/root with nothing but make and git beyond debootstrap's minimum,
# clones the current commit into it, with ../shared (the test data) beside it where there is one, and
# runs there, each with its time:  make run, make run again, make test;  or else the given command, as in
# `tools/clean_room.sh DIRECTORY .ci/run`. The mirror is the one that this machine's apt uses. Every call
# starts from the bare root again; the debootstrap result is kept in DIRECTORY/bare.
set -euo pipefail

source_tree=$(git -C "$(dirname "$0")/.." rev-parse --show-toplevel)
mkdir -p "$1"
directory=$(cd "$1" && pwd)
shift
bare=$directory/bare
root=$directory/root

# Every Debian suite that apt knows here, as "URI SUITE COMPONENT".
suites=$(apt-get indextargets --format '$(ORIGIN) $(REPO_URI) $(RELEASE) $(COMPONENT)' \
  'Created-By: Packages' | sed -n 's/^Debian //p' | sort -u)
mirror=$(awk '$2 == "bookworm" { print $1; exit }' <<<"$suites")
if [[ -z $mirror ]]; then
  echo "apt on this machine knows no Debian 12 (bookworm); run apt-get update first" >&2
  exit 1
fi

if [[ ! -d $bare ]]; then
  echo "Making a bare Debian 12 in $bare"
  rm -rf "$bare.partial"
  debootstrap --variant=minbase --include=ca-certificates,make,git bookworm "$bare.partial" "$mirror" \
    >"$directory/debootstrap.log"
  sed 's/^/deb /' <<<"$suites" >"$bare.partial/etc/apt/sources.list"
  # How to reach the mirror: proxies, certificates, leniency about dates; not the hooks.
  grep -lE '^Acquire::' /etc/apt/apt.conf.d/* 2>/dev/null |
    xargs -r cp -t "$bare.partial/etc/apt/apt.conf.d" || true
  if [[ -f /etc/apt/apt.conf ]]; then cp /etc/apt/apt.conf "$bare.partial/etc/apt/"; fi
  mv "$bare.partial" "$bare"
fi

rm -rf "$root"
cp -a "$bare" "$root"
cp /etc/resolv.conf "$root/etc/resolv.conf"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
# Which a machine's installer writes, and debootstrap does not.
printf '127.0.0.1 localhost\n::1 localhost\n' >"$root/etc/hosts"
git clone -q "$source_tree" "$root/src/forge"
if [[ -d $source_tree/../shared ]]; then
  mkdir "$root/src/shared"
  cp -a "$source_tree/../shared/." "$root/src/shared"
fi

# Only what says how to reach the network and whether this is CI comes along from the environment.
environment=(PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/ LANG=C.UTF-8)
for name in CI http_proxy https_proxy no_proxy PIP_CERT PIP_INDEX_URL; do
  if [[ -n ${!name:-} ]]; then environment+=("$name=${!name}"); fi
done

# A mount and process namespace of its own, so that nothing stays mounted or running afterwards; with
# pseudo-terminals, as a booted system has.
inside() {
  echo "== $*"
  local status=0
  TIMEFORMAT="== $*: %1R s, of that %1U s of CPU time"
  time unshare --mount --pid --fork --mount-proc="$root/proc" chroot "$root" \
    /usr/bin/env -i "${environment[@]}" \
    sh -c 'mount -t devpts -o ptmxmode=666 devpts /dev/pts && cd /src/forge && exec "$@"' sh "$@" \
    </dev/null || status=$?
  echo "== $*: exit $status"
  return $status
}

if [[ $# -gt 0 ]]; then
  inside "$@"
else
  inside make run
  inside make run
  inside make test
fi
