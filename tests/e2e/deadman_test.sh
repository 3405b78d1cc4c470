#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The dead man's switch: an apply waits for its confirmation, under packets through XDP and TC; everything named gpc
# is killed and the state folder removed. From the deadline on the old plane decides, no packet is lost (deadman.py).
# And a wall clock that is set back or forth changes nothing.
. "$(dirname "$0")/rig.bash"
rig_up 2

# intent ENDPOINT PORT: the listener leads to the endpoint, the chain lets PORT out, and not the other one.
intent() {
	local denied=$((14003 - $2))
	plane dsr 4 "$1" | sed -e 's/hooks: \[xdp\]/hooks: [xdp, tc-egress]/'
	cat <<-EOF
		  - {name: numbers, address: $VIP4, protocol: UDP, port: 7000, forward: dsr, backend: web}
		rules:
		  - {name: refuse, ports: [udp/$denied], action: deny}
		policies:
		  - {name: out, interfaces: [wan0], direction: egress, stateful: false, default: allow, rules: [refuse]}
	EOF
}
intent 1 7001 >"$WORK/old.yaml"
intent 2 7002 >"$WORK/new.yaml"

numbers() { in_ns "$1" /usr/bin/python3 "$RIG_ROOT/tests/e2e/deadman.py" "${@:2}"; }
# ns of CLOCK_MONOTONIC when the programs go back; nothing while none waits.
deadline() {
	bpftool -j map dump pinned "$(find "$BPFFS/balancer" -name '*ctl*' | head -n 1)" | /usr/bin/python3 -c '
import json, sys
value = json.load(sys.stdin)[0]["value"]
word = value if isinstance(value, int) else int.from_bytes(bytes(int(b, 16) for b in value), "little")
word >> 26 and print((word >> 26) << 20)'
}
armed() { [ -n "$(deadline)" ]; }
gpc_pids() {
	local pid
	for pid in $(ip netns pids "$RIG-balancer"); do [ "$(cat "/proc/$pid/comm")" != gpc ] || echo "$pid"; done
}
receiver() { # NODE FILE PORT...
	numbers "$1" receive "$WORK/$2" "$WORK/ready-$2" 7 "${@:3}" >"$WORK/$2.log" 2>&1 &
	receivers+=($!)
	rig_pids+=($!)
	wait_for "receiver $2" test -e "$WORK/ready-$2"
}
sender() { # NODE FILE ADDRESS PORT...
	numbers "$1" send "$WORK/$2" 5 "${@:3}" >"$WORK/$2.log" 2>&1 &
	receivers+=($!)
	rig_pids+=($!)
}

check "the old plane runs" gpc balancer apply --enforce "$WORK/old.yaml"
gpc balancer apply "$WORK/new.yaml" --confirm 3s --wait >"$WORK/apply.log" 2>&1 &
rig_pids+=($!)
wait_for "the new plane" armed
moment=$(deadline)
receivers=()
receiver backend1 old 7000
receiver backend2 new 7000
receiver client passed 7001 7002
sender client sent-listener "$VIP4" 7000
sender balancer sent-chain 10.77.0.100 7001 7002
pids=$(gpc_pids)
check "a gpc waits" test -n "$pids"
# shellcheck disable=SC2086
check "it is killed" kill -9 $pids
rm -rf "$WORK/state/balancer"
check_equal "no gpc lives" "$(gpc_pids)" ""
check "the deadline is still to come" test "$moment" -gt "$(/usr/bin/python3 -c 'import time; print(time.monotonic_ns())')"
for pid in "${receivers[@]}"; do wait "$pid"; done
check "from the deadline on the old plane decides, and nothing is lost" numbers client judge "$moment" \
	"$WORK/sent-listener" "$WORK/old" "$WORK/new" "$WORK/sent-chain" "$WORK/passed"
grep -E '^(listener|chain):' "$WORK/out"
check "status tells of it" gpc balancer status
check "abort writes it down" gpc balancer abort
check "the old plane goes on" all_answer "$VIP4" 5 backend1

# ---- the wall clock ----
must cc -shared -fPIC -o "$WORK/clock_shift.so" "$RIG_ROOT/tests/e2e/clock_shift.c"
# at SECONDS ARGS...: gpc by a wall clock that is so far ahead
at() {
	local seconds=$1
	shift
	LD_PRELOAD=$WORK/clock_shift.so CLOCK_SHIFT=$seconds gpc balancer "$@"
}
check_equal "the wall clock is another" "$(LD_PRELOAD=$WORK/clock_shift.so CLOCK_SHIFT=-864000 date +%F)" \
	"$(date -d '10 days ago' +%F)"
check "an apply a day ahead" at 86400 apply "$WORK/new.yaml" --confirm 100s
check "seen a day back it still waits" at -86400 status
check_said "with its time left" "gpc confirm keeps it"
check "the new plane decides" all_answer "$VIP4" 5 backend2
check "and is confirmed a day back" at -86400 confirm
check "another, a day back" at -86400 apply "$WORK/old.yaml" --confirm 1s
wait_for "the deadline" all_answer "$VIP4" 1 backend2
check "it is over a day ahead, too" at 86400 abort
check "the plane of before decides" all_answer "$VIP4" 5 backend2
rig_done
