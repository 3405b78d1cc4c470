#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `syn-cookies` with real clients while SYN packets of 50,000 sources come in, through `nat` and to the local stack:
# on the wire's network, and behind a NAT of Linux's that lets nothing through that it does not know.
. "$(dirname "$0")/rig.bash"
rig_up 1
NAT4=192.0.2.20 NAT6=2001:db8:ff::20

# The local stack's server, beside the balancer's addresses.
for address in "$VIP4/32" "$VIP6/128"; do must ip -n "$RIG-balancer" address add "$address" dev lo; done
serve balancer "$PORT"
wait_for "the server on the balancer" test -e "$WORK/ready-balancer-$PORT"

# home: a client behind a client that routes and translates.
rig_namespace home
must ip -n "$RIG-client" link add home0 type veth peer name eth0 netns "$RIG-home"
must ip -n "$RIG-client" address add 10.79.0.1/24 dev home0
must ip -n "$RIG-client" address add fd79::1/64 dev home0 nodad
must ip -n "$RIG-client" link set home0 up
must ip -n "$RIG-home" address add 10.79.0.2/24 dev eth0
must ip -n "$RIG-home" address add fd79::2/64 dev eth0 nodad
must ip -n "$RIG-home" link set eth0 up
must ip -n "$RIG-home" route add default via 10.79.0.1
must ip -n "$RIG-home" route add default via fd79::1
must in_ns client sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
must in_ns balancer sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
for address in "$NAT4/32 via 10.77.0.1" "$NAT6/128 via fd77::1"; do
	# shellcheck disable=SC2086 # words of a route
	must ip -n "$RIG-client" route add $address mtu 1400
done
cat >"$WORK/home.nft" <<'NFT'
table inet home {
	chain out { type nat hook postrouting priority 100; oifname "eth0" masquerade; }
	chain through { type filter hook forward priority 0; ct state invalid counter drop; }
}
NFT
must in_ns client nft -f "$WORK/home.nft"

cat >"$WORK/plane.yaml" <<YAML
apiVersion: gpc/v1
kind: Plane
metadata: {name: cookies}
defaults: {flows: 65536, flow-inserts: 10/s, pickup: never}
interfaces:
  - {name: wan0, hooks: [xdp, tc-egress]}
backends:
  - {name: web, endpoints: [{name: backend1, address: [10.77.0.11, "fd77::11"]}]}
rules:
  - {name: http, action: allow, to: {listeners: "*"}}
policies:
  - {name: edge, interfaces: [wan0], direction: ingress, rules: [http]}
listeners:
  - {name: nat, address: [$NAT4, "$NAT6"], protocol: TCP, port: $PORT, forward: nat, snat: auto, backend: web, syn-cookies: true}
  - {name: local, address: [$VIP4, "$VIP6"], protocol: TCP, port: $PORT, forward: pass, syn-cookies: true}
YAML
check "apply" gpc balancer apply --enforce "$WORK/plane.yaml"

# counted REASON: packets that ended so.
counted() {
	gpc balancer stats --json | /usr/bin/python3 -c '
import json, sys
print(sum(o["packets"] for o in map(json.loads, sys.stdin) if o.get("reason") == sys.argv[1]))' "$1"
}
# more_than REASON N
more_than() { [ "$(counted "$1")" -gt "$2" ]; }
# entries: of the flow tables.
entries() {
	gpc balancer stats --flows --json | /usr/bin/python3 -c '
import json, sys
print(sum(o["entries"] for o in map(json.loads, sys.stdin) if o["type"] == "flows"))'
}

# asked_in_a_flood NODE WHO VIP: more connections than the budget of a CPU lets in are made while SYN packets are answered with cookies, which goes on
# until then, for 50,000 packets at most.
asked_in_a_flood() {
	local node=$1 who=$2 vip=$3 sent before
	sent=$(counted syn-cookie) before=$(counted good-cookie)
	in_ns client /usr/bin/python3 "$RIG_ROOT/tests/e2e/syn_flood.py" eth0 "$mac" "$vip" "$PORT" 50000 "$WORK/enough" \
		</dev/null >"$WORK/flood.log" 2>&1 &
	rig_pids+=($!)
	wait_for "cookies for $vip" more_than syn-cookie $((sent + 100))
	check "$node to $vip in a flood" in_ns "$node" /usr/bin/python3 "$RIG_ROOT/tests/e2e/client.py" share "$vip" "$PORT" 15
	check_said "it is answered by $who" "$who 15"
	touch "$WORK/enough"
	wait "${rig_pids[-1]}"
	rm "$WORK/enough"
	check "cookies came back from $node to $vip" more_than good-cookie "$before"
}

mac=$(ip -n "$RIG-balancer" -o link show wan0 | grep -oP 'link/ether \K\S+')
asked_in_a_flood client balancer "$VIP4"
asked_in_a_flood client balancer "$VIP6"
asked_in_a_flood client backend1 "$NAT4"
asked_in_a_flood client backend1 "$NAT6"
asked_in_a_flood home balancer "$VIP4"
asked_in_a_flood home balancer "$VIP6"
asked_in_a_flood home backend1 "$NAT4"
asked_in_a_flood home backend1 "$NAT6"
check_equal "no cookie was bad" "$(counted bad-cookie)" 0
check_equal "the NAT let all of it through" "$(in_ns client nft list chain inet home through | grep -o 'packets [0-9]*')" "packets 0"
check "who did not answer has no entry" test "$(entries)" -lt $(($(counted syn-cookie) / 100))
rig_done
