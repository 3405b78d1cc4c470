#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# 100,000 flows over 500 applies (20,000 over 24 in `make check`): v4 and v6, TCP and UDP, through ipip, gue, dsr, nat
# and nat with snat. Each apply changes endpoints (there or not, order, weights, states), rules, listeners or which
# backends they have; one grows the image's class; between some of them gpc is upgraded and taken back, levers are
# pulled, and an apply is rolled back. After each a sample of 1 %, at the end and after growth and upgrades each flow
# sends a packet: it goes to the endpoint it had, unless that one is not there, or in maintenance; then it goes to one
# that is there and stays with it. nat's answers come back.
. "$(dirname "$0")/rig.bash"
. "$(dirname "$0")/herd.bash"
if [ -n "${GPC_CHECK_LONG:-}" ]; then applies=500 flows=100000; else applies=24 flows=20000; fi
herd_up

# What apply K is of: sets endpoints, here and herd_plane's variables. Every endpoint is away for one apply of 30 or
# so, now and then in maintenance, drained, or without weight.
variant() {
	local k=$1 i n weight state
	endpoints=() here=(41 42 43 44)
	for ((i = 0; i < 40; i++)); do
		n=$((1 + (i * 7 + k * 3) % 40))
		[ $(((k * 7 + n * 13) % 31)) -ne 0 ] || continue
		weight=$((1 + k * n % 5)) state=ready
		[ $(((k * 5 + n * 11) % 53)) -ne 0 ] || state=drain
		[ $(((k * 3 + n * 17) % 89)) -ne 0 ] || state=maint
		[ $(((k * 11 + n * 19) % 61)) -ne 0 ] || weight=0
		endpoints+=("$n:$weight:$state")
		[ $state = maint ] || here+=("$n")
	done
	HERD_RULES="" HERD_EXISTING=recheck HERD_TABLE="" HERD_SPLIT=""
	[ $((k % 3)) -ne 0 ] || HERD_RULES="$((9000 + k)) $((10000 + k))"
	[ $((k % 4)) -ne 0 ] || HERD_EXISTING=keep
	[ $((k % 8)) -lt 5 ] || HERD_SPLIT=$((10 * (k % 8)))
	[ "$k" -ne $((applies / 2)) ] || HERD_TABLE=2097143
}
also() { # K: one more listener
	[ $(($1 % 5)) -ne 0 ] ||
		echo "  - {name: also, address: 192.0.2.$((20 + $1 % 9)), protocol: TCP, port: 80-$((90 + $1)), forward: ipip, backend: web}"
}
class() { gpc balancer status --json | grep -o '"size_class_log2":[0-9]*'; }
apply_next() { # K
	variant "$1"
	{ herd_plane "${endpoints[@]}"; also "$1"; } >"$WORK/plane.yaml"
	gpc balancer apply "$WORK/plane.yaml" || return 1
	herd_here "${here[@]}"
}
# Beside an apply now and then; the canary is always there.
levers() { # K
	case $(($1 % 12)) in
	2) gpc balancer drain canary/e42 --reason test ;;
	4) gpc balancer weight canary/e43 1 --for 30m --reason test ;;
	6) gpc balancer drain canary/e43 --for 30m --reason test ;;
	9) gpc balancer undrain canary/e42 && gpc balancer undrain canary/e43 ;;
	11) gpc balancer rollback && variant $(($1 - 1)) && herd_here "${here[@]}" ;;
	esac
}
upgrade_by() { GPC=$1 gpc balancer upgrade; }

variant 0
herd_plane "${endpoints[@]}" >"$WORK/plane.yaml"
check "first apply" gpc balancer apply --enforce "$WORK/plane.yaml"
herd_start
herd_here "${here[@]}"
check "$flows flows are open" herd open "$flows" 1000000
small=$(class)

bad=0 refused=0 asked=0 moved=0
for ((k = 1; k <= applies; k++)); do
	apply_next "$k" >"$WORK/out" 2>&1 || { refused=1; break; }
	levers "$k" >"$WORK/out" 2>&1 || { refused=1; break; }
	herd ask 1 >"$WORK/round" || { bad=$((bad + 1)); echo "after apply $k: $(head -n 6 "$WORK/round")"; }
	read -r _ n _ _ _ m _ <<<"$herd_line"
	asked=$((asked + n)) moved=$((moved + m))
	if [ "$k" -eq $((applies / 2)) ]; then
		check "the image's class has grown" test "$(class)" != "$small"
		check "all flows are where they were" herd ask 100
	elif [ "$k" -eq $((applies * 3 / 4)) ]; then
		check "a newer gpc takes over" upgrade_by "$RIG_ROOT/build/other/newer-programs"
		check "all flows are where they were" herd ask 100
		check "and this one takes back" upgrade_by "$GPC"
	fi
done
if [ "$refused" -eq 0 ]; then passed "$applies applies"; else failed "apply $k of $applies was refused"; fi
check_equal "after each the flows of the sample are where they were" "$bad bad of $applies" "0 bad of $applies"
check "flows of endpoints that went have moved" test "$moved" -gt 0
echo "samples: $asked packets, $moved flows moved because their endpoint went"
check "all flows at the end" herd ask 100
echo "at the end: $herd_line"
check "and once more, now none moves" herd ask 100
check_equal "each is where it was" "$herd_line" "asked $flows same $flows moved 0 lost 0"

# What was asked can be answered wrongly: without its entry a flow goes where the hash says.
check "without the plane" gpc balancer detach
check "and with it again" apply_next $((applies + 1))
herd ask 100 >/dev/null 2>&1
echo "without their entries: $herd_line"
check "flows without entries are found elsewhere" test "${herd_line##* }" -gt $((flows / 10))
rig_done
