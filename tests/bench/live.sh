#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The same balancing by gpc and by nftables (jhash dnat), on the same veth rig with the same frames, in
# turn, ROUNDS times; medians. All work of a frame, from the generator to the sink, is done by one CPU.
RIG_QUIET=1
. "$(dirname "$0")/../e2e/rig.bash"
PROGRAM=$RIG_ROOT/build/tests/bench/live_bench
OBJECT=$RIG_ROOT/build/tests/bench/live.bpf.o
rounds=${ROUNDS:-7} frames=${FRAMES:-3000000}
cpu=$(($(nproc) - 1))

for node in client balancer sink; do rig_namespace "$node"; done
must ip -n "$RIG-client" link add eth0 type veth peer name wan0 netns "$RIG-balancer"
must ip -n "$RIG-balancer" link add lan0 type veth peer name eth0 netns "$RIG-sink"
must ip -n "$RIG-client" link set eth0 up
must ip -n "$RIG-sink" link set eth0 up
must ip -n "$RIG-balancer" link set wan0 up
must ip -n "$RIG-balancer" link set lan0 up
must ip -n "$RIG-balancer" address add 10.77.0.1/24 dev wan0
must ip -n "$RIG-balancer" address add 10.78.0.1/24 dev lan0
must in_ns balancer sysctl -qw net.ipv4.ip_forward=1
# Frames that come by XDP are taken from a veth by NAPI only, which a veth without XDP has with GRO on.
must in_ns balancer ethtool -K wan0 gro on
must ip -n "$RIG-balancer" neigh add 10.77.0.100 lladdr 02:02:02:02:02:02 dev wan0 nud permanent
mac=$(ip -n "$RIG-balancer" -br link show wan0 | awk '{print $3}')
sink_mac=$(ip -n "$RIG-sink" -br link show eth0 | awk '{print $3}')
for i in 11 12 13; do
	must ip -n "$RIG-balancer" neigh add "10.78.0.$i" lladdr "$sink_mac" dev lan0 nud permanent
done

cat >"$WORK/plane.yaml" <<'YAML'
apiVersion: gpc/v1
kind: Plane
metadata: {name: live}
interfaces: [{name: wan0, mode: native, hooks: [xdp]}]
backends:
  - name: web
    endpoints:
      - {name: one, address: 10.78.0.11}
      - {name: two, address: 10.78.0.12}
      - {name: three, address: 10.78.0.13}
listeners:
  - {name: live, address: 192.0.2.10, protocol: UDP, port: 80, forward: FORWARD, backend: web}
YAML
cat >"$WORK/dnat.nft" <<'NFT'
table ip live {
	chain prerouting {
		type nat hook prerouting priority dstnat; policy accept;
		ip daddr 192.0.2.10 udp dport 80 dnat to jhash ip saddr . udp sport mod 3 map { 0 : 10.78.0.11, 1 : 10.78.0.12, 2 : 10.78.0.13 }
	}
}
NFT

measure() { # NAME
	local kpps got sent
	read -r kpps got sent < <(taskset -c "$cpu" "$PROGRAM" "$OBJECT" "/run/netns/$RIG-client" eth0 \
		"/run/netns/$RIG-sink" eth0 "$mac" 10.77.0.100 192.0.2.10 80 "$frames")
	if [ -z "${got:-}" ] || [ "$got" -eq 0 ]; then
		echo "error: $1: no frame arrived" >&2
		exit 1
	fi
	echo "$kpps" >>"$WORK/$1"
	echo "live: $1: $kpps kpps, $got of $sent frames arrived" >&2
}
median() { sort -n "$WORK/$1" | awk '{a[NR] = $1} END {print a[int((NR + 1) / 2)]}'; }

for ((round = 1; round <= rounds; round++)); do
	for forward in ipip dsr; do
		sed "s/FORWARD/$forward/" "$WORK/plane.yaml" >"$WORK/$forward.yaml"
		must gpc balancer apply "$WORK/$forward.yaml"
		measure "gpc-$forward"
	done
	must gpc balancer detach
	must in_ns balancer nft -f "$WORK/dnat.nft"
	measure nft-dnat
	must in_ns balancer nft delete table ip live
done
echo "live: $rounds rounds in turn, $frames UDP frames of 60 bytes in 1,024 flows each, CPU $cpu does all work" >&2
echo "live: 3 backends; gpc wraps (ipip); with dsr it makes $(median gpc-dsr) kpps; nft: jhash dnat, conntrack" >&2
echo "live.gpc.kpps $(median gpc-ipip)"
echo "live.nft_dnat.kpps $(median nft-dnat)"
rig_finished=yes
