#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# stats counts what the client did, to the connection, in text, JSON and for Prometheus; rates come in
# blocks and end with SIGINT or when nobody reads; no apply and no growth sets a counter back.
. "$(dirname "$0")/rig.bash"
rig_up 2

# pick TYPE NAME KEY: of JSON lines on stdin.
pick() {
	/usr/bin/python3 -c '
import json, sys
lines = [json.loads(line) for line in sys.stdin]
assert lines[-1]["type"] == "result" and lines[-1]["exit"] == 0, lines[-1]
print(*(line[sys.argv[3]] for line in lines if line["type"] == sys.argv[1] and sys.argv[2] in ("", line.get("name"))))' "$@"
}
field() { gpc balancer stats --json | pick "$@"; }
sum() { tr ' ' '\n' | awk '{s += $1} END {print s + 0}'; }
page() { gpc balancer stats --prometheus "$@" >"$WORK/page" && /usr/bin/python3 "$RIG_ROOT/tests/e2e/prometheus.py" <"$WORK/page"; }
metric() { gpc balancer stats --prometheus | /usr/bin/python3 "$RIG_ROOT/tests/e2e/prometheus.py" "$@"; }

# intent ENDPOINT...: the rig's plane with a policy.
intent() {
	plane dsr 46 "$@" | sed 's/^kind: Plane/&\ndefaults: {on-fail: pass}/'
	echo "rules: [{name: web, ports: [tcp/80], action: allow}]"
	echo "policies: [{name: in, interfaces: [wan0], direction: ingress, stateful: false, default: allow, rules: [web]}]"
}

check_exit "stats without a plane" 1 gpc balancer stats
check_said "it says that there is none" "no plane"
intent 1 2:3 >"$WORK/plane.yaml"
check "apply" gpc balancer apply "$WORK/plane.yaml"
check "stats before the first packet" gpc balancer stats
check "200 v4 connections" share "$VIP4" 200
check "100 v6 connections" share "$VIP6" 100

# ---- one reading, in all forms ----

check_equal "the v4 listener counts 200 flows" "$(field listener http4 flows)" 200
check_equal "the v6 listener counts 100 flows" "$(field listener http6 flows)" 100
check_equal "the endpoints count 300 flows together" "$(field endpoint '' flows | sum)" 300
check_equal "and so does their backend" "$(field backend web flows)" 300
check_equal "listeners and backend count the same packets" "$(field listener '' packets | sum)" "$(field backend web packets)"
check_equal "the shares of the endpoints are whole" "$(field endpoint '' got | sum)" 1
check "text" gpc balancer stats
check_said "it has the endpoint" "web/backend1"
check_said "and what a reason means" "sent to an endpoint"
check "the active flows are counted when asked for" gpc balancer stats --flows
check_said "by family" v6
active=$(gpc balancer stats --flows --json | pick flows '' entries)
check_equal "the tables hold the 300 flows" "$(echo "$active" | sum)" 300
check "status -v counts them, too" gpc balancer status -v
check_said "in a column" active
check "the page for Prometheus is well-formed" page
check "and with everything" page --flows -v
check_equal "it has what JSON has" "$(metric gpc_listener_new_flows_total listener=http4)" 200
check_equal "by endpoint" "$(metric gpc_endpoint_new_flows_total backend=web)" 300
check_equal "by reason" "$(metric gpc_packets_total hook=xdp reason=forwarded)" "$(field listener '' packets | sum)"
check_equal "the devices are bound" "$(metric gpc_device_bound device=wan0 hook=xdp)" 1
check_equal "and by rule, when asked for" \
	"$(gpc balancer stats --prometheus -v | /usr/bin/python3 "$RIG_ROOT/tests/e2e/prometheus.py" gpc_rule_packets_total policy=in rule=web)" \
	"$(field listener '' packets | sum)"
check_equal "all metrics are in the documentation, and no other" \
	"$(page --flows -v)" "$(sed -nE 's/^\| `(gpc_[a-z_]+)`.*/\1/p' "$RIG_ROOT/docs/metrics.md" | sort)"

# ---- usage ----

check_exit "an interval that is none" 64 gpc balancer stats --interval soon
check_exit "an interval that is too short" 64 gpc balancer stats --interval 1ms
check_exit "no rates for Prometheus" 64 gpc balancer stats --prometheus --interval 1s
check_exit "one format at a time" 64 gpc balancer stats --prometheus --json
check_exit "a count that is none" 64 gpc balancer stats --count 0

