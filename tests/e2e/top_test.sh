#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# top draws on a terminal, takes keys, follows its size, and gives the terminal back however it ends;
# without a terminal it says what to use instead.
. "$(dirname "$0")/rig.bash"
rig_up 2

plane dsr 4 1 2:3 >"$WORK/plane.yaml"
check_exit "without a terminal" 64 gpc balancer top </dev/null
check_said "it names what to use" "gpc stats --interval"
SHELL=/bin/bash TERM=dumb check_exit "on a terminal that cannot draw" 64 script -qec "$(declare -f gpc in_ns); $(declare -p WORK BPFFS GPC RIG); gpc balancer top" /dev/null
check_exit "an interval that is none" 64 gpc balancer top -i soon
must gpc balancer apply "$WORK/plane.yaml"

load() { while share "$VIP4" 20; do :; done; }
load >/dev/null 2>&1 &
rig_pids+=($!)
export GPC_STATE_DIR=$WORK/state/balancer GPC_BPFFS=$BPFFS/balancer
in_ns balancer /usr/bin/python3 "$RIG_ROOT/tests/e2e/top.py" "$GPC" top --interval 200ms >"$WORK/checks" 2>&1
check "the checks on a pseudo-terminal ran to their end" grep -q "SIGABRT: the terminal" "$WORK/checks"
while read -r word what; do
	case $word in
	ok) passed "$what" ;;
	*) failed "$what" ;;
	esac
done <"$WORK/checks"
rig_done
