# SPDX-License-Identifier: MIT
# The rig of the tests of forwarding modes: that of rig.bash, and a client that is far away, behind a router. A
# script sources it, calls modes_up N, applies a plane of modes_plane (modes_apply), and gives rows to `rows`.
#
#   far 10.79.0.2 (10.79.0.3)                router                                 balancer, backendN
#       fd79::2   (fd79::3)   --- 10.79.0.1 fd79::1 | 10.77.0.254 fd77::254 ------  as in rig.bash
#
# Backends answer from the VIPs by the router, from their own addresses by the balancer. The balancer has the
# VIPs of `forward: pass` itself. Every mode has a port of its own, so that one plane has them all:
#
#   8001 ipip    8011 gue    8021 dsr    v4 VIP to v4 endpoints, v6 VIP to v6 endpoints
#   8002 ipip    8012 gue    8022 dsr    v4 VIP to endpoints that have v6 addresses only
#   8031 nat     8032 nat with snat      8033, 8034: the same with mss-clamp (TCP)
#   8041 pass, at the VIPs $PASS4 and $PASS6
#
# and 100 more for QUIC.
. "$(dirname "${BASH_SOURCE[0]}")/rig.bash"
PASS4=192.0.2.20
PASS6=2001:db8:ff::20
MODES_PORTS="8001 8002 8011 8012 8021 8022 8031 8032 8033 8034 8041"
MODES_PEER=$RIG_ROOT/tests/e2e/modes_peer.py

serve() { # instead of rig.bash's: NODE PORT
	local id
	printf -v id '%02x' "${1//[!0-9]/}"
	# shellcheck disable=SC2086
	in_ns "$1" "$MODES_PEER" serve "$1" "$id$id" "$WORK/ready-$1-$2" $MODES_PORTS </dev/null >"$WORK/server-$1.log" 2>&1 &
	rig_pids+=($!)
}

modes_backend() {
	local node=$RIG-backend$1
	must ip -n "$node" route add default via 10.77.0.1
	must ip -n "$node" -6 route add default via fd77::1
	must ip -n "$node" rule add from "$VIP4" lookup 100
	must ip -n "$node" -6 rule add from "$VIP6" lookup 100
	must ip -n "$node" route add default via 10.77.0.254 table 100
	must ip -n "$node" -6 route add default via fd77::254 table 100
}

modes_up() {
	local vip i
	rig_up "$1"
	rig_namespace router
	rig_namespace far
	connect router eth0 254
	must ip -n "$RIG-router" link add far0 mtu 1500 type veth peer name eth0 netns "$RIG-far"
	for i in "router far0 1" "far eth0 2" "far eth0 3"; do
		# shellcheck disable=SC2086
		set -- $i
		must ip -n "$RIG-$1" address add "10.79.0.$3/24" dev "$2"
		must ip -n "$RIG-$1" address add "fd79::$3/64" dev "$2" nodad
		must ip -n "$RIG-$1" link set "$2" up
	done
	must in_ns router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
		net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
	must in_ns balancer sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	must ip -n "$RIG-far" route add default via 10.79.0.1 src 10.79.0.2
	must ip -n "$RIG-far" -6 route add default via fd79::1 src fd79::2
	for vip in "$VIP4" "$PASS4"; do must ip -n "$RIG-router" route add "$vip" via 10.77.0.1; done
	for vip in "$VIP6" "$PASS6"; do must ip -n "$RIG-router" -6 route add "$vip" via fd77::1; done
	must ip -n "$RIG-balancer" route add default via 10.77.0.254
	must ip -n "$RIG-balancer" -6 route add default via fd77::254
	for vip in "$PASS4/32" "$PASS6/128"; do must ip -n "$RIG-balancer" address add "$vip" dev lo; done
	for i in $(printf '%s\n' "${rig_nodes[@]}" | sed -n 's/^backend//p'); do modes_backend "$i"; done
	serve balancer pass
	wait_for "the balancer's server" test -e "$WORK/ready-balancer-pass"
	for vip in 10.77.0.254 fd77::254; do wait_for "$vip" in_ns balancer ping -c 1 -W 1 "$vip"; done
}

