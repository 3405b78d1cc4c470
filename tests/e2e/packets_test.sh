#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Odd packets on the wire: path MTU found through ipip and gue by real TCP, listeners' addresses pinged,
# fragmented UDP through ipip and gue.
. "$(dirname "$0")/rig.bash"
PEER="$RIG_ROOT/tests/e2e/nat_peer.py"
rig_up 1
PORT=81
in_ns backend1 "$PEER" serve "$PORT" "$WORK/ready-tcp" </dev/null >"$WORK/server-tcp.log" 2>&1 &
rig_pids+=($!)

# UDP at the VIPs themselves, as the answer must come from there.
cat >"$WORK/echo.py" <<'PYTHON'
import socket, sys
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 53))
open(sys.argv[2], "w").close()
while True:
    data, client = s.recvfrom(65535)
    s.sendto(data, client)
PYTHON
cat >"$WORK/ask.py" <<'PYTHON'
import os, socket, sys
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
s.connect((sys.argv[1], 53))
s.settimeout(5)
for size in (3000, 8000, 100):
    data = os.urandom(size)
    s.send(data)
    assert s.recv(65535) == data, size
PYTHON
for vip in "$VIP4" "$VIP6"; do
	in_ns backend1 /usr/bin/python3 "$WORK/echo.py" "$vip" "$WORK/ready-$vip" </dev/null >"$WORK/echo-$vip.log" 2>&1 &
	rig_pids+=($!)
	wait_for "the echo at $vip" test -e "$WORK/ready-$vip"
done
wait_for "the TCP server" test -e "$WORK/ready-tcp"

# odd_plane FORWARD ENDPOINT4 ENDPOINT6
odd_plane() {
	cat <<YAML
apiVersion: gpc/v1
kind: Plane
metadata: {name: odd}
interfaces:
  - {name: wan0, mode: native, hooks: [xdp]}
  - {name: eth0, mode: native, hooks: [xdp], role: decap}
backends:
  - {name: four, endpoints: [{name: one, address: "$2"}]}
  - {name: six, endpoints: [{name: one, address: "$3"}]}
listeners:
  - {name: tcp4, address: $VIP4, protocol: TCP, port: $PORT, forward: $1, backend: four}
  - {name: tcp6, address: "$VIP6", protocol: TCP, port: $PORT, forward: $1, backend: six}
  - {name: udp4, address: $VIP4, protocol: UDP, port: 53, forward: $1, backend: four}
  - {name: udp6, address: "$VIP6", protocol: UDP, port: 53, forward: $1, backend: six}
YAML
}

# The client's way to the VIPs as if nobody knew of outer headers.
forget_mtu() {
	must ip -n "$RIG-client" route flush cache
	must ip -n "$RIG-client" -6 route flush cache
	must ip -n "$RIG-client" route replace "$VIP4/32" via 10.77.0.1
	must ip -n "$RIG-client" -6 route del "$VIP6/128"
	must ip -n "$RIG-client" -6 route add "$VIP6/128" via fd77::1
}

# found VIP: the MTU that the client's kernel has found out, nothing if none.
found() { ip -n "$RIG-client" route get "$1" | grep -oE 'mtu [0-9]+'; }

# through FORWARD ENDPOINT4 ENDPOINT6 MTU4 MTU6
through() {
	local vip mtu
	odd_plane "$1" "$2" "$3" >"$WORK/plane.yaml"
	must gpc balancer apply "$WORK/plane.yaml"
	must gpc backend1 apply "$WORK/plane.yaml"
	forget_mtu
	for vip in "$VIP4" "$VIP6"; do
		mtu=$4
		[ "$vip" = "$VIP4" ] || mtu=$5
		check "$1 to $2: 3 MB up and down with $vip" in_ns client "$PEER" tcp "$vip" "$PORT"
		check_equal "$1 to $2: the path MTU to $vip" "$(found "$vip")" "mtu $mtu"
		check "$1 to $2: fragmented UDP with $vip" in_ns client /usr/bin/python3 "$WORK/ask.py" "$vip"
		check "$1 to $2: ping of $vip" in_ns client ping -c 2 -i 0.01 -W 2 "$vip"
		check "$1 to $2: ping of $vip, 1400 bytes" in_ns client ping -c 1 -s 1400 -W 2 "$vip"
	done
}

through ipip 10.77.0.11 fd77::11 1480 1460
through gue 10.77.0.11 fd77::11 1472 1452
through gue fd77::11 fd77::11 1452 1452
rig_done
