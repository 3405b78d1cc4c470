#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# apply --confirm: kept by gpc confirm, taken back by gpc abort, and by the programs themselves when nobody
# says anything, also with the state folder gone or the apply killed before it was recorded; what became of
# each stands in the history.
. "$(dirname "$0")/rig.bash"
rig_up 2
plane dsr 4 1 >"$WORK/a.yaml"
plane dsr 4 2 >"$WORK/b.yaml"

by_1() { all_answer "$VIP4" 6 backend1; }
by_2() { all_answer "$VIP4" 6 backend2; }
died() { # COMMAND...: between the flip and the record
	local status=0
	GPC=$ARMED GPC_FAILPOINT=record.applied gpc balancer "$@" || status=$?
	[ "$status" -eq 137 ]
}
result() { gpc balancer log --json | grep "\"generation\":$1," | grep -o '"result":"[^"]*"' | cut -d '"' -f 4; }

must gpc balancer apply "$WORK/a.yaml"
must gpc balancer apply "$WORK/b.yaml" --confirm 60s
check "the new plane decides" by_2
check_exit "another apply is refused meanwhile" 6 gpc balancer apply "$WORK/a.yaml"
check_exit "so is a rollback" 6 gpc balancer rollback
check "verify finds nothing" gpc balancer verify
check "status says that it waits" gpc balancer status
check_said "with both ways out" "gpc confirm keeps it, gpc abort takes it back"
gpc balancer log >"$WORK/out"
check_said "log says so, too" " pending "
check "abort" gpc balancer abort
check "the old plane decides again" by_1
check_equal "abort is recorded" "$(result 2)" "rolled-back(aborted)"

check_exit "nothing waits" 6 gpc balancer confirm
check_exit "--wait tells of the rollback" 7 gpc balancer apply "$WORK/b.yaml" --confirm 1s --wait
check "the old plane decides by itself" by_1
check_equal "that is recorded" "$(result 3)" "rolled-back(expired)"

must gpc balancer apply "$WORK/b.yaml" --confirm 60s
check "confirm" gpc balancer confirm
check "the new plane stays" by_2
check_equal "confirm is recorded" "$(result 4)" "confirmed"

check "an apply dies before it is recorded" died apply "$WORK/a.yaml" --confirm 60s
check "its plane decides" by_1
check_exit "what was never recorded cannot be confirmed" 6 gpc balancer confirm
check_said "the refusal says why" "was never recorded"
check_exit "nothing else can be applied" 6 gpc balancer apply "$WORK/a.yaml"
check "abort takes it back" gpc balancer abort
check "the plane that was confirmed decides again" by_2
check_equal "nothing is recorded of it" "$(result 5)" ""
check_equal "and nothing else of what was confirmed" "$(result 4)" "confirmed"

check "another dies, with a second to live" died apply "$WORK/a.yaml" --confirm 1s
wait_for "the plane that was confirmed" by_2
check_exit "confirm comes too late" 7 gpc balancer confirm
check_said "and says what it found" "was not confirmed in time (it was never recorded); generation 4 is active again"
check "verify finds nothing" gpc balancer verify
check_equal "still nothing is recorded of it" "$(result 5)" ""

check "a third one dies" died apply "$WORK/a.yaml" --confirm 1s
wait_for "the plane that was confirmed" by_2
check "an apply goes on from there" gpc balancer apply "$WORK/a.yaml"
check_said "and says what it found" "it was never recorded"
check "it decides" by_1
check_equal "it is recorded" "$(result 5)" "applied"
must gpc balancer apply "$WORK/b.yaml"

must gpc balancer apply "$WORK/a.yaml" --confirm 1s
rm -rf "$WORK/state/balancer"
wait_for "the old plane without a state folder" by_2
check "abort writes down what is over" gpc balancer abort
check "it stays" by_2
rig_done