# modes_listeners NAME FORWARD BACKEND PORT KEYS VIP...: of TCP, UDP and QUIC at each VIP.
modes_listeners() {
	local name=$1 forward=$2 backend=$3 port=$4 more=$5 vip
	shift 5
	[ -z "$backend" ] || backend=", backend: $backend"
	for vip in "$@"; do
		case $vip in *:*) vip="\"$vip\"" ;; esac
		echo "  - {name: $name-tcp-${#vip}, address: $vip, protocol: TCP, port: $port, forward: $forward$backend, interfaces: [wan0]$more}"
		case $name in *clamp*) continue ;; esac
		echo "  - {name: $name-udp-${#vip}, address: $vip, protocol: UDP, port: $port, forward: $forward$backend, interfaces: [wan0]$more}"
		[ "$forward" = pass ] || echo "  - {name: $name-quic-${#vip}, address: $vip, protocol: UDP, port: $((port + 100)), forward: $forward$backend, affinity: quic-cid, interfaces: [wan0]$more}"
	done
}

# modes_plane N [DEVICE:HOOKS...]: all modes over N backends; the devices are behind the balancer. With MODES_POLICY
# set, nothing but packets and pings to the listeners may come in by wan0.
modes_plane() {
	local n=$1 i device hooks=xdp
	shift
	[ -z "${MODES_POLICY:-}" ] || hooks="xdp, tc-egress"
	cat <<-YAML
		apiVersion: gpc/v1
		kind: Plane
		metadata: {name: $RIG_NAME}
		interfaces:
		  - {name: wan0, mode: native, hooks: [$hooks]}
		  - {name: eth0, mode: native, hooks: [xdp], role: decap}
	YAML
	for device in "$@"; do echo "  - {name: ${device%%:*}, mode: native, hooks: [${device#*:}]}"; done
	[ -z "${MODES_POLICY:-}" ] || cat <<-YAML
		rules:
		  - {name: to-vips, action: allow, to: {listeners: "*"}}
		  - {name: pings, action: allow, to: {listeners: "*"}, ports: [icmp/echo-request, icmp6/echo-request]}
		policies:
		  - {name: edge, interfaces: [wan0], direction: ingress, rules: [to-vips, pings]}
	YAML
	echo "backends:"
	echo "  - name: both"
	echo "    endpoints:"
	for ((i = 1; i <= n; i++)); do
		echo "      - {name: backend$i, address: [10.77.0.$((10 + i)), \"fd77::$((10 + i))\"], quic-id: 0${i}0$i}"
	done
	echo "  - name: six"
	echo "    endpoints:"
	for ((i = 1; i <= n; i++)); do
		echo "      - {name: backend$i, address: \"fd77::$((10 + i))\", quic-id: 0${i}0$i}"
	done
	echo "listeners:"
	for device in ipip:800 gue:801 dsr:802; do
		modes_listeners "${device%:*}" "${device%:*}" both "${device#*:}1" "" "$VIP4" "$VIP6"
		modes_listeners "${device%:*}-six" "${device%:*}" six "${device#*:}2" "" "$VIP4"
	done
	modes_listeners nat nat both 8031 "" "$VIP4" "$VIP6"
	modes_listeners snat nat both 8032 ", snat: auto" "$VIP4" "$VIP6"
	modes_listeners clamp nat both 8033 ", mss-clamp: true" "$VIP4" "$VIP6"
	modes_listeners snat-clamp nat both 8034 ", snat: auto, mss-clamp: true" "$VIP4" "$VIP6"
	modes_listeners pass pass "" 8041 "" "$PASS4" "$PASS6"
}

# modes_apply N: the plane on stdin, on the balancer and, for decap, on N backends.
modes_apply() {
	local i
	cat >"$WORK/plane.yaml"
	must gpc balancer apply --enforce "$WORK/plane.yaml"
	for ((i = 1; i <= $1; i++)); do must gpc "backend$i" apply "$WORK/plane.yaml"; done
}

# rows WHAT: one check for each row on stdin, of the client far away. It is one process, from the first row on.
rows() {
	local row line
	if [ -z "${rows_to:-}" ]; then
		must mkfifo "$WORK/rows.in" "$WORK/rows.out"
		MODES_MORE="10.79.0.3 fd79::3" in_ns far "$MODES_PEER" client <"$WORK/rows.in" >"$WORK/rows.out" 2>"$WORK/rows.log" &
		rig_pids+=($!)
		exec {rows_to}>"$WORK/rows.in" {rows_from}<"$WORK/rows.out"
	fi
	while IFS= read -r row; do
		echo "$row" >&"$rows_to"
		line="FAILED $row: no answer in 60 s"
		read -r -t 60 line <&"$rows_from"
		cp "$WORK/rows.log" "$WORK/out"
		case $line in
		ok\ *) passed "$1: ${line#ok }" ;;
		*) failed "$1: ${line#FAILED }" ;;
		esac
	done
}
