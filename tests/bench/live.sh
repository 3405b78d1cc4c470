#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The same balancing by gpc in each of its ways and by nftables (jhash dnat), and plain routing, on the same
# veth rig with the same frames, in turn, ROUNDS times; medians. All work of a frame, from the generator to
# the sink, is done by one CPU.
RIG_QUIET=1
. "$(dirname "$0")/../e2e/rig.bash"
PROGRAM=$RIG_ROOT/build/tests/bench/live_bench
OBJECT=$RIG_ROOT/build/tests/bench/live.bpf.o
rounds=${ROUNDS:-5} frames=${FRAMES:-2000000}
ways="ipip gue dsr nat"
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

measure() { # NAME [DESTINATION]
	local kpps got sent
	read -r kpps got sent < <(taskset -c "$cpu" "$PROGRAM" "$OBJECT" "/run/netns/$RIG-client" eth0 \
		"/run/netns/$RIG-sink" eth0 "$mac" 10.77.0.100 "${2:-192.0.2.10}" 80 "$frames")
	if [ -z "${got:-}" ] || [ "$got" -eq 0 ]; then
		echo "error: $1: no frame arrived" >&2
		exit 1
	fi
	echo "$kpps" >>"$WORK/$1"
	echo "live: $1: $kpps kpps, $got of $sent frames arrived" >&2
}
median() { sort -n "$WORK/$1" | awk '{a[NR] = $1} END {print a[int((NR + 1) / 2)]}'; }
figure() { # NAME MEASURED: packets a second, and what a whole frame takes
	median "$2" | awk -v name="$1" '{printf "live.%s.kpps %s\nlive.%s.frame.ns %.0f\n", name, $1, name, 1e6 / $1}'
}

for ((round = 1; round <= rounds; round++)); do
	for way in $ways; do
		sed "s/FORWARD/$way/" "$WORK/plane.yaml" >"$WORK/$way.yaml"
		must gpc balancer apply "$WORK/$way.yaml"
		measure "gpc_$way"
	done
	must gpc balancer detach
	must in_ns balancer nft -f "$WORK/dnat.nft"
	measure nft_dnat
	must in_ns balancer nft delete table ip live
	measure routing 10.78.0.11
done
echo "live: $rounds rounds in turn, $frames UDP frames of 60 bytes in 1,024 flows each, CPU $cpu does all work" >&2
echo "live: 3 backends; gpc: 1 listener, forward as named; nft: jhash dnat, conntrack; routing: no rules" >&2
for way in $ways; do figure "gpc_$way" "gpc_$way"; done
figure nft_dnat nft_dnat
figure routing routing
rig_finished=yes
