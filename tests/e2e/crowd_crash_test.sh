#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# SIGKILL at every failpoint of an apply, and of one that grows the image's class, while connections through ipip, gue,
# dsr and nat talk all the time: each gets right answers from its backend afterwards, after the next apply, and none is
# ever reset. Of growth, in `make check`, the three points around the flip.
. "$(dirname "$0")/rig.bash"
. "$(dirname "$0")/crowd.bash"
rig_up 3
crowd_serve 3

crowd_plane 1 2 3:1:drain >"$WORK/a.yaml"
crowd_plane 3 1:1:drain 2:2 >"$WORK/b.yaml"
sed 's/^  - name: web$/&\n    table-size: 2097143/' "$WORK/b.yaml" >"$WORK/large.yaml"

# dies_at POINT FILE: 0 if gpc killed itself there, 1 if its way does not lead past POINT.
dies_at() {
	local status=0
	GPC=$ARMED GPC_FAILPOINT=$1 gpc balancer apply "$2" >"$WORK/out" 2>&1 || status=$?
	case $status in
	137) passed "$1: killed"; points=$((points + 1)) ;;
	0) return 1 ;;
	*) failed "$1" "exit $status instead of dying or going past it" ;;
	esac
}
# goes_on POINT FILE: the connections, and the next apply.
goes_on() {
	check "$1: connections go on" crowd_round
	check "$1: the next apply" gpc balancer apply "$2"
	check "$1: connections go on" crowd_round
}
class() { gpc balancer status --json | grep -o '"size_class_log2":[0-9]*'; }

must gpc balancer apply "$WORK/a.yaml"
crowd_decap "$WORK/a.yaml" 3
crowd_open 80 10
check "all are answered" crowd_round
points=0
mapfile -t names < <(GPC_FAILPOINT=list "$ARMED" | grep -vE '^(first|growth|same|detach|override)\.')
check "there are points" test "${#names[@]}" -gt 10
for point in "${names[@]}"; do
	must gpc balancer apply "$WORK/a.yaml"
	dies_at "$point" "$WORK/b.yaml" || continue
	goes_on "$point" "$WORK/b.yaml"
done
check "killed at 10 points at least" test "$points" -ge 10
echo "killed at $points points; the crowd: $crowd_line"

# Each growth begins with a small class, so without a plane.
growth='^growth\.(flip|publish|attach)$'
[ -z "${GPC_CHECK_LONG:-}" ] || growth='^growth\.'
mapfile -t names < <(GPC_FAILPOINT=list "$ARMED" | grep -E "$growth")
for point in "${names[@]}"; do
	crowd_close
	must gpc balancer detach
	must gpc balancer apply "$WORK/a.yaml"
	small=$(class)
	crowd_open 80 10
	dies_at "$point" "$WORK/large.yaml" || { failed "$point" "the apply does not lead past it"; continue; }
	goes_on "$point" "$WORK/large.yaml"
	check "$point: the class has grown" test "$(class)" != "$small"
done
rig_done
