#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A flood of sources, each new, SYNs, UDP and TCP in mid-stream, v4 and v6, over all modes, on all CPUs, leaves those
# flows alone that send a packet at least every 10 s. Before it begins every endpoint is drained that the flows have, and
# others take what is new: a flow whose entry is lost goes elsewhere, and is found out. Planes are applied all the
# while. `make check-long`: default sizes, 10 million sources, 10,000 flows with a packet every 8 s.
. "$(dirname "$0")/rig.bash"
. "$(dirname "$0")/herd.bash"
if [ -n "${GPC_CHECK_LONG:-}" ]; then
	flows=10000 rate=2000 seconds=180 sources=10000000 period=8
	HERD_DEFAULTS="{on-fail: pass}"
else
	# The tables are full after half of the time; from then on each entry that is made takes the place of another.
	flows=800 rate=400 seconds=14 sources=350000 period=2
	HERD_DEFAULTS="{flows: 16384, flow-inserts: 2000/s}"
fi
herd_up

# How full the tables are; 1 if one that was counted to its end is not nearly full.
full() {
	gpc balancer stats --flows --json | /usr/bin/python3 -c '
import json, sys
tables = [t for t in map(json.loads, sys.stdin) if t["type"] == "flows"]
for t in tables:
    print("%(family)s: %(entries)d of %(capacity)d entries" % t, "" if t["complete"] else "or more")
sys.exit(len(tables) != 2 or any(t["complete"] and t["entries"] < 0.9 * t["capacity"] for t in tables))'
}
many() { local n; for ((n = $1; n <= $2; n++)); do echo "$n:${3:-1}:${4:-ready}"; done; }

# shellcheck disable=SC2046
herd_plane $(many 1 20) >"$WORK/plane.yaml"
check "first apply" gpc balancer apply --enforce "$WORK/plane.yaml"
herd_start
# shellcheck disable=SC2046
herd_here $(seq 1 20)
check "$flows flows are open" herd open $flows $rate
# shellcheck disable=SC2046
herd_plane $(many 1 20 1 drain) $(many 21 40) >"$WORK/plane.yaml"
check "their endpoints are drained" gpc balancer apply "$WORK/plane.yaml"
check "all are known" herd ask 100
herd_begin flood $seconds $sources $period
applies=0
until read -r -t 0 -u "$herd_from"; do
	applies=$((applies + 1))
	# shellcheck disable=SC2046
	herd_plane $(many 1 20 1 drain) $(many 21 30) $(many 31 40 $((1 + applies % 2))) >"$WORK/plane.yaml"
	must gpc balancer apply "$WORK/plane.yaml"
	sleep 0.5
done
check "the flood: no flow is lost" herd_end
echo "the flood: $herd_line; $(tail -n 1 "$WORK/herd.log"); $applies applies meanwhile"
check "it has filled the tables" full
cat "$WORK/out"
check "after it each is where it was" herd ask 100
check_equal "all of them" "$herd_line" "asked $flows same $flows moved 0 lost 0"
rig_done
