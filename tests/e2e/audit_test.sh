#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The first policies of a host only audit, until apply --enforce; a rollback and a reboot bring back what
# was recorded. Real connections to the host itself show which of both holds. What a rule has counted,
# and connections that it allows, outlive swaps, growth and the beginning of enforcement.
. "$(dirname "$0")/rig.bash"
rig_up 1
HOST4=10.77.0.1 HOST6=fd77::1
serve balancer 80
serve balancer 81
wait_for "the servers" test -e "$WORK/ready-balancer-80" -a -e "$WORK/ready-balancer-81"

# intent RULES...: port 80 is open, the rest is rejected; each of RULES is one rule more, port 5000 on.
intent() {
	local rule port=5000
	echo "apiVersion: gpc/v1"
	echo "kind: Plane"
	echo "metadata: {name: $RIG_NAME}"
	echo "defaults: {flows: 65536, on-fail: pass}"
	echo "interfaces: [{name: wan0, mode: native, hooks: [xdp, tc-egress]}]"
	echo "rules:"
	echo "  - {name: web, ports: [tcp/80], action: allow}"
	for rule in "$@"; do echo "  - {name: $rule, ports: [tcp/$((port++))], action: allow}"; done
	echo "policies:"
	echo "  - name: in"
	echo "    interfaces: [wan0]"
	echo "    direction: ingress"
	echo "    default: reject"
	echo "    rules: [web$([ $# -eq 0 ] || printf ', %s' "$@")]"
}
# can ADDRESS PORT: a new connection is made.
can() { in_ns client timeout "${CLIENT_TIMEOUT:-5}" bash -c "exec 3<>/dev/tcp/$1/$2"; }
cannot() { ! can "$@"; }
check_audits() { # WHAT
	check "$1: the open port" can "$HOST4" 80
	check "$1: the other port" can "$HOST4" 81
	check "$1: the other port, v6" can "$HOST6" 81
}
check_enforces() { # WHAT
	check "$1: the open port" can "$HOST4" 80
	check "$1: the open port, v6" can "$HOST6" 80
	check "$1: the other port is closed" cannot "$HOST4" 81
	check "$1: the other port is closed, v6" cannot "$HOST6" 81
}
# field TYPE NAME KEY: of the status, as JSON.
field() {
	gpc balancer status --json | /usr/bin/python3 -c '
import json, sys
for line in map(json.loads, sys.stdin):
    if line["type"] == sys.argv[1] and line.get("name") in (sys.argv[2], None):
        print(line[sys.argv[3]])' "$@"
}
# flows_since: when pickup began, the third word of gpc_ctl.
flows_since() {
	bpftool -j map dump pinned "$(find "$BPFFS/balancer" -name '*ctl*' | head -n 1)" | /usr/bin/python3 -c '
import json, sys
print(int.from_bytes(bytes(int(b, 16) for b in json.load(sys.stdin)[2]["value"]), "little"))'
}

# ---- the first apply

flows_open before "$HOST4" 5
intent >"$WORK/plane.yaml"
check "apply" gpc balancer apply "$WORK/plane.yaml"
check_said "it says that policies only audit" "policies only audit"
check_audits "first apply"
check "status" gpc balancer status
check_said "it says so, too" "AUDIT: policies only audit"
check_said "the default would have denied" "in/default"
check "status counts what would be denied" test "$(field rule default would_deny)" -ge 2
check_equal "status --json" "$(field plane '' policy_mode)" audit
check_exit "it needs attention" 2 gpc balancer status --exit-code
check "verify" gpc balancer verify --exit-code
intent more >"$WORK/more.yaml"
check "a second apply" gpc balancer apply "$WORK/more.yaml"
check_said "it says so again" "policies only audit"
check_audits "second apply"
check "off" gpc balancer off
check "on" gpc balancer on
check_audits "after off and on"
check "connections from before" flows_live before

# ---- enforcement begins

flows_open audited "$HOST4" 5
packets=$(field rule web packets)
check "the open port has counted" test "$packets" -ge 5
check "apply --enforce of the same image" gpc balancer apply --enforce "$WORK/more.yaml"
check_said "says that it was running already" "it was running already"
check_enforces "enforce"
check "connections from before any policy" flows_live before
check "connections from the time of audit" flows_live audited
check_equal "status --json" "$(field plane '' policy_mode)" enforce
check "the counters went on" test "$(field rule web packets)" -gt "$packets"
check "verify" gpc balancer verify --exit-code
check "apply of another plane" gpc balancer apply "$WORK/plane.yaml"
check_enforces "the next apply"
check "off" gpc balancer off
check "off lets everything in" can "$HOST4" 81
flows_open off "$HOST4" 5
since=$(flows_since)
check "on" gpc balancer on
check_enforces "after off and on"
check "pickup begins anew" test "$(flows_since)" -gt "$since"
check "connections from the time of off" flows_live off

# ---- growth: more rules than the maps have slots

packets=$(field rule web packets)
# shellcheck disable=SC2046
intent $(seq -f 'r%g' 1 1500) >"$WORK/large.yaml"
check "apply of 1500 rules" gpc balancer apply "$WORK/large.yaml"
check_enforces "after growth"
check "what was counted is still there" test "$(field rule web packets)" -ge "$packets"
check "connections from before any policy" flows_live before
check "verify" gpc balancer verify --exit-code

# ---- rollback and reboot

reboot() {
	rm -rf "${BPFFS:?}/balancer"
	wait_for "the kernel to drop the program" gone
}
gone() { ! ip -n "$RIG-balancer" link show wan0 | grep -q xdp; }
check "rollback to the generation that audited" gpc balancer rollback 2
check_said "it says so" "policies only audit"
check_audits "after rollback"
reboot
check "restore" gpc balancer restore
check_said "it says so" "policies only audit"
check_audits "restored"
check "rollback to the generation that enforced" gpc balancer rollback 3
check_enforces "after rollback"
reboot
check "no plane, no policy" can "$HOST4" 81
flows_open rebooted "$HOST4" 5
check "restore" gpc balancer restore
check_enforces "restored"
check "connections that live through the restore" flows_live rebooted
check "log" gpc balancer log
check_said "it has the modes" audit
check_equal "the history has them, too" \
	"$(git -C "$WORK/state/balancer/history.git" log --reverse --format=%B | sed -n 's/^Gpc-Policies: //p' | tr '\n' ' ')" \
	"audit audit enforce enforce enforce audit enforce "

# ---- without policies, and with them again

plane dsr 4 1 >"$WORK/balanced.yaml"
sed -i 's/^interfaces:/defaults: {flows: 65536}\n&/' "$WORK/balanced.yaml"
check "apply without policies" gpc balancer apply "$WORK/balanced.yaml"
check "everything passes" can "$HOST4" 81
check "apply with policies again" gpc balancer apply "$WORK/plane.yaml"
check_said "they only audit" "policies only audit"
check_audits "policies again"
check "detach" gpc balancer detach
check "apply --enforce as the first apply" gpc balancer apply --enforce "$WORK/plane.yaml"
check_enforces "enforced from the start"
rm -rf "${BPFFS:?}/balancer"
check "apply after a reboot" gpc balancer apply "$WORK/plane.yaml"
check_enforces "as it was recorded, after a reboot"
check "detach once more" gpc balancer detach
check "apply after detach" gpc balancer apply "$WORK/plane.yaml"
check_enforces "as it was recorded, after detach"
rig_done
