#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# SIGINT, SIGTERM and a lost terminal while an apply waits for a neighbour that does not answer: exit 130 or
# 143, and nothing has changed.
. "$(dirname "$0")/rig.bash"
rig_up 2
plane dsr 4 1 2 >"$WORK/plane.yaml"
check "apply" gpc balancer apply "$WORK/plane.yaml"
before=$(running)
plane dsr 4 1 99 >"$WORK/other.yaml"	# nobody is backend99, so the apply waits a second for it

waits_for_neighbour() { ip -n "$RIG-balancer" neigh show 10.77.0.109 | grep -q INCOMPLETE; }

interrupted_by() {
	local signal=$1 wanted=$2 status=0 pid
	ip -n "$RIG-balancer" neigh flush to 10.77.0.109
	(GPC_STATE_DIR=$WORK/state/balancer GPC_BPFFS=$BPFFS/balancer \
		exec nsenter --net="/run/netns/$RIG-balancer" "$GPC" apply "$WORK/other.yaml") >"$WORK/apply" 2>&1 &
	pid=$!
	wait_for "the neighbour to be asked for" waits_for_neighbour
	kill "-$signal" "$pid"
	wait "$pid" || status=$?
	check_equal "SIG$signal during an apply" "$status" "$wanted"
	check "SIG$signal: the message says so" grep "nothing was changed" "$WORK/apply"
	check_equal "SIG$signal: the running plane" "$(running)" "$before"
	check "SIG$signal: verify" gpc balancer verify --exit-code
}
interrupted_by INT 130
interrupted_by TERM 143
interrupted_by HUP 143
check_equal "the history has the first apply only" \
	"$(git -C "$WORK/state/balancer/history.git" log --format=%B | grep -c '^Gpc-Generation: ')" 1
check "traffic" all_answer "$VIP4" 50 backend1 backend2
rig_done
