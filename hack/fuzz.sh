#!/usr/bin/env bash
# Runs every fuzzer of the tree for a while: hack/fuzz.sh 60s
set -euo pipefail
cd "$(dirname "$0")/.."
for_each=${1:-60s}
grep -rlE --include='*_test.go' '^func Fuzz[A-Z]' . | xargs -r -n 1 dirname | sort -u | while read -r dir; do
	grep -hoE '^func Fuzz[A-Za-z0-9_]+' "$dir"/*_test.go | awk '{print $2}' | while read -r fuzzer; do
		echo "fuzz      $dir $fuzzer $for_each"
		go test -run '^$' -fuzz "^$fuzzer\$" -fuzztime "$for_each" "$dir"
	done
done
