#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Of applies at one time one wins; the others say that another gpc holds the lock (6), and change nothing.
. "$(dirname "$0")/rig.bash"
rig_up 2
plane dsr 46 1 2 >"$WORK/plane.yaml"
check "apply" gpc balancer apply "$WORK/plane.yaml"

won=0 lost=0 other=0
for round in 1 2 3 4 5; do
	pids=()
	for i in 1 2 3 4 5 6; do
		plane dsr 46 "1:$((100 + round * 10 + i))" 2:100 >"$WORK/plane$i.yaml"
		gpc balancer apply "$WORK/plane$i.yaml" >"$WORK/apply$i" 2>&1 &
		pids+=($!)
	done
	for i in 1 2 3 4 5 6; do
		status=0
		wait "${pids[i - 1]}" || status=$?
		case $status in
		0) won=$((won + 1)) ;;
		6) lost=$((lost + 1)); cat "$WORK/apply$i" >"$WORK/lost" ;;
		*) other=$((other + 1)); sed "s/^/exit $status: /" "$WORK/apply$i" ;;
		esac
	done
done
: >"$WORK/out"
echo "30 applies: $won won, $lost found the lock taken, $other ended otherwise"
check_equal "every apply either won or said 6" "$other" 0
check "at least one of each round won" test "$won" -ge 5
check_equal "the history has one generation per winner" \
	"$(git -C "$WORK/state/balancer/history.git" log --format=%B | grep -c '^Gpc-Generation: ')" $((won + 1))
check "verify" gpc balancer verify --exit-code
check "traffic" all_answer "$VIP4" 100 backend1 backend2

# The lock itself, held for certain.
exec 9<"$WORK/state/balancer/lock"
must flock -n 9
plane dsr 46 1:77 2:100 >"$WORK/plane.yaml"
check_exit "apply while the lock is held" 6 gpc balancer apply "$WORK/plane.yaml"
check_exit "rollback while the lock is held" 6 gpc balancer rollback
check_exit "detach while the lock is held" 6 gpc balancer detach
check "status needs no lock" gpc balancer status
exec 9<&-
check "apply when it is free" gpc balancer apply "$WORK/plane.yaml"

# The same plane by way of another state folder: the plane itself is claimed.
mkdir -m 700 "$WORK/state/other"
elsewhere() { GPC_STATE_DIR=$WORK/state/other GPC_BPFFS=$BPFFS/balancer in_ns balancer "$GPC" "$@"; }
exec 9<"$BPFFS/balancer"
must flock -n 9
check_exit "apply from another state folder while the plane is claimed" 6 elsewhere apply "$WORK/plane.yaml"
check_said "the message names the plane" "$BPFFS/balancer"
check_exit "restore meanwhile" 6 gpc balancer restore
check_exit "detach meanwhile" 6 elsewhere detach
check "status needs no claim" gpc balancer status
check "off needs no claim" gpc balancer off
check "on needs no claim" gpc balancer on
exec 9<&-
check "apply when it is free" gpc balancer apply "$WORK/plane.yaml"
rig_done
