#!/usr/bin/env bash
# Shows that a fresh clone works on a bare Debian 12 (as root):
#
#   tools/clean_room.sh DIRECTORY [MAKE-ARGUMENTS...]
#
# Makes a Debian 12 root in DIRECTORY/root with nothing but make and git beyond debootstrap's minimum,
# clones the current commit into it, with ../shared (the test data) beside it where there is one, and
# runs there, each with its time:  make run, make run again, make test.  With arguments it runs
# `make ARGUMENTS` instead. The mirror is the one that this machine's apt uses. Every call starts from
# the bare root again; the debootstrap result is kept in DIRECTORY/bare.
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
git clone -q "$source_tree" "$root/src/forge"
if [[ -d $source_tree/../shared ]]; then cp -a "$source_tree/../shared" "$root/src/shared"; fi

# A mount and process namespace of its own, so that nothing stays mounted or running afterwards.
inside() {
  echo "== $*"
  local started=$EPOCHREALTIME
  local status=0
  unshare --mount --pid --fork --mount-proc="$root/proc" chroot "$root" \
    /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/ LANG=C.UTF-8 \
    ${CI:+CI="$CI"} make -C /src/forge --no-print-directory "${@:2}" </dev/null || status=$?
  awk -v from="$started" -v to="$EPOCHREALTIME" -v what="$*" -v status="$status" \
    'BEGIN { printf "== %s: exit %d after %.1f s\n", what, status, to - from }'
  return $status
}

if [[ $# -gt 0 ]]; then
  inside make "$@"
else
  inside make run
  inside make run
  inside make test
fi
