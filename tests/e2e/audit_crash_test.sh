#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# SIGKILL at every failpoint of applies with policies: afterwards they audit or they decide, what is
# allowed passes throughout, an open connection lives on; restore brings back what was recorded, and the
# next apply converges. Two applies at once, one with --enforce, end in what the history says.
. "$(dirname "$0")/rig.bash"
rig_up 1
HOST4=10.77.0.1
serve balancer 80
serve balancer 81
wait_for "the servers" test -e "$WORK/ready-balancer-80" -a -e "$WORK/ready-balancer-81"

intent() { # NAME: of the rule
	cat <<END
apiVersion: gpc/v1
kind: Plane
metadata: {name: $RIG_NAME}
defaults: {flows: 65536, on-fail: pass}
interfaces: [{name: wan0, mode: native, hooks: [xdp, tc-egress]}]
rules: [{name: $1, ports: [tcp/80], action: allow}]
policies: [{name: in, interfaces: [wan0], direction: ingress, default: reject, rules: [$1]}]
END
}
intent a >"$WORK/a.yaml"
intent b >"$WORK/b.yaml"
can() { in_ns client timeout 5 bash -c "exec 3<>/dev/tcp/$HOST4/$1"; }
cannot() { ! can "$1"; }
audits() { can 80 && can 81; }
enforces() { can 80 && cannot 81; }
one_of_both() { audits || enforces; }
fresh() {
	gpc balancer detach >/dev/null 2>&1
	rm -rf "${BPFFS:?}/balancer" "$WORK/state/balancer"
}
dies_at() { # POINT COMMAND...
	local point=$1 status=0
	shift
	GPC=$ARMED GPC_FAILPOINT=$point gpc balancer "$@" >"$WORK/out" 2>&1 || status=$?
	case $status in
	137) passed "$way, $point: killed"; points=$((points + 1)) ;;
	*) failed "$way, $point" "exit $status instead of dying"; return 1 ;;
	esac
}
recorded() { git -C "$WORK/state/balancer/history.git" log -1 --format=%B | sed -n 's/^Gpc-Policies: //p'; }
# as_recorded: after a restore, what the history says holds.
as_recorded() {
	gpc balancer restore && gpc balancer verify --exit-code || return
	case $(recorded) in
	audit) audits ;;
	enforce) enforces ;;
	*) return 1 ;;
	esac
}
# converges FILE: an apply --enforce of the ordinary gpc after the kill.
converges() {
	gpc balancer apply --enforce "$1" && enforces && [ "$(recorded)" = enforce ] || return
	# Where nothing was restored before; verify takes the time of an apply.
	[ "$way" != "first apply --enforce" ] || gpc balancer verify --exit-code
}
points=0

way="first apply --enforce"
fresh
points_of apply --enforce "$WORK/a.yaml"
for point in "${names[@]}"; do
	fresh
	dies_at "$point" apply --enforce "$WORK/a.yaml" || continue
	check "$way, $point: what is allowed passes" can 80
	check "$way, $point: the next apply converges" converges "$WORK/a.yaml"
done
echo "$way: killed at $points points"

fresh
must gpc balancer apply "$WORK/a.yaml"
flows_open live "$HOST4" 5
# both WAY FILE: from audit on a.yaml to enforce on FILE.
both() {
	way=$1
	local file=$2 before=$points
	must gpc balancer apply --enforce "$file"
	must gpc balancer rollback 1
	points_of apply --enforce "$file"
	for point in "${names[@]}"; do
		must gpc balancer rollback 1
		must audits
		dies_at "$point" apply --enforce "$file" || continue
		check "$way, $point: it audits or it enforces" one_of_both
		check "$way, $point: open connections live" flows_live live
		check "$way, $point: restore brings back what was recorded" as_recorded
		check "$way, $point: the next apply converges" converges "$file"
		check "$way, $point: open connections live on" flows_live live
	done
	echo "$way: killed at $((points - before)) points"
}
both "the same image turns" "$WORK/a.yaml"
both "another image turns" "$WORK/b.yaml"
check "killed at 25 points at least" test "$points" -ge 25

won_or_lost() {
	local status
	for status in "$@"; do case $status in 0 | 6) ;; *) echo "exit $status"; return 1 ;; esac; done
}
for round in 1 2 3 4 5 6; do
	must gpc balancer rollback 1
	gpc balancer apply --enforce "$WORK/a.yaml" >"$WORK/one" 2>&1 &
	one=$!
	gpc balancer apply "$WORK/b.yaml" >"$WORK/two" 2>&1 &
	two=$!
	status1=0 status2=0
	wait "$one" || status1=$?
	wait "$two" || status2=$?
	check "round $round: each won or found the lock taken" won_or_lost "$status1" "$status2"
	check "round $round: what was recorded last holds" as_recorded
done
rig_done
