#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run.sh SECONDS FUZZER...: each fuzzer first runs every kept input, then makes new ones for SECONDS.
# What it finds interesting lies in build/fuzz/corpus, what broke it in build/fuzz/found.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

seconds=$1
shift
failed=0
for fuzzer in "$@"; do
	name=$(basename "$fuzzer" _fuzz)
	kept=tests/fuzz/corpus/$name
	work=build/fuzz/corpus/$name
	found=build/fuzz/found/$name-
	log=build/fuzz/$name.log
	mkdir -p "$work" build/fuzz/found
	options=(-timeout=10 -rss_limit_mb=2048 -max_len=16384 -verbosity=0 "-artifact_prefix=$found")
	[ ! -e "tests/fuzz/$name.dict" ] || options+=("-dict=tests/fuzz/$name.dict")
	passed=0 broken=0
	inputs=$(find "$kept" -type f | sort)
	if [ -z "$inputs" ]; then
		echo "fuzz/$name: no kept corpus in $kept"
		broken=1
	else
		# shellcheck disable=SC2086 # names of the corpus hold no blanks
		if GPC_FUZZ_KEPT=1 "$fuzzer" "${options[@]}" $inputs >"$log" 2>&1; then
			passed=$(wc -l <<<"$inputs")
		else
			broken=1
			cat "$log"
		fi
		if "$fuzzer" "${options[@]}" -max_total_time="$seconds" -print_final_stats=1 "$work" "$kept" \
			>"$log" 2>&1; then
			passed=$((passed + 1))
			sed -n 's/^stat::number_of_executed_units: *\(.*\)/  \1 inputs made/p' "$log"
		else
			broken=$((broken + 1))
			cat "$log"
		fi
	fi
	echo "fuzz/$name: $passed passed, $broken failed"
	failed=$((failed + broken))
done
[ $# -gt 0 ] || { echo "no fuzzer given"; exit 1; }
[ "$failed" -eq 0 ]