# ---- rates ----

blocks() { gpc balancer stats --json --interval 200ms --count 3 >"$WORK/blocks" & share "$VIP4" 200 >/dev/null; wait $!; }
check "three blocks while the client asks" blocks
check_equal "are three" "$(pick reading '' generation <"$WORK/blocks" | wc -w)" 3
check_equal "the result says so" "$(pick result '' readings <"$WORK/blocks")" 3
check "some of them saw packets" test "$(pick listener http4 packets_per_second <"$WORK/blocks" | sum | cut -d . -f 1)" -gt 0
check_equal "an idle plane has a rate of 0" \
	"$(gpc balancer stats --json -i 100ms -n 1 | pick listener http6 flows_per_second)" 0.0

stats_until() { # SIGNAL: the exit of stats that got it
	local pid
	GPC_STATE_DIR=$WORK/state/balancer GPC_BPFFS=$BPFFS/balancer \
		nsenter --net="/run/netns/$RIG-balancer" "$GPC" stats --interval 100ms >"$WORK/watched" 2>&1 &
	pid=$!
	rig_pids+=("$pid")
	wait_for "a block" test -s "$WORK/watched"
	kill "-$1" "$pid"
	wait "$pid"
}
check "SIGINT ends it, and it was no failure" stats_until INT
check "the last block is whole" tail -n 1 "$WORK/watched"
first_line() { [ -n "$(gpc balancer stats --interval 100ms | head -n 1)" ] && [ "${PIPESTATUS[0]}" -eq 0 ]; }
check "it ends when nobody reads any more" timeout 10 bash -c "$(declare -f first_line gpc in_ns); $(declare -p WORK BPFFS GPC RIG); first_line"

# ---- nothing sets a counter back ----

flows=$(field endpoint '' flows | sum)
check_equal "500 flows so far" "$flows" 500
intent 2:3 1 | sed 's/name: http/name: a-http/; s/name: a-http4/name: http4/' >"$WORK/reordered.yaml"
check "apply with another listener's name and another order" gpc balancer apply "$WORK/reordered.yaml"
check_equal "the endpoints' counters go on" "$(field endpoint '' flows | sum)" 500
check_equal "and the listener's" "$(field listener http4 flows)" 400
check_equal "the one with another name begins" "$(field listener a-http6 flows)" 0
packets=$(metric gpc_packets_total hook=xdp)
{ # more counters and a larger class than the instance has
	plane dsr 46 1 2:3
	echo "  - {name: many, address: 192.0.2.99, protocol: TCP, port: 80, forward: dsr, backend: many}"
} >"$WORK/large.yaml"
/usr/bin/python3 - "$WORK/large.yaml" <<'PY'
import sys
text = open(sys.argv[1]).read()
many = "  - name: many\n    endpoints:\n" + "".join(
    f"      - {{name: e{i}, address: 10.77.{1 + i // 250}.{1 + i % 250}}}\n" for i in range(24000))
open(sys.argv[1], "w").write(text.replace("listeners:\n", many + "listeners:\n"))
PY
check "apply that grows the instance" gpc balancer apply "$WORK/large.yaml"
check "it did grow" test "$(gpc balancer status --json | pick plane '' size_class_log2)" -gt 22
check_equal "the counters went along" "$(field endpoint '' flows | sum)" 500
check "those of reasons, too" test "$(metric gpc_packets_total hook=xdp)" -ge "$packets"
check "100 more" share "$VIP4" 100
check_equal "600 flows" "$(field endpoint '' flows | sum)" 600
check "text with 24,000 endpoints" gpc balancer stats
check_said "is short" "without a packet"
check "off says so" gpc balancer off
check_equal "to Prometheus" "$(metric gpc_plane_off)" 1
check "on" gpc balancer on
unprivileged() {
	in_ns balancer env GPC_BPFFS="$BPFFS/balancer" GPC_STATE_DIR="$WORK/state/balancer" \
		setpriv --reuid=65534 --clear-groups --bounding-set=-all "$WORK/gpc" "$@"
}
cp "$GPC" "$WORK/gpc"
chmod 755 "$WORK" "$WORK/gpc"
check_exit "somebody else's stats: this host cannot" 5 unprivileged stats
check_exit "as status says" 5 unprivileged status
rig_done
