#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Endpoints come and go under flows of TCP, UDP and QUIC through the modes: forgotten by the kernel's neighbour
# table, drained, dead, in maint, back again; and a backend that the flows fail over to.
. "$(dirname "$0")/modes.bash"
modes_up 3

# backend1 and backend2 serve, backend3 is for when they do not.
modes_plane 2 | sed 's/^  - name: both/&\n    failover: spare/; s/^  - name: six/&\n    next-hop: fib/
	s/^listeners:/  - name: spare\n    endpoints:\n      - {name: backend3, address: [10.77.0.13, "fd77::13"], quic-id: "0303"}\n&/' |
	modes_apply 3

# all: "KEY PROTO HOST PORT" of the flows of each mode.
all() {
	local mode port vip protocol
	while read -r mode port vip; do
		for protocol in tcp udp quic; do
			echo "$mode-$protocol $protocol $vip $((port + (${#protocol} == 4 ? 100 : 0)))"
		done
	done <<-EOT
		ipip 8001 $VIP4
		gue 8011 $VIP6
		dsr 8021 $VIP4
		nat 8031 $VIP4
		snat 8032 $VIP6
	EOT
}
fresh() { rows "new flows, $1" < <(all | while read -r _ flow; do echo "fresh $flow 20 $2"; done); }
kept() { rows "known flows, $1" < <(all | while read -r key _; do echo "${2//KEY/$key}"; done); }

# The kernel forgets neighbours that only XDP sends to; the second backend's way is looked up for each packet.
for family in -4 -6; do must ip -n "$RIG-balancer" $family neigh flush all; done
fresh "no neighbours known" "backend1 backend2"
rows "new flows, no neighbours known" <<-EOT
	fresh tcp $VIP4 8002 20 backend1 backend2
	fresh udp $VIP4 8012 20 backend1 backend2
EOT

rows "flows open" < <(all | while read -r key flow; do echo "open $key $flow 20 backend1 backend2"; done)

# The kernel's word against the first backend holds within a second, and until it is taken back.
closed() { gpc balancer status | grep "next hop of endpoint 'both/backend1' is unknown"; }
for prefix in 10.77.0.11/32 fd77::11/128; do must ip -n "$RIG-balancer" route add unreachable "$prefix"; done
sleep 1.1
rows "no route to backend1" < <(all | while read -r key _; do [[ $key != *-udp ]] || echo "dead $key backend1"; done)
check "status says so" closed
for prefix in 10.77.0.11/32 fd77::11/128; do must ip -n "$RIG-balancer" route del unreachable "$prefix"; done
sleep 1.1
kept "the route is back" "live KEY"

must gpc balancer drain both/backend2 --for 30m
kept "backend2 drained" "live KEY"
fresh "backend2 drained" "backend1"
must gpc balancer drain both/backend1
kept "both drained" "live KEY"
fresh "both drained" "backend3"
rows "flows open on the spare" < <(all | while read -r key flow; do echo "open $key-3 $flow 5 backend3"; done)

must ip -n "$RIG-lan" link set p-backend1 down
kept "backend1 dead" "dead KEY backend1"
must gpc balancer drain --maint both/backend1
kept "backend1 in maint" "moved KEY backend1"
must gpc balancer undrain both/backend2
fresh "backend2 back" "backend2"
kept "backend2 back" "live KEY"
kept "backend2 back" "live KEY-3"

must ip -n "$RIG-lan" link set p-backend1 up
must gpc balancer undrain both/backend1
fresh "all back" "backend1 backend2"
kept "all back" "live KEY"
kept "all back" "live KEY-3"
must gpc balancer weight both/backend1 0
fresh "backend1 of weight 0" "backend2"
rig_done
