#!/usr/bin/env bash
# Runs the tests of a built preset:  tools/run_tests.sh PRESET [ctest options...]
#
# Leaves the results in build/PRESET/tests.xml (JUnit), for tools/test_summary.sh. Exits with 0 even if
# tests fail: the summary counts them. Exits with 1 where ctest could not run at all.
set -euo pipefail
cd "$(dirname "$0")/.."

preset=$1
shift
results=$PWD/build/$preset/tests.xml
rm -f "$results"
export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
export UBSAN_OPTIONS=print_stacktrace=1
run=(ctest --test-dir "build/$preset" -j "$(nproc)" --output-on-failure --no-tests=error
  --output-junit "$results" "$@")
if [[ -t 1 ]]; then
  "${run[@]}" --progress </dev/null
else
  # In a log one line a test is enough: its result, without the dots that pad it to the longest name.
  "${run[@]}" </dev/null 2>&1 | sed -uE '/^ +Start +[0-9]+:/d; s/ \.{4,}/ .../'
fi || [[ -s $results ]]
