#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `forward: nat` with real TCP and UDP, 3 MB up and down: to a backend behind the balancer, whose replies come by XDP
# or by TC alone, and to one beside it, with `snat` or with a route back. Stateful policies on both interfaces.
. "$(dirname "$0")/rig.bash"
rig_up 1
PEER="$RIG_ROOT/tests/e2e/nat_peer.py"
TCP_PORT=8000

# inner: a node behind the balancer's lan0.
rig_namespace inner
must ip -n "$RIG-balancer" link add lan0 mtu 1500 type veth peer name eth0 netns "$RIG-inner"
xdp_pass inner eth0
must in_ns inner ethtool -K eth0 tx off
must ip -n "$RIG-balancer" address add 10.78.0.1/24 dev lan0
must ip -n "$RIG-balancer" address add fd78::1/64 dev lan0 nodad
must ip -n "$RIG-balancer" link set lan0 up
must ip -n "$RIG-inner" address add 10.78.0.2/24 dev eth0
must ip -n "$RIG-inner" address add fd78::2/64 dev eth0 nodad
must ip -n "$RIG-inner" link set eth0 up
must ip -n "$RIG-inner" route add default via 10.78.0.1
must ip -n "$RIG-inner" route add default via fd78::1
must in_ns balancer sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
for address in 10.78.0.2 fd78::2; do wait_for "$address" in_ns balancer ping -c 1 -W 1 "$address"; done
for node in inner backend1; do
	in_ns "$node" "$PEER" serve "$TCP_PORT" "$WORK/peer-$node" </dev/null >"$WORK/peer-$node.log" 2>&1 &
	rig_pids+=($!)
	wait_for "the peer on $node" test -e "$WORK/peer-$node"
done

# nat_plane SNAT LAN_HOOKS V4 V6: listeners on port 80 whose endpoint serves on $TCP_PORT.
nat_plane() {
	local protocol name address clamp
	cat <<-YAML
		apiVersion: gpc/v1
		kind: Plane
		metadata: {name: $RIG_NAME}
		interfaces:
		  - {name: wan0, hooks: [xdp, tc-egress]}
		  - {name: lan0, hooks: [$2, tc-egress]}
		backends:
		  - {name: peers, endpoints: [{name: peer, address: [$3, "$4"], port: $TCP_PORT}]}
		rules:
		  - {name: to-vips, action: allow, to: {listeners: "*"}}
		policies:
		  - {name: edge, interfaces: [wan0], direction: ingress, rules: [to-vips]}
		  - {name: inside, interfaces: [lan0], direction: ingress, rules: []}
		listeners:
	YAML
	for protocol in TCP UDP; do
		clamp=
		[ "$protocol" = UDP ] || clamp=", mss-clamp: true"
		for address in "$VIP4" "$VIP6"; do
			name=$protocol-${#address}
			echo "  - {name: $name, address: \"$address\", protocol: $protocol, port: $PORT, forward: nat, backend: peers, snat: $1, interfaces: [wan0]$clamp}"
		done
	done
}

# seen_from VIP: the client's address as the server sees it.
seen_from() { in_ns client "$PEER" names "$1" "$PORT"; }

# through WHAT SNAT HOOKS V4 V6 SEEN4 SEEN6
through() {
	local what=$1 vip
	nat_plane "$2" "$3" "$4" "$5" >"$WORK/plane.yaml"
	must gpc balancer apply "$WORK/plane.yaml"
	check_equal "$what: the server sees, v4" "$(seen_from "$VIP4")" "$6"
	check_equal "$what: the server sees, v6" "$(seen_from "$VIP6")" "$7"
	for vip in "$VIP4" "$VIP6"; do
		check "$what: tcp to $vip" in_ns client "$PEER" tcp "$vip" "$PORT"
		check "$what: udp to $vip" in_ns client "$PEER" udp "$vip" "$PORT"
	done
}

through "behind, replies by XDP" none xdp 10.78.0.2 fd78::2 10.77.0.100 fd77::100
through "behind, replies by XDP, snat" auto xdp 10.78.0.2 fd78::2 10.78.0.1 fd78::1
# By TC also aggregates, here of up to 150,000 bytes (BIG TCP), and checksums that are still to be filled in.
must in_ns inner ethtool -K eth0 tx on
for end in "inner eth0" "balancer lan0"; do
	read -r node device <<<"$end"
	must ip -n "$RIG-$node" link set "$device" gso_max_size 150000 gro_max_size 150000
done
through "behind, replies by TC" none tc-ingress 10.78.0.2 fd78::2 10.77.0.100 fd77::100
through "behind, replies by TC, snat" auto tc-ingress 10.78.0.2 fd78::2 10.78.0.1 fd78::1
through "beside, snat" auto tc-ingress 10.77.0.11 fd77::11 10.77.0.1 fd77::1
must ip -n "$RIG-backend1" route add 10.77.0.100/32 via 10.77.0.1
must ip -n "$RIG-backend1" route add fd77::100/128 via fd77::1
through "beside, by a route back" none tc-ingress 10.77.0.11 fd77::11 10.77.0.100 fd77::100
rig_done
