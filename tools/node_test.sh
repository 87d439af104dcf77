#!/usr/bin/env bash
# Runs a test that is a Node script (CommonJS):  tools/node_test.sh SCRIPT [ARGUMENTS...]
#
# With the packages of tools/install_node.sh. Exits with 77, which ctest reads as "skipped", where there
# are none.
set -euo pipefail

folder=$(dirname "$0")/../build/node
if ! command -v node >/dev/null; then
  echo "skipped: no Node"
  exit 77
fi
if [[ ! -f $folder/installed.json ]]; then
  echo "skipped: no npm packages (tools/install_node.sh)"
  exit 77
fi
NODE_PATH=$folder/node_modules exec node "$@"
