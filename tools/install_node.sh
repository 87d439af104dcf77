#!/usr/bin/env bash
# Makes build/node, a folder with the npm packages that some tests run against Forge's server
# (tests/clients/node/package-lock.json has their exact versions).
#
# Forge itself needs no Node. Where there is no Node 18 or newer, or the packages cannot be had, say
# without a network, this says so and exits 0: the tests that need them are then skipped, with that as
# their reason.
set -euo pipefail
cd "$(dirname "$0")/.."

wanted=tests/clients/node
folder=build/node
if cmp -s "$wanted/package-lock.json" "$folder/installed.json"; then
  exit 0
fi
if ! command -v npm >/dev/null || ! node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)'; then
  echo "No Node 18 or newer with npm (on Debian: nodejs, npm): the tests of Node clients will be skipped" >&2
  exit 0
fi

echo "Installing the npm packages of $wanted in $folder" >&2
rm -rf "$folder"
mkdir -p "$folder"
cp "$wanted"/package{,-lock}.json "$folder"
log=build/node.log
# No package's own scripts are run.
if (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --fetch-retries 1) >"$log" 2>&1 </dev/null; then
  cp "$wanted/package-lock.json" "$folder/installed.json"
else
  echo "That did not work (see $log); the tests of Node clients will be skipped" >&2
fi
