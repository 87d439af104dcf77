#!/usr/bin/env bash
# Installs the Debian 12 packages that Forge is built from, if any is missing.
#
#   tools/install_deps.sh        what building takes
#   tools/install_deps.sh test   also Python and curl, for tests with the original libraries and clients
#   tools/install_deps.sh ci     also clang, its sanitizers and clang-format
#
# Works as root or through sudo; otherwise prints the one line that is missing and exits 1. When nothing
# is missing it only asks dpkg, which takes milliseconds, and never apt.
# docs/dependencies.md says what each library is for.
set -euo pipefail

packages=(g++ cmake ninja-build libfmt-dev rapidjson-dev libcli11-dev libpcre2-dev libutf8proc-dev
  libxxhash-dev libboost1.81-dev libboost-context1.81-dev libssl-dev libcurl4-openssl-dev
  ca-certificates libedit-dev libgtest-dev)
if [[ "${1:-}" == test || "${1:-}" == ci ]]; then
  packages+=(python3 python3-venv curl)
fi
if [[ "${1:-}" == ci ]]; then
  packages+=(clang-14 clang-format-14 libclang-rt-14-dev)
fi

if ! command -v dpkg-query >/dev/null; then
  echo "Not a Debian system: nothing installed. Needed, by Debian's names: ${packages[*]}" >&2
  exit 0
fi

missing=()
installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${packages[@]}" 2>/dev/null || true)
for package in "${packages[@]}"; do
  grep -qx "installed $package" <<<"$installed" || missing+=("$package")
done
if [[ ${#missing[@]} -eq 0 ]]; then
  exit 0
fi

as_root=()
if [[ $(id -u) -ne 0 ]]; then
  as_root=(sudo)
  # Without a terminal nobody can type a password.
  [[ -t 0 ]] || as_root+=(-n)
  if ! command -v sudo >/dev/null || ! "${as_root[@]}" true; then
    echo "Forge needs some Debian packages. As root, run this, then try again:" >&2
    echo "  apt-get install -y ${missing[*]}" >&2
    exit 1
  fi
fi

echo "Installing ${missing[*]}" >&2
apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! "${as_root[@]}" "${apt[@]}" update >"$log" 2>&1 </dev/null ||
  ! "${as_root[@]}" "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >>"$log" 2>&1 </dev/null; then
  cat "$log" >&2
  echo "apt-get could not install: ${missing[*]}" >&2
  exit 1
fi
