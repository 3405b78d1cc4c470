#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# gpc events: denials, would-be denials, logs and new flows of real packets, by rule and line; one reader
# at a time; SIGINT ends it cleanly; an apply meanwhile does not disturb it.
. "$(dirname "$0")/rig.bash"
rig_up 1
HOST4=10.77.0.1 HOST6=fd77::1
serve balancer 80
serve balancer 82
wait_for "the servers" test -e "$WORK/ready-balancer-80" -a -e "$WORK/ready-balancer-82"

intent() { # POLICY_REST
	cat <<END
apiVersion: gpc/v1
kind: Plane
metadata: {name: $RIG_NAME}
defaults: {flows: 65536, on-fail: pass}
interfaces: [{name: wan0, mode: native, hooks: [xdp, tc-egress]}]
rules:
  - {name: web, ports: [tcp/80], action: allow}
  - {name: logged, ports: [tcp/82], action: allow, log: all}
  - {name: never, ports: [udp/9], action: deny}
policies:
  - {name: in, interfaces: [wan0], direction: ingress, default: reject, rules: [web, logged, never]$1}
END
}
can() { in_ns client timeout 5 bash -c "exec 3<>/dev/tcp/$1/$2"; }
cannot() { ! can "$@"; }
discard() { in_ns client bash -c "echo x >/dev/udp/$HOST4/9"; }
# has FILE EXPRESSION: an event (e) of the JSON lines in FILE for which the Python expression holds.
has() {
	/usr/bin/python3 -c '
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
assert any(eval(sys.argv[2], {"e": line}) for line in lines if line["type"] == "event"), lines' "$@"
}

check_exit "no plane" 1 gpc balancer events
check_said "it says so" "no plane"
check_exit "a type that there is not" 64 gpc balancer events --type denied
intent "" >"$WORK/plane.yaml"
must gpc balancer apply "$WORK/plane.yaml"
must can "$HOST4" 80
must can "$HOST4" 82
must cannot "$HOST4" 81
must discard
gpc balancer events --json >"$WORK/audit.json" 2>"$WORK/err"
check_equal "events ends when there are no more" "$?" 0
check "a flow" has "$WORK/audit.json" 'e["event"] == "flow" and e["destination_port"] == 80 and e["source"] == "10.77.0.100"'
check "a log" has "$WORK/audit.json" 'e["event"] == "log" and e["rule"] == "logged" and e["policy"] == "in" and e["device"] == "wan0"'
check "its line" has "$WORK/audit.json" 'e["event"] == "log" and e["place"] == "plane.yaml:8:5"'
check "what a rule would have denied" has "$WORK/audit.json" 'e["event"] == "would-deny" and e["rule"] == "never" and e["protocol"] == "udp"'
check "what the default would have denied" has "$WORK/audit.json" 'e["event"] == "would-deny" and e["rule"] == "default" and e["destination_port"] == 81'
check "each is given once" bash -c "! grep -q . <<<\"\$(GPC_STATE_DIR=$WORK/state/balancer GPC_BPFFS=$BPFFS/balancer nsenter --net=/run/netns/$RIG-balancer $GPC events --type would-deny 2>/dev/null)\""

check "apply --enforce" gpc balancer apply --enforce "$WORK/plane.yaml"
GPC_STATE_DIR=$WORK/state/balancer GPC_BPFFS=$BPFFS/balancer nsenter --net="/run/netns/$RIG-balancer" \
	"$GPC" events --follow --json >"$WORK/follow.json" 2>"$WORK/follow.err" &
follower=$!
rig_pids+=("$follower")
reads() { readlink "/proc/$follower/fd/"* | grep -q eventpoll; }
wait_for "the reader to begin" reads
check_exit "a second reader" 6 gpc balancer events
check_said "is told why" "another gpc reads the events"
must cannot "$HOST4" 81
must cannot "$HOST6" 81
must discard
wait_for "the denial of v6" has "$WORK/follow.json" 'e["event"] == "deny" and e["source"] == "fd77::100"'
check "the default denied" has "$WORK/follow.json" 'e["event"] == "deny" and e["rule"] == "default" and e["reason"] == "policy" and e["action"] == "reject"'
wait_for "the denial of a rule" has "$WORK/follow.json" 'e["event"] == "deny" and e["rule"] == "never" and e["action"] == "deny"'
intent ", mode: audit" >"$WORK/other.yaml"
check "an apply is not hindered" gpc balancer apply "$WORK/other.yaml"
must discard
wait_for "an event of the new image" has "$WORK/follow.json" 'e["event"] == "would-deny" and e["rule"] == "never" and e["place"] == "other.yaml:9:5"'
kill -INT "$follower"
status=0
wait "$follower" || status=$?
check_equal "SIGINT ends it in 0" "$status" 0
cp "$WORK/follow.json" "$WORK/out"
check_said "with a result" '"type":"result"'

must cannot "$HOST4" 83
must discard
check "text, one event" gpc balancer events --count 1 --type would-deny
check_said "on one line" "would-deny  wan0 xdp"
check_said "with the rule and its line" "(other.yaml:"
rig_done
