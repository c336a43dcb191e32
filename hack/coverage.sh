#!/usr/bin/env bash
# Writes docs/coverage.md from the tables that the program itself uses.
set -euo pipefail
cd "$(dirname "$0")/.."
page=$(mktemp)
trap 'rm -f "$page"' EXIT
{
	echo "# Coverage"
	echo
	echo "Which AWS operations are served, and which parameters are refused until their part exists. Generated: make generate."
	go run ./cmd/berth status --coverage
} >"$page"
cp "$page" docs/coverage.md
