#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# 2,000 real TCP connections through ipip, gue, dsr and nat, v4 and v6, that talk all the time while planes are
# applied that reorder, add, drain and remove other backends, change weights and listeners: none is reset, none moves,
# each byte is right. 25 applies, 500 in `make check-long`.
. "$(dirname "$0")/rig.bash"
. "$(dirname "$0")/crowd.bash"
applies=$([ -n "${GPC_CHECK_LONG:-}" ] && echo 500 || echo 25)
connections=2000
rig_up 4
crowd_serve 4

# The backends 1 to 3 always stay; 4 and the absent 5 to 9 come and go; order, weights and listeners change.
variant() {
	local k=$1 endpoints=() orders=("1 2 3" "3 1 2" "2 3 1" "3 2 1" "1 3 2" "2 1 3") n
	for n in ${orders[k % 6]}; do endpoints+=("$n:$((1 + (k / n) % 5))"); done
	[ $((k % 3)) -eq 0 ] || endpoints+=("4:$((1 + k % 7))")
	[ $((k % 2)) -eq 0 ] || endpoints=("$((5 + k % 5)):3:drain" "${endpoints[@]}")
	crowd_plane "${endpoints[@]}"
	[ $((k % 5)) -ne 0 ] || echo "  - {name: also, address: 192.0.2.$((20 + k % 9)), protocol: TCP, port: 80-$((90 + k)), forward: ipip, backend: web}"
}

crowd_plane 1 2 3 >"$WORK/plane.yaml"
check "first apply" gpc balancer apply "$WORK/plane.yaml"
crowd_decap "$WORK/plane.yaml" 4
crowd_open $connections
check "all are answered" crowd_round

bad=0 refused=0
for ((k = 1; k <= applies; k++)); do
	variant "$k" >"$WORK/plane.yaml"
	gpc balancer apply "$WORK/plane.yaml" >"$WORK/out" 2>&1 || { refused=$((refused + 1)); break; }
	crowd_round >"$WORK/round" || { bad=$((bad + 1)); echo "after apply $k: $(head -n 3 "$WORK/round")"; }
done
if [ "$refused" -eq 0 ]; then passed "$applies applies"; else failed "apply $k of $applies was refused"; fi
check_equal "after each a round of answers to all $connections" "$bad bad of $applies" "0 bad of $applies"
echo "the crowd: $crowd_line"
check "it is verified" gpc balancer verify --exit-code
rig_done
