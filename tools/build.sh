#!/usr/bin/env bash
# Builds targets of a preset in build/PRESET:  tools/build.sh PRESET TARGET...
#
# Configures when there is nothing to build from yet, and says nothing at all when everything is up to
# date. All output goes to stderr, so that a program's own output can be piped on. With CI set in the
# environment warnings are errors.
set -euo pipefail
cd "$(dirname "$0")/.."

preset=$1
shift
build=build/$preset
werror=OFF
[[ -z "${CI:-}" ]] || werror=ON
export NINJA_STATUS='[%f/%t] '

if [[ ! -f $build/build.ninja ]] ||
  ! grep -qx "FORGE_WERROR:BOOL=$werror" "$build/CMakeCache.txt"; then
  echo "Configuring $build" >&2
  mkdir -p "$build"
  if ! cmake --preset "$preset" -DFORGE_WERROR=$werror >"$build/configure.log" 2>&1; then
    cat "$build/configure.log" >&2
    exit 1
  fi
fi

# ninja reports even that there is nothing to do. Where no source changed since the last build it is
# asked just to make sure, and heard only if it did something.
stamp=$build/built-$(tr -c 'A-Za-z0-9\n' - <<<"$*")
sources=(CMakeLists.txt CMakePresets.json cmake include src examples tests models/forge-stories.gguf)
if [[ -f $stamp && -z $(find "${sources[@]}" -newer "$stamp" -print -quit 2>/dev/null) ]]; then
  if ! output=$(ninja -C "$build" -j "$(nproc)" --quiet "$@" 2>&1); then
    echo "$output" >&2
    exit 1
  fi
else
  echo "Building $build" >&2
  started=$(mktemp "$build/started.XXXXXX")
  trap 'rm -f "$started"' EXIT
  ninja -C "$build" -j "$(nproc)" "$@" >&2
  mv "$started" "$stamp"
fi
