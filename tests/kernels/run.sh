#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Inside a guest: runs the programs of the bpf tier and the given scripts of the e2e tier. One line each,
# "RESULT <name> <exit> <seconds>", and of one that failed the end of what it printed.
set -u
# Everything is slower by a factor of ten or more when each instruction is translated.
export CLIENT_TIMEOUT=60 RIG_PATIENCE=20

run() { # NAME COMMAND...
	local name=$1 start=$SECONDS status
	shift
	timeout -k 10 "${GPC_TEST_LIMIT:-1800}" "$@" >/tmp/log 2>&1
	status=$?
	echo "RESULT $name $status $((SECONDS - start))"
	grep -aE "verified instructions|^skip" /tmp/log | sed 's/^/  | /'
	[ $status -eq 0 ] || { grep -a FAILED /tmp/log | head -n 20; tail -n 25 /tmp/log; } | sed 's/^/  | /'
	tail -n 1 /tmp/log | sed 's/^/  = /'
}
uname -r
for test in "$@"; do
	case $test in
	bpf/*) run "$test" "build/tests/$test" ;;
	e2e/*) run "$test" bash "tests/$test.sh" ;;
	esac
done
