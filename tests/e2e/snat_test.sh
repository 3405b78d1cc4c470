#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `snat: auto` with more flows than there are ports: those beyond are dropped and counted, and stats says so; a flow
# that was there before keeps its port.
. "$(dirname "$0")/rig.bash"
rig_up 1
FLOOD="$RIG_ROOT/tests/e2e/snat_flood.py"
must in_ns balancer sysctl -qw net.ipv4.ip_forward=1
in_ns backend1 "$FLOOD" serve 53 "$WORK/ready" </dev/null >"$WORK/server.log" 2>&1 &
rig_pids+=($!)
wait_for "the server" test -e "$WORK/ready"

cat >"$WORK/plane.yaml" <<-YAML
	apiVersion: gpc/v1
	kind: Plane
	metadata: {name: $RIG_NAME}
	defaults: {flow-inserts: 1000000/s, timeouts: {udp-new: 1h}}
	interfaces: [{name: wan0}]
	backends: [{name: dns, endpoints: [{name: one, address: 10.77.0.11}]}]
	listeners:
	  - {name: dns, address: $VIP4, protocol: UDP, port: 53, forward: nat, snat: auto, backend: dns}
YAML
must gpc balancer apply "$WORK/plane.yaml"

# reason NAME: how many packets stats says.
reason() { gpc balancer stats --json | /usr/bin/python3 -c '
import json, sys
for line in sys.stdin:
    o = json.loads(line)
    if o.get("type") == "reason" and o.get("hook") == "xdp" and o.get("reason") == sys.argv[1]:
        print(o["packets"])
' "$1"; }

check_equal "none is dropped yet" "$(reason snat-exhausted)" ""
check "a flow keeps its port under the flood" in_ns client "$FLOOD" flood "$VIP4" 53 10.77.0.100
exhausted=$(reason snat-exhausted)
echo "snat-exhausted: $exhausted of 60000"
check "flows beyond the ports are counted" test "${exhausted:-0}" -ge $((60000 - 31744))
check "and some have a port" test "${exhausted:-0}" -lt $((60000 - 20000))

check "stats" gpc balancer stats
check_said "it names the reason" snat-exhausted
check_said "and what it means" "no port left"
rig_done
