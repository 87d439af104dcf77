#!/usr/bin/env bash
# Adds up test results:  tools/test_summary.sh RESULTS.xml...
#
# Reads the JUnit files that ctest writes. Lists the failed tests, and the skipped ones with their
# reasons, and ends with one plain line: "N passed, N failed, N skipped". Exits 1 if a test failed, if
# none ran, or if a file is missing. Plain awk, as a bare Debian has nothing more.
set -euo pipefail

for file in "$@"; do
  if [[ ! -s $file ]]; then
    echo "no test results: $file" >&2
    exit 1
  fi
done

awk '
function attribute(line, key,   rest, at) {
  at = index(line, " " key "=\"")
  if (!at) return ""
  rest = substr(line, at + length(key) + 3)
  return substr(rest, 1, index(rest, "\"") - 1)
}
function unescape(text) {
  gsub(/&quot;/, "\"", text); gsub(/&lt;/, "<", text); gsub(/&gt;/, ">", text)
  gsub(/&apos;/, "\047", text); gsub(/&amp;/, "\\&", text)
  return text
}
function close_case() {
  if (status == "run") passed++
  # A test that could not be started is "notrun" too, without this mark: that is a failure.
  else if (status == "disabled" || (status == "notrun" && skip_mark)) {
    skipped++
    if (reason == "") reason = last_line != "" ? last_line : "no reason given"
    skips[skipped] = name ": " reason
  } else {
    failed++
    failures[failed] = name
  }
  status = ""
}
/<testcase / {
  name = unescape(attribute($0, "name")); status = attribute($0, "status")
  reason = status == "disabled" ? "disabled" : ""; skip_mark = 0; take = 0
  last_line = ""
  next
}
/<skipped message="SKIP_/ { skip_mark = 1 }
# GoogleTest prints "FILE:LINE: Skipped", the reason on the next line; of other tests it is the last line.
take { reason = unescape($0); take = 0 }
/: Skipped$/ { take = 1 }
/<system-out>/ { sub(/.*<system-out>/, "") }
!/<\/system-out>/ && !/<\/testcase>/ && !/<skipped / && NF { last_line = unescape($0) }
/<\/testcase>/ { if (status != "") close_case() }
END {
  if (skipped) print "Skipped:"
  for (i = 1; i <= skipped; i++) print "  " skips[i]
  if (failed) print "Failed:"
  for (i = 1; i <= failed; i++) print "  " failures[i]
  printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
  exit failed > 0 || passed == 0
}' "$@"
