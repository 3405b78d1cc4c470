#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# gpc upgrade under traffic, and back: connections stay where they are, no request is lost, counters go on.
# Once by a gpc with other programs, once by one that lays out images differently as well.
. "$(dirname "$0")/rig.bash"
rig_up 3
OTHERS=$RIG_ROOT/build/other

newer() { # WHICH ARGS...
	local GPC=$OTHERS/$1
	shift
	gpc balancer "$@"
}
as() { # WHO ARGS...
	if [ "$1" = this ]; then gpc balancer "${@:2}"; else newer "$@"; fi
}
result() { # FIELD: of the last check's result object
	/usr/bin/python3 -c '
import json, sys
for line in open(sys.argv[1]):
    if line.startswith("{") and (found := json.loads(line))["type"] == "result":
        print(found.get(sys.argv[2]))' "$WORK/out" "$1"
}
forwarded() { # packets sent to endpoints so far; WHICH gpc asks
	as "$1" status --json | /usr/bin/python3 -c '
import json, sys
print(sum(line["packets"] for line in map(json.loads, sys.stdin) if line["type"] == "endpoint"))'
}
more() { [ "$1" -gt "$2" ] || { echo "$1 is not more than $2"; false; }; }
programs() { ip -n "$RIG-balancer" link show wan0 | grep -oE 'prog/xdp id [0-9]+'; }

plane dsr 46 1 2 3 >"$WORK/plane.yaml"
must gpc balancer apply "$WORK/plane.yaml"
check "nothing to do" gpc balancer upgrade --json
check_said "and it says so" '"replaced":false'
flows_open four $VIP4 50
flows_open six $VIP6 50

# Requests without end: a failed one ends it with an error.
(while [ ! -e "$WORK/stop" ]; do share $VIP4 20 && share $VIP6 20 || exit 1; done) >"$WORK/requests" 2>&1 &
requests=$!
rig_pids+=("$requests")

# takes_over WHO FROM: WHO upgrades what FROM runs.
takes_over() {
	local before id
	before=$(forwarded "$2")
	id=$(programs)
	check "$1 takes over" as "$1" upgrade --json
	check_said "$1: programs are replaced" '"replaced":true'
	generation=$(result generation)
	check "$1: another program is attached" test "$(programs)" != "$id"
	check "$1: IPv4 connections go on" flows_live four
	check "$1: IPv6 connections go on" flows_live six
	check "$1: counters go on" more "$(forwarded "$1")" "$before"
}

for round in 1 2; do
	takes_over newer-programs this
	check_equal "the generation stays" "$generation" 1
	check "it is what should run" newer newer-programs verify --exit-code
	takes_over this newer-programs
	check_equal "the generation stays" "$generation" 1
done
check "what runs is what should" gpc balancer verify --exit-code

takes_over newer-layout this
check_equal "another layout is another generation" "$generation" 2
check "what runs is what should" newer newer-layout verify --exit-code
check_exit "this gpc cannot read it, and says so" 1 gpc balancer verify
takes_over this newer-layout
check_equal "and back is one more" "$generation" 3
check "what runs is what should" gpc balancer verify --exit-code
check "the log" gpc balancer log --json
check_said "names what it is of" '"upgrade_of":2'
check "a rollback over an upgrade" gpc balancer rollback 2
check "connections go on" flows_live four

touch "$WORK/stop"
check "no request was lost" wait "$requests"
check "there were some" test "$(grep -c backend "$WORK/requests")" -gt 30

check "without a plane" gpc balancer detach
check_exit "there is nothing to upgrade" 1 gpc balancer upgrade
check_said "and the next step is said" "gpc restore"
rig_done
