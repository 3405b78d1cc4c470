#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Open connections stay on their backend over many applies that reorder, add and remove other
# backends and change weights: 200 applies, 1,000 in `make check-long`.
. "$(dirname "$0")/rig.bash"
applies=$([ -n "${GPC_CHECK_LONG:-}" ] && echo 1000 || echo 200)
every=2
rig_up 4

# The backends 1 to 3 always stay; 4 and the absent 5 to 9 come and go; order and weights change.
variant() {
	local k=$1 order extra=()
	case $((k % 6)) in
	0) order="1 2 3" ;;
	1) order="3 1 2" ;;
	2) order="2 3 1" ;;
	3) order="3 2 1" ;;
	4) order="1 3 2" ;;
	5) order="2 1 3" ;;
	esac
	[ $((k % 3)) -eq 0 ] || extra+=("4:$((1 + k % 7))")
	[ $((k % 2)) -eq 0 ] || extra+=("$((5 + k % 5)):1:drain")
	if [ $((k % 4)) -lt 2 ]; then
		# shellcheck disable=SC2086
		plane dsr 46 "${extra[@]}" $order
	else
		# shellcheck disable=SC2086
		plane dsr 46 ${order/1/1:$((1 + k % 5))} "${extra[@]}"
	fi
}

plane dsr 46 1 2 3 >"$WORK/plane.yaml"
check "first apply" gpc balancer apply "$WORK/plane.yaml"
flows_open v4 "$VIP4" 60
flows_open v6 "$VIP6" 60

bad=0 refused=0 same=0
for ((k = 1; k <= applies; k++)); do
	variant "$k" >"$WORK/plane.yaml"
	gpc balancer apply "$WORK/plane.yaml" >"$WORK/out" 2>&1 || { refused=$((refused + 1)); break; }
	[ $((k % every)) -eq 0 ] || continue
	for family in v4 v6; do
		if line=$(flows_live $family); then
			same=$((same + 1))
		else
			bad=$((bad + 1))
			echo "after apply $k, $family: $line"
		fi
	done
done
if [ "$refused" -eq 0 ]; then passed "$applies applies"; else failed "apply $k of $applies was refused"; fi
check_equal "all flows asked $((2 * applies / every)) times answered from their first backend" "$bad bad of $same" "0 bad of $((2 * applies / every))"
check "new connections are balanced" share "$VIP4" 100
rig_done
