#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Open connections stay on their backend over many applies that reorder, add and remove other
# backends and change weights: 200 applies, 1,000 in `make check-long`.
. "$(dirname "$0")/rig.bash"
applies=$([ -n "${GPC_CHECK_LONG:-}" ] && echo 1000 || echo 200)
every=10
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
coproc FLOWS4 { in_ns client /usr/bin/python3 "$RIG_ROOT/tests/e2e/client.py" flows "$VIP4" "$PORT" 60; }
read -r -t 20 line <&"${FLOWS4[0]}"
check_equal "60 v4 connections are open" "${line:-}" "open 60"
exec {in4}>&"${FLOWS4[1]}" {out4}<&"${FLOWS4[0]}"
coproc FLOWS6 { in_ns client /usr/bin/python3 "$RIG_ROOT/tests/e2e/client.py" flows "$VIP6" "$PORT" 60; } 2>/dev/null
read -r -t 20 line <&"${FLOWS6[0]}"
check_equal "60 v6 connections are open" "${line:-}" "open 60"
exec {in6}>&"${FLOWS6[1]}" {out6}<&"${FLOWS6[0]}"

bad=0 refused=0 same=0
for ((k = 1; k <= applies; k++)); do
	variant "$k" >"$WORK/plane.yaml"
	gpc balancer apply "$WORK/plane.yaml" >"$WORK/out" 2>&1 || { refused=$((refused + 1)); break; }
	[ $((k % every)) -eq 0 ] || continue
	echo ask >&"$in4"
	echo ask >&"$in6"
	for fd in "$out4" "$out6"; do
		line=
		read -r -t 30 line <&"$fd"
		if [ "$line" = "same 60 moved 0 broken 0" ]; then
			same=$((same + 1))
		else
			bad=$((bad + 1))
			echo "after apply $k: ${line:-no answer}"
		fi
	done
done
if [ "$refused" -eq 0 ]; then passed "$applies applies"; else failed "apply $k of $applies was refused"; fi
check_equal "all flows asked $((2 * applies / every)) times answered from their first backend" "$bad bad of $same" "0 bad of $((2 * applies / every))"
check "new connections are balanced" share "$VIP4" 100
rig_done
