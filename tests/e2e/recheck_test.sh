#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Live TCP connections under stateful policies: a change ends those that it no longer allows, in both
# directions and at every kind of hook, and no others; what changes no meaning asks nothing. A permission
# of audit ends with it; what was open before the first policy is picked up, or not.
. "$(dirname "$0")/rig.bash"
export CLIENT_TIMEOUT=2
rig_up 0
LOCAL4=10.77.0.1 LOCAL6=fd77::1 INSIDE4=10.78.0.2 INSIDE6=fd78::2 CLIENT4=10.77.0.100

# A host behind the balancer, which routes between it and the client.
rig_namespace inside
must ip -n "$RIG-balancer" link add lan0 type veth peer name eth0 netns "$RIG-inside"
must in_ns balancer ethtool -K lan0 tx off
must ip -n "$RIG-balancer" address add 10.78.0.1/24 dev lan0
must ip -n "$RIG-balancer" address add fd78::1/64 dev lan0 nodad
must ip -n "$RIG-balancer" link set lan0 up
must ip -n "$RIG-inside" address add $INSIDE4/24 dev eth0
must ip -n "$RIG-inside" address add $INSIDE6/64 dev eth0 nodad
must ip -n "$RIG-inside" link set eth0 up
must ip -n "$RIG-inside" route add default via 10.78.0.1
must ip -n "$RIG-inside" route add default via fd78::1
must ip -n "$RIG-client" route add 10.78.0.0/24 via 10.77.0.1
must ip -n "$RIG-client" route add fd78::/64 via fd77::1
must in_ns balancer sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
for node in client balancer inside; do for port in 80 81; do serve "$node" "$port"; done; done
for node in client balancer inside; do
	for port in 80 81; do wait_for "a server of $node" test -e "$WORK/ready-$node-$port"; done
done
wait_for "the client to reach the inside" in_ns client ping -c 1 -W 1 $INSIDE4
wait_for "the same in version 6" in_ns client ping -c 1 -W 1 $INSIDE6

# can NODE ADDRESS PORT: a new connection is made.
can() { in_ns "$1" timeout "${4:-5}" bash -c "exec 3<>/dev/tcp/$2/$3"; }
cannot() { ! can "$@" 1; }
# back NAME: its connections live again, once TCP has repeated what was lost.
back() { flows_live "$1" || flows_live "$1" || flows_live "$1"; }
opened() { # NAME ADDRESS PORT [NODE]: two connections
	PORT=$3 flows_open "$1" "$2" 2 "${4:-client}"
}
# field KEY FIELD=VALUE...: of the status's only line with these.
field() {
	gpc balancer status --json | /usr/bin/python3 -c '
import json, sys
wanted = [pair.split("=") for pair in sys.argv[2:]]
for line in map(json.loads, sys.stdin):
    if all(line.get(key) == value for key, value in wanted):
        print(line[sys.argv[1]])' "$@"
}
hits() { field packets type=rule "name=$1"; }
dropped() { # HOOK REASON
	local packets
	packets=$(field packets type=reason "hook=$1" "reason=$2")
	echo "${packets:-0}"
}
enforce() { check "apply: $1" gpc balancer apply --force --enforce "$WORK/plane.yaml"; }
again() { must gpc balancer detach; }

# plane_of RULES [POLICY KEYS]: one stateful policy, deny by default. HOOKS, ON and WAY say where, DEFAULTS
# and NOTE and WEIGHT are written in.
plane_of() {
	cat >"$WORK/plane.yaml" <<END
apiVersion: gpc/v1
kind: Plane
metadata: {name: $RIG_NAME}
defaults: {flows: 65536, on-fail: pass${DEFAULTS:+, $DEFAULTS}}
interfaces:
  - {name: wan0, mode: native, hooks: [${HOOKS:-xdp}, tc-egress]}
  - {name: lan0, hooks: [tc-ingress, tc-egress]}
backends:
  - {name: web, endpoints: [{name: one, address: 10.77.0.100, weight: ${WEIGHT:-1}}]}
listeners:
  - {name: http, address: $VIP4, protocol: TCP, port: 80, forward: dsr, backend: web}
rules:
  - {name: web, ports: [tcp/80], action: allow}
  - {name: extra, ports: [tcp/81], action: allow${NOTE:-}}
  - {name: other, ports: [tcp/443], action: allow}
policies:
  - {name: edge, interfaces: [${ON:-wan0}], direction: ${WAY:-ingress}, rules: [$1]${2:+, $2}}
${MORE:-}
END
	[ "${HOOKS:-xdp}" = xdp ] || sed -i '/^backends:/,/^  - {name: http/d' "$WORK/plane.yaml"
}

# ---- a rule goes: its connections end

