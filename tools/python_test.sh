#!/usr/bin/env bash
# Runs a test that is a Python script:  tools/python_test.sh SCRIPT [ARGUMENTS...]
#
# With $FORGE_TEST_PYTHON, else with the Python of tools/install_python.sh, else with python3. The script
# exits with 77, which ctest reads as "skipped", where a package is missing; so does this one where there
# is no Python at all.
set -euo pipefail

python=${FORGE_TEST_PYTHON:-$(dirname "$0")/../build/python/bin/python3}
if [[ ! -x $python ]] && ! python=$(command -v python3); then
  echo "skipped: no Python"
  exit 77
fi
exec "$python" -B "$@"
