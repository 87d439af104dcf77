#!/usr/bin/env bash
# Makes build/python, a Python environment with the packages that some tests compare Forge with
# (tools/test_requirements.txt).
#
# Forge itself needs no Python. Where the packages cannot be had, say without a network, this says so
# and exits 0: the tests that need them are then skipped, with that as their reason.
set -euo pipefail
cd "$(dirname "$0")/.."

environment=build/python
wanted=tools/test_requirements.txt
if cmp -s "$wanted" "$environment/installed.txt"; then
  exit 0
fi

echo "Installing the Python packages of tools/test_requirements.txt in $environment" >&2
mkdir -p build
log=build/python.log
if python3 -m venv --clear "$environment" >"$log" 2>&1 &&
  "$environment/bin/pip" install --disable-pip-version-check --only-binary :all: --retries 1 \
    -r "$wanted" >>"$log" 2>&1 </dev/null; then
  cp "$wanted" "$environment/installed.txt"
else
  echo "That did not work (see $log); the tests that compare with Python packages will be skipped" >&2
fi