# ends NAME ADDRESS NODE WHAT: connections of NODE to 80 and 81; `extra`, which allows 81, goes and comes.
ends() {
	local name=$1 address=$2 node=$3 what=$4
	again
	plane_of "web, extra"
	enforce "$what"
	opened "$name-80" "$address" 80 "$node"
	opened "$name-81" "$address" 81 "$node"
	plane_of "web"
	must gpc balancer plan --json --enforce "$WORK/plane.yaml"
	check_said "$what: the plan counts those that end" '"flows_revoked":2'
	enforce "$what, without the rule"
	check_exit "$what: its connections end" 1 flows_live "$name-81"
	check_said "$what: all of them" "same 0 moved 0 broken 2"
	check "$what: others live" flows_live "$name-80"
	check "$what: no new ones" cannot "$node" "$address" 81
	check "$what: other new ones" can "$node" "$address" 80
	plane_of "extra, web"
	enforce "$what, with the rule again"
	check "$what: its connections go on" back "$name-81"
	check "$what: others live on" flows_live "$name-80"
}
ends xdp4 $LOCAL4 client "XDP"
ends xdp6 $LOCAL6 client "XDP, v6"
ends routed4 $INSIDE4 client "routed"
ends routed6 $INSIDE6 client "routed, v6"
HOOKS=tc-ingress ends tc4 $LOCAL4 client "TC alone"
HOOKS=tc-ingress ends tc6 $INSIDE6 client "TC alone, routed, v6"
WAY=egress ends out4 $CLIENT4 balancer "egress"
WAY=egress ends through4 $CLIENT4 inside "egress, routed"
ON=lan0 WAY=egress ends far6 $INSIDE6 client "egress at the far side, v6"

# ---- both directions, packet by packet

again
plane_of "web, extra"
enforce "both directions"
in_ns client /usr/bin/python3 "$RIG_ROOT/tests/e2e/client.py" download $LOCAL4 81 /hold/400000 \
	>"$WORK/download" 2>&1 &
download=$!
rig_pids+=("$download")
wait_for "the first half" grep -q first "$WORK/download"
plane_of "web"
enforce "both directions, without the rule"
touch "$WORK/release"
revoked_out() { [ "$(dropped tc-egress revoked)" -gt 0 ]; }
wait_for "the server's packets to be dropped" revoked_out
check_equal "the download stands still" "$(grep -c complete "$WORK/download")" 0
plane_of "web, extra"
enforce "both directions, with the rule again"
check "and goes on where it stood" wait "$download"
check_equal "to the last byte" "$(grep -o 'complete [0-9]*' "$WORK/download")" "complete 400000"

# ---- keep

again
plane_of "web, extra" "existing: keep"
enforce "keep"
opened keep-81 $LOCAL4 81
plane_of "web" "existing: keep"
enforce "keep, without the rule"
check "keep: its connections live" flows_live keep-81
check "keep: no new ones" cannot client $LOCAL4 81
plane_of "web" "existing: recheck"
enforce "recheck again"
check_exit "recheck: now they end" 1 flows_live keep-81

# ---- what is not asked again

again
plane_of "web, extra"
enforce "counting"
opened same-81 $LOCAL4 81
asked=$(hits extra)
check_equal "each connection was asked about once" "$asked" 2
unasked() { # WHAT
	enforce "$1"
	check "$1: connections live" flows_live same-81
	check_equal "$1: nothing was asked" "$(hits extra)" "$asked"
}
revoked=$(dropped xdp revoked)
WEIGHT=7 plane_of "web, extra"
unasked "a weight"
NOTE=', note: "for the other team"' plane_of "web, extra"
unasked "a note"
NOTE=', log: all' plane_of "web, extra"
unasked "a log"
plane_of "other, web, extra"
unasked "another rule before it"
check_equal "and nothing was dropped" "$(dropped xdp revoked)" "$revoked"
check "a new connection" can client $LOCAL4 81
check_equal "is asked about" "$(hits extra)" $((asked + 1))

# ---- a second chain, and replies

MORE='  - {name: back, interfaces: [lan0], direction: ingress, rules: []}'
again
plane_of "web, extra"
enforce "both sides of the router"
opened two-81 $INSIDE4 81
check "replies pass the far side" flows_live two-81
check "which lets nothing else in" cannot inside $CLIENT4 80
MORE='  - {name: away, interfaces: [lan0], direction: egress, rules: [web]}'
plane_of "web, extra"
enforce "a chain where there was none"
check_exit "it is asked about live connections" 1 flows_live two-81
check "and new ones" cannot client $INSIDE4 81
check "what it allows passes" can client $INSIDE4 80
MORE=

# ---- audit is no permission

# A host without a history: what it recorded as enforced would be enforced again.
for existing in recheck keep; do
	again
	rm -rf "$WORK/state/balancer"
	plane_of "web" "existing: $existing"
	check "audit, $existing" gpc balancer apply "$WORK/plane.yaml"
	opened "audit-$existing-80" $LOCAL4 80
	opened "audit-$existing-81" $LOCAL4 81
	check "audit, $existing: both live" flows_live "audit-$existing-81"
	enforce "audit ends, $existing"
	check_exit "$existing: what only audit let in ends" 1 flows_live "audit-$existing-81"
	check "$existing: what is allowed lives" flows_live "audit-$existing-80"
done

# ---- from before the first policy

# One way in and one out, so that a connection is judged by who opened it.
MORE='  - {name: away, interfaces: [wan0], direction: egress, rules: []}'
again
opened before-80 $LOCAL4 80
opened before-81 $LOCAL4 81
opened before6-80 $INSIDE6 80
plane_of "web"
enforce "at once"
check "what is allowed is picked up" flows_live before-80
check "routed, v6, too" flows_live before6-80
check_exit "what is not is not" 1 flows_live before-81
again
opened never-80 $LOCAL4 80
DEFAULTS="pickup: never" plane_of "web"
enforce "at once, without pickup"
check_exit "what is allowed is not known" 1 flows_live never-80
check "it is dropped as in mid-stream" test "$(dropped xdp mid-stream)" -gt 0
check "new connections" can client $LOCAL4 80
again
DEFAULTS="pickup: never" plane_of "web" "mid-stream: allow"
opened allow-80 $LOCAL4 80
enforce "at once, and mid-stream: allow"
check "it is matched like a first packet" flows_live allow-80
rig_done
