#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What an intent becomes, to the last slot: for each TOPIC.yaml in tests/golden/tables, the model and the
# tables are those in TOPIC.expected. UPDATE=1 writes them anew.
set -uo pipefail
cd "$(dirname "$0")/../.."

tool=$(realpath "$1")
cases=tests/golden/tables
actual=$(mktemp)
trap 'rm -f "$actual"' EXIT
passed=0 failed=0

for case in "$cases"/*.yaml; do
	name=$(basename "$case" .yaml)
	{
		"$tool" "$cases" --dump model "$name.yaml" && "$tool" "$cases" --dump lower "$name.yaml"
	} >"$actual" 2>&1 </dev/null
	status=$?
	[ -z "${UPDATE:-}" ] || cp "$actual" "$cases/$name.expected"
	if diff -u "$cases/$name.expected" "$actual" && [ "$status" -eq 0 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED $name: exit status $status, or not what is expected; UPDATE=1 accepts it"
	fi
done

echo "golden/tables: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
