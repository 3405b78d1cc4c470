#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `mss-clamp` of a `pass` listener with real TCP: client and server would both take 1500 bytes, the device between them
# takes 1300. Without it each end says so to the other, with it neither does.
. "$(dirname "$0")/rig.bash"
rig_up 0
PEER="$RIG_ROOT/tests/e2e/mss_peer.py"
must ip -n "$RIG-client" route replace "$VIP4/32" via 10.77.0.1
must ip -n "$RIG-client" route replace "$VIP6/128" via fd77::1
must ip -n "$RIG-balancer" link set wan0 mtu 1300
must ip -n "$RIG-balancer" route replace 10.77.0.0/24 dev wan0 advmss 1460
must ip -n "$RIG-balancer" route replace fd77::/64 dev wan0 proto kernel metric 256 advmss 1440
for address in "$VIP4/32" "$VIP6/128"; do must ip -n "$RIG-balancer" address add "$address" dev lo; done
for node in client balancer; do must in_ns "$node" sysctl -qw net.ipv4.tcp_timestamps=0; done
in_ns balancer /usr/bin/python3 "$PEER" serve "$PORT" "$WORK/peer" </dev/null >"$WORK/peer.log" 2>&1 &
rig_pids+=($!)
wait_for "the server" test -e "$WORK/peer"

# local_plane MODE CLAMP
local_plane() {
	cat <<-YAML
		apiVersion: gpc/v1
		kind: Plane
		metadata: {name: $RIG_NAME}
		interfaces: [{name: wan0, mode: $1, hooks: [xdp, tc-egress]}]
		listeners:
		  - {name: local, address: [$VIP4, "$VIP6"], protocol: TCP, port: $PORT, forward: pass, mss-clamp: $2}
	YAML
}

# says WHAT V4 V6: "what the client's SYN said, what the client sends at most".
says() {
	check_equal "$1, v4" "$(in_ns client /usr/bin/python3 "$PEER" ask "$VIP4" "$PORT")" "$2"
	check_equal "$1, v6" "$(in_ns client /usr/bin/python3 "$PEER" ask "$VIP6" "$PORT")" "$3"
}

local_plane native false >"$WORK/plane.yaml"
must gpc balancer apply "$WORK/plane.yaml"
says "no clamp" "1460 1460" "1440 1440"
local_plane native true >"$WORK/plane.yaml"
must gpc balancer apply "$WORK/plane.yaml"
says "clamped" "1260 1260" "1240 1240"
must gpc balancer detach
must in_ns balancer ethtool -K wan0 tx on
local_plane generic true >"$WORK/plane.yaml"
must gpc balancer apply "$WORK/plane.yaml"
says "clamped, checksums are left to the device" "1260 1260" "1240 1240"
rig_done
