#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# nftables as a foreign oracle: random policies, translated for nft by the test itself, and the same real
# packets through gpc in one firewall and through nft in another. Every packet must fare alike: arrive, be
# refused with an answer, or be gone.
#
#        outer o0 --- wan0 [fw-gpc] lan0 --- i0 inner
#        outer o1 --- wan0 [fw-nft] lan0 --- i1 inner
. "$(dirname "$0")/rig.bash"
PACKETS=$RIG_ROOT/tests/e2e/nft_packets.py
planes=${GPC_CHECK_LONG:+40}
planes=${planes:-10} flows=${FLOWS:-2500}
export PYTHONDONTWRITEBYTECODE=1

# firewall NODE K: between outer's oK and inner's iK. What comes by wan0 goes out by lan0 and the other
# way round, whatever its addresses.
firewall() {
	local node=$1 k=$2 family far
	rig_namespace "$node"
	must ip -n "$RIG-outer" link add "o$k" type veth peer name wan0 netns "$RIG-$node"
	must ip -n "$RIG-$node" link add lan0 type veth peer name "i$k" netns "$RIG-inner"
	xdp_pass outer "o$k"
	must ip -n "$RIG-outer" link set "o$k" up
	must ip -n "$RIG-inner" link set "i$k" up
	for device in wan0 lan0; do
		must in_ns "$node" ethtool -K "$device" tx off
		must ip -n "$RIG-$node" link set "$device" up
	done
	must ip -n "$RIG-$node" address add 172.31.1.1/24 dev wan0
	must ip -n "$RIG-$node" address add 172.31.2.1/24 dev lan0
	must ip -n "$RIG-$node" address add fd31:1::1/64 dev wan0 nodad
	must ip -n "$RIG-$node" address add fd31:2::1/64 dev lan0 nodad
	must in_ns "$node" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.wan0.rp_filter=0 \
		net.ipv4.conf.lan0.rp_filter=0 net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.wan0.send_redirects=0 \
		net.ipv4.conf.lan0.send_redirects=0 net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
	for family in 4 6; do
		far=172.31
		[ "$family" = 4 ] || far=fd31:
		must ip -n "$RIG-$node" "-$family" neigh add "$(far_end "$far" 1)" lladdr "$(mac outer "o$k")" dev wan0 nud permanent
		must ip -n "$RIG-$node" "-$family" neigh add "$(far_end "$far" 2)" lladdr "$(mac inner "i$k")" dev lan0 nud permanent
		must ip -n "$RIG-$node" "-$family" route add default via "$(far_end "$far" 2)" dev lan0
		must ip -n "$RIG-$node" "-$family" route add default via "$(far_end "$far" 1)" dev wan0 table 100
		must ip -n "$RIG-$node" "-$family" rule add iif lan0 lookup 100
	done
}
far_end() { case $1 in fd31:) echo "fd31:$2::2" ;; *) echo "$1.$2.2" ;; esac; }
mac() { ip -n "$RIG-$1" -br link show "$2" | awk '{print $3}'; }
rig_text() { echo "$RIG-outer,o$2,$RIG-inner,i$2,$(mac "$1" wan0),$(mac "$1" lan0)"; }

# compare SEED MODE: one plane, its packets; adds to packets and different.
packets=0 different=0
compare() {
	local seed=$1 mode=$2 got=
	must "$PACKETS" plane "$seed" "$mode" "$WORK/plane.yaml" "$WORK/rules.nft"
	must gpc fw-gpc apply --enforce "$WORK/plane.yaml"
	must in_ns fw-nft nft flush ruleset
	must in_ns fw-nft nft -f "$WORK/rules.nft"
	[ "$mode" = stateless ] || must in_ns fw-nft sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0 \
		net.netfilter.nf_conntrack_tcp_be_liberal=1
	must "$PACKETS" send "$seed" "$mode" "$WORK/plane.yaml" "$flows" "$(rig_text fw-gpc 0)" "$(rig_text fw-nft 1)"
	read -r got_packets got_different < <(tail -n 1 "$WORK/out")
	packets=$((packets + got_packets)) different=$((different + got_different))
	tail -n 2 "$WORK/out" | head -n 1
	[ "$got_different" -eq 0 ] || got=$(cat "$WORK/out")
	[ -z "$got" ] || echo "$got"
	check_equal "plane $seed, $mode: all of $got_packets packets fare alike" "$got_different" 0
	must gpc fw-gpc detach
}

rig_namespace outer
rig_namespace inner
firewall fw-gpc 0
firewall fw-nft 1
for ((seed = 1; seed <= planes; seed++)); do
	if ((seed % 4)); then compare "$seed" stateful; else compare "$seed" stateless; fi
done
echo "$packets packets, $different fared otherwise"
check "at least 50,000 packets were compared" [ "$packets" -ge 50000 ]
rig_done
