#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Writes the output of `make bench` (FILE, `name value` lines) as the table of docs/performance.md,
# between its two marks.
#
#   make -s bench >build/bench.txt && tests/bench/figures.sh build/bench.txt
set -euo pipefail
figures=$(realpath "$1")
cd "$(dirname "$0")/../.."
document=docs/performance.md
grep -q '^<!-- figures -->$' "$document" && grep -q '^<!-- end of figures -->$' "$document"
grep -qE '^[a-z]+\.[a-z0-9_.]+ [0-9.]+$' "$figures"
{
	sed '/^<!-- figures -->$/q' "$document"
	echo
	echo "$(nproc) CPUs, Linux $(uname -r | grep -oE '^[0-9]+\.[0-9]+'), $(clang --version | grep -oE 'clang version [0-9]+' | head -n 1)."
	echo
	echo "| figure | value |"
	echo "|---|---|"
	awk 'NF == 2 {printf "| `%s` | %s |\n", $1, $2}' "$figures"
	echo
	sed -n '/^<!-- end of figures -->$/,$p' "$document"
} >"$document.tmp"
mv "$document.tmp" "$document"
