#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Real TCP through every forwarding mode and family; large transfers both ways of the MTU; counters.
. "$(dirname "$0")/rig.bash"
rig_up 3
all="backend1 backend2 backend3"

# through MODE FAMILY ENDPOINT-FAMILY: that listener, those endpoint addresses.
through() {
	local forward=$1 family=$2 endpoints=$3 what vip=$VIP4 i
	what="$forward v$family over v$endpoints"
	[ "$family" = 4 ] || vip=$VIP6
	ENDPOINT_FAMILIES=$endpoints plane "$forward" "$family" 1 2 3 >"$WORK/plane.yaml"
	check "$what: apply" gpc balancer apply "$WORK/plane.yaml"
	if [ "$forward" = ipip ]; then
		for i in 1 2 3; do check "$what: apply on backend$i (decap)" gpc "backend$i" apply "$WORK/plane.yaml"; done
	fi
	check "$what: 300 requests, all backends" all_answer "$vip" 300 $all
	check "$what: a download of 5 MB" in_ns client /usr/bin/python3 "$RIG_ROOT/tests/e2e/client.py" \
		download "$vip" "$PORT" /bytes/5000000
	check "$what: verify" gpc balancer verify --exit-code
}

through dsr 4 4
through dsr 6 6
through dsr 4 6
through ipip 4 4
through ipip 6 6
through ipip 4 6
rig_done
