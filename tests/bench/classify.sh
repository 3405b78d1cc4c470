#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What the classifier costs, by itself (classify_bench) and as a firewall in a path of real frames beside
# nftables with the same rules: a bridge of two veths, the rules on the ingress of one of them (gpc by
# XDP, nft by a netdev chain), frames of the set's headers sent by one CPU that does all the work, and
# counted behind the bridge. Everything is accepted, so that every frame arrives. The frames per second
# of the bridge without any rules stand beside them.
#
#   SETS="fw1_1000 seg_5000"     only these
#   SECONDS_EACH=2               how long frames are sent, ROUNDS=3 times
RIG_QUIET=1
. "$(dirname "$0")/../e2e/rig.bash"
PROGRAM=$RIG_ROOT/build/tests/bench/classify_bench
OBJECTS=$RIG_ROOT/build/tests/bench
rounds=${ROUNDS:-3} seconds=${SECONDS_EACH:-1}
sets=${SETS:-$("$PROGRAM" sets)}
cpu=$(($(nproc) - 1))
cd "$RIG_ROOT" || exit 1

# shellcheck disable=SC2086 # names of sets hold no blanks
taskset -c "$cpu" "$PROGRAM" measure ${SETS:-} || exit 1

for node in client fw sink; do rig_namespace "$node"; done
must ip -n "$RIG-client" link add eth0 type veth peer name wan0 netns "$RIG-fw"
must ip -n "$RIG-fw" link add lan0 type veth peer name eth0 netns "$RIG-sink"
must ip -n "$RIG-fw" link add br0 type bridge mcast_snooping 0
for device in wan0 lan0; do
	must ip -n "$RIG-fw" link set "$device" master br0
	must ip -n "$RIG-fw" link set "$device" up
	# Frames that come by XDP are taken from a veth by NAPI only, which a veth without XDP has with GRO on.
	must in_ns fw ethtool -K "$device" gro on
done
must ip -n "$RIG-fw" link set br0 up
must ip -n "$RIG-client" link set eth0 up
must ip -n "$RIG-sink" link set eth0 up
mac=$(ip -n "$RIG-sink" -br link show eth0 | awk '{print $3}')

# figure NAME SET: the median of kpps over the rounds, as frames per second.
figure() {
	local name=$1 set=$2 i kpps got sent
	: >"$WORK/kpps"
	for ((i = 0; i < rounds; i++)); do
		read -r kpps got sent < <(taskset -c "$cpu" "$PROGRAM" live "$set" "$OBJECTS/classify_live.bpf.o" \
			"/run/netns/$RIG-client" eth0 "/run/netns/$RIG-sink" eth0 "$mac" "$seconds")
		if [ -z "${got:-}" ] || [ "$got" -eq 0 ]; then
			echo "error: classify: $set: $name: no frame arrived" >&2
			exit 1
		fi
		echo "$kpps" >>"$WORK/kpps"
	done
	echo "classify: $set: $name: $got of $sent frames arrived in the last round" >&2
	sort -n "$WORK/kpps" | awk -v name="classify.$set.$name.pps" '{a[NR] = $1} END {printf "%s %.0f\n", name, a[int((NR + 1) / 2)] * 1000}'
}

# nft KIND SET: the rules loaded, measured, and taken out again.
with_nft() {
	local kind=$1 set=$2
	must in_ns fw nft -f "$WORK/$kind.nft"
	figure "nft_$kind" "$set"
	must in_ns fw nft delete table netdev bench
}

echo "classify: pps: $rounds rounds of about $seconds s, CPU $cpu does all work, medians; source ports left out of the rules," >&2
echo "classify: which gpc's language has not; nft_set: one set of concatenated intervals, greedily what does not overlap" >&2
for set in $sets; do
	rm -rf "$WORK/plane"
	mkdir "$WORK/plane"
	"$PROGRAM" yaml "$set" wan0 "$WORK/plane" 2>/dev/null || continue
	figure bridge "$set"
	must gpc fw apply --enforce "$WORK/plane/gpc.yaml"
	figure gpc "$set"
	must gpc fw detach
	must "$PROGRAM" nft-linear "$set" wan0 "$WORK/linear.nft"
	with_nft linear "$set"
	echo "classify.$set.nft_set.rules $("$PROGRAM" nft-set "$set" wan0 "$WORK/set.nft")"
	with_nft set "$set"
done
rig_finished=yes
