#!/usr/bin/env bash
# Packs the Debian packages that Forge is built from into a file that travels to a machine without them and without a
# network:  tools/gpu_check/pack_dependencies.sh [FILE]   (build/gpu_deps.tar.gz)
#
# It is laid out as / is: headers, static archives and CMake's files of the packages in tools/install_deps.sh; of Boost
# only the libraries that our sources reach. tools/gpu_check finds it at build/gpu_deps.tar.gz, or with --prefix. It is
# for machines of this one's processor; archives are C, or C++ that any newer g++ links.
set -euo pipefail
cd "$(dirname "$0")/../.."

packed=${1:-build/gpu_deps.tar.gz}
most_mib=30 # what one call to a machine with a GPU may carry is 64 MiB, the sources and built programs among it

tools/install_deps.sh
packages=(libfmt-dev rapidjson-dev libcli11-dev libpcre2-dev libutf8proc-dev libxxhash-dev libssl-dev libgtest-dev
  libedit-dev libbsd-dev libmd-dev)

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# copy: files named on standard input, links followed, those that no build reads left out.
copy() {
  grep -E '^/usr/(include|lib|share/cmake)/' | grep -vE '\.(so|so\..*|pc|o)$|/share/doc/|libpcre2-(16|32|posix)' |
    while read -r file; do if [[ -f $file ]]; then echo "${file#/}"; fi; done |
    tar -C / --dereference -cf - -T - | tar -C "$folder" -xf -
}

dpkg -L "${packages[@]}" | copy
# CMake's file on {fmt} asks for its archives, which Forge does not link.
dpkg -L libfmt-dev libfmt9 2>/dev/null | grep -E '/libfmt\.(a|so.*)$' |
  while read -r file; do mkdir -p "$folder${file%/*}" && cp -L "$file" "$folder$file"; done

# Boost: every library of which one header is reached, whole, since other compilers take other branches.
reached=$(grep -rlE '#include <boost/' src tests/simt --include=*.cpp --include=*.h | while read -r file; do
  g++ -std=c++20 -Isrc -Iinclude -I. -DBOOST_ASIO_SEPARATE_COMPILATION -DBOOST_BEAST_SEPARATE_COMPILATION -M -MG \
    -x c++ "$file" | tr ' ' '\n' | sed -nE 's|.*/include/boost/([^/.]+)/.*|\1|p'
done | sort -u)
for library in $reached; do find "/usr/include/boost/$library" -type f; done | copy
find /usr/include/boost -maxdepth 1 -type f | copy
find /usr/lib/*/cmake -path '*oost*' \( -path '*Boost*' -o -path '*boost_headers*' -o -path '*boost_context*' \) -type f | copy
find /usr/lib/*/ -maxdepth 1 \( -name 'libboost_context.a' -o -name 'libtinfo.a' \) | copy

mkdir -p "$(dirname "$packed")"
tar -C "$folder" -czf "$packed" usr
mib=$(($(stat -c %s "$packed") / 1048576))
echo "$packed: $mib MiB" >&2
if [[ $mib -gt $most_mib ]]; then
  echo "more than $most_mib MiB: too much to carry" >&2
  exit 1
fi
