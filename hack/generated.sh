#!/usr/bin/env bash
# Fails when make generate would change a tracked file: generated files are never edited and never stale.
set -euo pipefail
cd "$(dirname "$0")/.."
state() { git status --porcelain; git diff HEAD | sha256sum; }
before=$(state)
make --no-print-directory generate
after=$(state)
if [ "$before" != "$after" ]; then
	echo "generated files are not what their sources say; run make generate and commit:" >&2
	diff <(echo "$before") <(echo "$after") >&2 || true
	exit 1
fi
