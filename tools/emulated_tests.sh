#!/usr/bin/env bash
# Runs the CPU kernel tests of the Arm levels (neon, dotprod, i8mm), and those of the encoders, under emulation:
#
#   tools/emulated_tests.sh [gtest options, such as --gtest_filter=CpuMatmul*]
#
# Cross-builds in build/aarch64 with Debian's packages and runs them by qemu-user with every feature of
# the Arm architecture that it knows. Says what is missing, and exits with 77, where a package is.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
command -v aarch64-linux-gnu-g++ >/dev/null || missing+=(g++-aarch64-linux-gnu)
command -v qemu-aarch64 >/dev/null || missing+=(qemu-user)
[[ -f /usr/src/googletest/googletest/src/gtest-all.cc ]] || missing+=(googletest)
[[ -d /usr/include/fmt ]] || missing+=(libfmt-dev)
[[ -d /usr/include/rapidjson ]] || missing+=(rapidjson-dev)
if [[ ${#missing[@]} -gt 0 ]]; then
  echo "The emulated tests need: apt-get install ${missing[*]}" >&2
  exit 77
fi

build=build/aarch64
if [[ ! -f $build/build.ninja ]]; then
  cmake -S tests/emulated -B "$build" -G Ninja --toolchain "$PWD/cmake/aarch64.cmake" \
    -DCMAKE_BUILD_TYPE=Release -DFORGE_WERROR=ON >&2
fi
ninja -C "$build" -j "$(nproc)" --quiet kernels_tests >&2
# Only what differs by level: the reference kernels are tested natively. And without the longest test of
# attention, whose thousands of ways to cut the work take an emulated core more than six minutes.
[[ $# -gt 0 ]] ||
  set -- '--gtest_filter=Cpu*:Isa*:EncodeLevels*-CpuAttention.a_row_has_the_same_bits_however_the_work_is_cut'

# One emulated program per core, each with its share of the tests. FORGE_TEST_BEST_ISA: fails where this
# qemu knows too little for the last level, whose tests would pass without running it.
shards=$(nproc)
pids=()
for ((i = 0; i < shards; ++i)); do
  qemu-aarch64 -cpu max -E FORGE_TEST_BEST_ISA=i8mm -E GTEST_TOTAL_SHARDS="$shards" \
    -E GTEST_SHARD_INDEX="$i" "$build/kernels_tests" "$@" &
  pids+=($!)
done
failed=0
for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
exit "$failed"
