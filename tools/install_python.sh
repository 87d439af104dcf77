#!/usr/bin/env bash
# Makes build/python, a Python environment with the packages that some tests compare Forge with
# (tools/test_requirements.txt), and with the clients that others run against its server
# (tools/client_requirements.txt). The clients come second: without them the rest is still there.
#
# Forge itself needs no Python. Where the packages cannot be had, say without a network, this says so
# and exits 0: the tests that need them are then skipped, with that as their reason.
set -euo pipefail
cd "$(dirname "$0")/.."

environment=build/python
log=build/python.log

# is_there LIST: whether the environment has just what LIST says.
is_there() {
  cmp -s "$1" "$environment/${1##*/}"
}

# install LIST...: the packages of the last list, by versions that suit all of them.
install() {
  local lists=() list
  for list in "$@"; do lists+=(-r "$list"); done
  echo "Installing the Python packages of $list in $environment" >&2
  if "$environment/bin/pip" install --disable-pip-version-check --only-binary :all: --retries 1 \
    "${lists[@]}" >>"$log" 2>&1 </dev/null; then
    cp "$list" "$environment/"
  else
    echo "That did not work (see $log); the tests that need them will be skipped" >&2
  fi
}

compared=tools/test_requirements.txt
clients=tools/client_requirements.txt
if ! is_there "$compared"; then
  mkdir -p build
  if ! python3 -m venv --clear "$environment" >"$log" 2>&1; then
    echo "No Python environment (see $log); the tests that need one will be skipped" >&2
    exit 0
  fi
  install "$compared"
fi
if ! is_there "$clients"; then install "$compared" "$clients"; fi
