#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What the way has to say, in every forwarding mode: path MTU found by both ends, of links on either side of the
# balancer; ICMP errors of routers reach the end whose packet they are about, and what the policy does not allow
# stays out; MSS clamping; pings; backends on which nobody listens.
. "$(dirname "$0")/modes.bash"
MODES_POLICY=yes
modes_up 3

# Nobody on a link of 1300 bytes knows of it but its router.
for address in 10.79.0.2/32 10.79.0.3/32; do must ip -n "$RIG-router" route add "$address" dev far0 mtu lock 1300; done
for address in fd79::2/128 fd79::3/128; do must ip -n "$RIG-router" -6 route add "$address" dev far0 mtu lock 1300; done

# forget: of what was found, nothing is known any more. (IPv6: of the main table.)
forget() {
	local node i
	for i in 1 2 3; do must ip -n "$RIG-backend$i" -6 route replace default via fd77::254 table 100; done
	for node in far router balancer backend1 backend2 backend3 ${DEEP:-}; do
		must ip -n "$RIG-$node" route flush cache
		must ip -n "$RIG-$node" -6 route flush cache
	done
}

# mode WHAT PORT VIP UP: the path MTU from the client is UP, to it always 1300.
mode() {
	local what=$1 port=$2 vip=$3 up=$4 head=28
	[ "$vip" = "${vip#*:}" ] || head=48
	forget
	rows "$what" <<<"tcp $vip $port $up 1300"
	forget
	rows "$what" < <(
		echo "too-big $vip $port 1400 1300"
		[ "$up" = 1500 ] || echo "probe $vip $port $((1500 - head)) $up"
		echo "expired $vip $port 1"
		case $what in nat*) echo "expired $vip $port 2" ;; esac
	)
}

sed 's/port: 8041, forward: pass/&, ping: pass/' <(modes_plane 3) | modes_apply 3
while read -r port vip up what; do mode "$what" "$port" "$vip" "$up"; done <<EOT
8001 $VIP4 1480 ipip, v4 in v4
8001 $VIP6 1460 ipip, v6 in v6
8002 $VIP4 1460 ipip, v4 in v6
8011 $VIP4 1472 gue, v4 in v4
8011 $VIP6 1452 gue, v6 in v6
8012 $VIP4 1452 gue, v4 in v6
8021 $VIP4 1500 dsr, v4
8021 $VIP6 1500 dsr, v6
8022 $VIP4 1500 dsr, v4 by v6 neighbours
8031 $VIP4 1500 nat, v4
8031 $VIP6 1500 nat, v6
8032 $VIP4 1500 nat with snat, v4
8032 $VIP6 1500 nat with snat, v6
8041 $PASS4 1500 pass, v4
8041 $PASS6 1500 pass, v6
EOT

# Echo requests: answered by gpc, by the stack, by nobody.
pings() { gpc balancer stats --json | grep -F '"reason":"ping"' | grep -oE '"packets":[0-9]+'; }
ping_of() { in_ns far ping -c 1 -W "${2:-5}" "$1"; }
for vip in "$VIP4" "$VIP6" "$PASS4" "$PASS6"; do check "ping of $vip" ping_of "$vip"; done
check_exit "and of the balancer, which the policy denies" 1 ping_of 10.77.0.1 1
check_equal "gpc has answered two of them" "$(pings)" '"packets":2'

# A backend behind lan0, whose link has 1400 bytes, and a router with a link of 1300.
rig_namespace hop
rig_namespace deep
DEEP="hop deep"
must ip -n "$RIG-balancer" link add lan0 mtu 1400 type veth peer name eth0 netns "$RIG-hop"
must ip -n "$RIG-hop" link set eth0 mtu 1400
must ip -n "$RIG-hop" link add d0 type veth peer name eth0 netns "$RIG-deep"
xdp_pass hop eth0
must in_ns hop ethtool -K eth0 tx off
while read -r node device host; do
	must ip -n "$RIG-$node" address add "10.$host/24" dev "$device"
	must ip -n "$RIG-$node" address add "fd${host%%.*}::${host##*.}/64" dev "$device" nodad
	must ip -n "$RIG-$node" link set "$device" up
done <<EOT
balancer lan0 78.0.1
hop eth0 78.0.2
hop d0 80.0.1
deep eth0 80.0.2
EOT
must in_ns hop sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.icmp_ratelimit=0 \
	net.ipv6.icmp.ratelimit=0
must ip -n "$RIG-balancer" route add 10.80.0.0/24 via 10.78.0.2
must ip -n "$RIG-balancer" -6 route add fd80::/64 via fd78::2
must ip -n "$RIG-hop" route add default via 10.78.0.1
must ip -n "$RIG-hop" -6 route add default via fd78::1
must ip -n "$RIG-deep" route add default via 10.80.0.1
must ip -n "$RIG-deep" -6 route add default via fd80::1
must ip -n "$RIG-hop" route add 10.80.0.2/32 dev d0 mtu lock 1300
must ip -n "$RIG-hop" -6 route add fd80::2/128 dev d0 mtu lock 1300
serve deep 0
wait_for "the server behind" test -e "$WORK/ready-deep-0"
for vip in 10.80.0.2 fd80::2; do wait_for "$vip" in_ns balancer ping -c 1 -W 1 "$vip"; done

# behind HOOKS: translated packets, and what routers say of them, by XDP and by TC.
behind() {
	local vip mss port
	modes_plane 1 "lan0:$1" | sed 's/10\.77\.0\.11, "fd77::11"/10.80.0.2, "fd80::2"/; s/"fd77::11"/"fd80::2"/' >"$WORK/plane.yaml"
	must gpc balancer apply "$WORK/plane.yaml"
	for port in 8031 8032; do
		for vip in "$VIP4" "$VIP6"; do
			forget
			mss=1448
			[ "$vip" = "$VIP4" ] || mss=1428
			rows "nat behind, replies by $1" <<-EOT
				mss $vip $port $mss $mss
				mss $vip $((port + 2)) $((mss - 100)) $((mss - 100))
				tcp $vip $port 1300 1300
				large $vip $port 4000
				traced $vip $port 2 $vip
				traced $vip $port 3 $vip
				expired $vip $port 2
				expired $vip $port 3
				too-big $vip $port 1350 1300
			EOT
		done
	done
}

# stop NODE: its server is gone, its kernel says so.
stop() {
	local pid
	for pid in $(ip netns pids "$RIG-$1"); do
		if grep -qzF modes_peer.py "/proc/$pid/cmdline"; then must kill -9 "$pid"; fi
	done
	wait_for "the end of the server of $1" is_stopped "$1"
}
is_stopped() { [ -z "$(in_ns "$1" ss -Hltn)" ]; }

behind xdp
must in_ns hop ethtool -K eth0 tx on
behind tc-ingress
stop deep
rows "nobody listens behind" < <(for port in 8031 8032; do printf 'refused %s %s\n' "$VIP4" $port "$VIP6" $port; done)
modes_plane 3 >"$WORK/plane.yaml"
must gpc balancer apply "$WORK/plane.yaml"
for node in backend1 backend2 backend3 balancer; do stop "$node"; done
rows "nobody listens" < <(
	for port in 8001 8011 8021 8031 8032; do printf 'refused %s %s\n' "$VIP4" $port "$VIP6" $port; done
	printf 'refused %s %s\n' "$VIP4" 8002 "$VIP4" 8012 "$VIP4" 8022 "$PASS4" 8041 "$PASS6" 8041
)
rig_done
