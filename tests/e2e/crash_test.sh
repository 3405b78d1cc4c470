#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# SIGKILL at every failpoint of the first apply, the second apply, and a rollback: afterwards the old
# plane or the new one carries the traffic, never a mix and never a dead one; open connections live on;
# and the next apply converges.
. "$(dirname "$0")/rig.bash"
rig_up 3

# Open connections on 1 and 2 stay in both planes; new ones tell the planes apart.
plane dsr 4 1 2 3:1:drain >"$WORK/a.yaml"
plane dsr 4 1:1:drain 2 3 >"$WORK/b.yaml"
A="backend1 backend2" B="backend2 backend3"

bound() { ip -n "$RIG-balancer" link show wan0 | grep -q xdp; }
# shellcheck disable=SC2086
a_or_b() { all_answer "$VIP4" 60 $A || all_answer "$VIP4" 60 $B; }
leftovers() { find "$BPFFS/balancer" -name 'tmp-*' 2>/dev/null; }

# dies_at POINT COMMAND...: 0 if gpc killed itself there.
dies_at() {
	local point=$1 status=0
	shift
	GPC=$ARMED GPC_FAILPOINT=$point gpc balancer "$@" >"$WORK/out" 2>&1 || status=$?
	case $status in
	137) passed "$way, $point: killed"; points=$((points + 1)) ;;
	*) failed "$way, $point" "exit $status instead of dying"; return 1 ;;
	esac
}
fresh() {
	gpc balancer detach >/dev/null 2>&1
	rm -rf "${BPFFS:?}/balancer" "$WORK/state/balancer"
}
# converges FILE BACKENDS: an apply of the ordinary gpc after the kill.
converges() {
	local file=$1
	shift
	gpc balancer apply "$file" && all_answer "$VIP4" 60 "$@" || return 1
	# The verifier takes half a second for verify, which loads the programs too: not twice at one point.
	[ "$way" = "failing step" ] || gpc balancer verify --exit-code || return 1
	[ -z "$(leftovers)" ] || { echo "left behind:"; leftovers; return 1; }
	git -C "$WORK/state/balancer/history.git" fsck --strict
}

# shellcheck disable=SC2086
none_or_a() { bound || return 0; all_answer "$VIP4" 60 $A; }

points=0

way="first apply"
fresh
points_of apply "$WORK/a.yaml"
for point in "${names[@]}"; do
	fresh
	dies_at "$point" apply "$WORK/a.yaml" || continue
	check "$way, $point: no plane, or the whole new one" none_or_a
	# shellcheck disable=SC2086
	check "$way, $point: the next apply converges" converges "$WORK/a.yaml" $A
done
echo "$way: killed at $points points"

fresh
must gpc balancer apply "$WORK/a.yaml"
flows_open all "$VIP4" 20

way="second apply" before=$points
must gpc balancer apply "$WORK/b.yaml"
must gpc balancer apply "$WORK/a.yaml"
points_of apply "$WORK/b.yaml"
for point in "${names[@]}"; do
	must gpc balancer apply "$WORK/a.yaml"
	dies_at "$point" apply "$WORK/b.yaml" || continue
	check "$way, $point: the old plane or the new one" a_or_b
	check "$way, $point: open connections live" flows_live all
	# shellcheck disable=SC2086
	check "$way, $point: the next apply converges" converges "$WORK/b.yaml" $B
done
echo "$way: killed at $((points - before)) points"

way=rollback before=$points
must gpc balancer apply "$WORK/a.yaml"
must gpc balancer apply "$WORK/b.yaml"
points_of rollback
for point in "${names[@]}"; do
	must gpc balancer apply "$WORK/a.yaml"
	must gpc balancer apply "$WORK/b.yaml"
	dies_at "$point" rollback || continue
	check "$way, $point: the old plane or the new one" a_or_b
	check "$way, $point: open connections live" flows_live all
	# shellcheck disable=SC2086
	check "$way, $point: the next apply converges" converges "$WORK/b.yaml" $B
done
echo "$way: killed at $((points - before)) points"

# A step that fails instead of dying is undone by gpc itself: the old plane, and an error that says so.
way="failing step"
# Only what fails after the flip has been applied and is rolled back.
fails_at() {
	local point=$1 status=0 wanted=1
	[ "$point" != record.applied ] || wanted=7
	GPC=$ARMED GPC_FAILPOINT=$point:error gpc balancer apply "$WORK/b.yaml" >"$WORK/out" 2>&1 || status=$?
	case $status in
	0) return 1 ;;
	"$wanted") passed "$way, $point: exit $status" ;;
	*) failed "$way, $point" "exit $status instead of $wanted" ;;
	esac
}
must gpc balancer apply "$WORK/a.yaml"
points_of apply "$WORK/b.yaml"
for point in "${names[@]}"; do
	must gpc balancer apply "$WORK/a.yaml"
	fails_at "$point" || continue
	# shellcheck disable=SC2086
	check "$way, $point: the old plane" all_answer "$VIP4" 60 $A
	check "$way, $point: open connections live" flows_live all
	# shellcheck disable=SC2086
	check "$way, $point: the next apply converges" converges "$WORK/b.yaml" $B
done

check "killed at 25 points at least" test "$points" -ge 25
check "the ordinary gpc has no failpoints" env GPC_FAILPOINT=list "$GPC" --version
check_said "it does not know the variable" "gpc "
rig_done
