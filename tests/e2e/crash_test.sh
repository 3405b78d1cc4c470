#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# SIGKILL at every failpoint of the first apply, the second apply, and a rollback: afterwards the old
# plane or the new one carries the traffic, never a mix and never a dead one; open connections live on;
# and the next apply converges.
. "$(dirname "$0")/rig.bash"
ARMED=$RIG_ROOT/build/failpoints/gpc
TRACE=$WORK/trace
rig_up 3

# Open connections on 1 and 2 stay in both planes; new ones tell the planes apart.
plane dsr 4 1 2 3:1:drain >"$WORK/a.yaml"
plane dsr 4 1:1:drain 2 3 >"$WORK/b.yaml"
A="backend1 backend2" B="backend2 backend3"

bound() { ip -n "$RIG-balancer" link show wan0 | grep -q xdp; }
# shellcheck disable=SC2086
a_or_b() { all_answer "$VIP4" 60 $A || all_answer "$VIP4" 60 $B; }
none_or_a() {
	bound || return 0
	# shellcheck disable=SC2086
	all_answer "$VIP4" 60 $A
}
leftovers() { find "$BPFFS/balancer" -name 'tmp-*' 2>/dev/null; }

# points COMMAND...: the failpoints that gpc passes on this way, each once.
points() {
	: >"$TRACE"
	GPC=$ARMED GPC_FAILPOINT_TRACE=$TRACE gpc balancer "$@" >"$WORK/out" 2>&1 || return 1
	sort -u "$TRACE"
}
# killed_at POINT COMMAND...: runs until it kills itself there.
killed_at() {
	local point=$1 status=0
	shift
	GPC=$ARMED GPC_FAILPOINT=$point gpc balancer "$@" >"$WORK/killed" 2>&1 || status=$?
	[ "$status" -eq 137 ] || { echo "exit $status, not killed at $point"; cat "$WORK/killed"; return 1; }
}
fresh() {
	gpc balancer detach >/dev/null 2>&1
	rm -rf "${BPFFS:?}/balancer" "$WORK/state/balancer"
}
back_to_a() {
	fresh
	must gpc balancer apply "$WORK/a.yaml"
}
# converges FILE BACKENDS: an apply of the ordinary gpc after the kill.
converges() {
	local file=$1
	shift
	gpc balancer apply "$file" && all_answer "$VIP4" 60 "$@" && gpc balancer verify --exit-code || return 1
	[ -z "$(leftovers)" ] || { echo "left behind:"; leftovers; return 1; }
	git -C "$WORK/state/balancer/history.git" fsck --strict
}
all_points=0
count_points() {
	local n
	n=$(wc -w <<<"$2")
	all_points=$((all_points + n))
	echo "$n points on the way of $1"
}

fresh
first=$(points apply "$WORK/a.yaml")
count_points "the first apply" "$first"
for point in $first; do
	fresh
	check "first apply, $point: killed" killed_at "$point" apply "$WORK/a.yaml"
	check "first apply, $point: no plane or the new one" none_or_a
	# shellcheck disable=SC2086
	check "first apply, $point: the next apply converges" converges "$WORK/a.yaml" $A
done

back_to_a
second=$(points apply "$WORK/b.yaml")
count_points "the second apply" "$second"
coproc FLOWS { in_ns client /usr/bin/python3 "$RIG_ROOT/tests/e2e/client.py" flows "$VIP4" "$PORT" 20; }
exec {flows_in}>&"${FLOWS[1]}" {flows_out}<&"${FLOWS[0]}"
read -r -t 20 line <&"$flows_out"
check_equal "20 connections are open" "${line:-}" "open 20"
flows_live() {
	local line=
	echo ask >&"$flows_in"
	read -r -t 20 line <&"$flows_out"
	echo "$line"
	[ "$line" = "same 20 moved 0 broken 0" ]
}
must gpc balancer apply "$WORK/a.yaml"
for point in $second; do
	check "second apply, $point: killed" killed_at "$point" apply "$WORK/b.yaml"
	check "second apply, $point: the old plane or the new one" a_or_b
	check "second apply, $point: open connections live" flows_live
	# shellcheck disable=SC2086
	check "second apply, $point: the next apply converges" converges "$WORK/b.yaml" $B
	# shellcheck disable=SC2086
	check "second apply, $point: and one back" converges "$WORK/a.yaml" $A
done

must gpc balancer apply "$WORK/b.yaml"
back=$(points rollback)
count_points "a rollback" "$back"
for point in $back; do
	must gpc balancer apply "$WORK/a.yaml"
	must gpc balancer apply "$WORK/b.yaml"
	check "rollback, $point: killed" killed_at "$point" rollback
	check "rollback, $point: the old plane or the new one" a_or_b
	check "rollback, $point: open connections live" flows_live
	# shellcheck disable=SC2086
	check "rollback, $point: the next apply converges" converges "$WORK/b.yaml" $B
done
check "at least 25 points in all" test "$all_points" -ge 25
check_equal "the ordinary gpc has no failpoint" "$(GPC_FAILPOINT=$(head -n 1 <<<"$second") gpc balancer apply "$WORK/a.yaml" >/dev/null 2>&1; echo $?)" 0
rig_done
