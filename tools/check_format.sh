#!/usr/bin/env bash
# Checks the layout of every C++ file of the repository:  tools/check_format.sh [--fix]
#
# --fix rewrites the files instead. Exits 0 if all is well, 1 with the names of the files that are not
# laid out as .clang-format says, 77 (which ctest reads as "skipped") without clang-format 14; where CI
# is set in the environment that is an error too.
set -euo pipefail
cd "$(dirname "$0")/.."

formatter=$(command -v clang-format-14 || true)
if [[ -z $formatter ]]; then
  echo "skipped: no clang-format-14"
  [[ -z "${CI:-}" ]] && exit 77
  exit 1
fi

mapfile -t files < <(find src tests include examples bench fuzz -name '*.h' -o -name '*.cpp' -o -name '*.cu' 2>/dev/null | sort)
if [[ "${1:-}" == --fix ]]; then
  "$formatter" -i "${files[@]}"
  exit 0
fi

# One run over all files prints "FILE:LINE:COLUMN: warning: ..." and the line itself for each place.
mapfile -t untidy < <("$formatter" --dry-run "${files[@]}" 2>&1 |
  sed -nE 's/^([^:]+):[0-9]+:[0-9]+: (warning|error):.*/\1/p' | sort -u)
for file in "${untidy[@]}"; do
  echo "not laid out as .clang-format says: $file (make format mends it)"
done
[[ ${#untidy[@]} -eq 0 ]]
