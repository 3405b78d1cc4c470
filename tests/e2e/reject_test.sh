#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Rejected packets are answered, wherever they come from: by XDP and by TC, at ingress and at egress, to
# this host's own sockets and through it; and no hook of the plane stops the answers.
. "$(dirname "$0")/rig.bash"
rig_up 0

# A host behind the balancer: its checksums are left to be filled in, the balancer's device fills them in.
rig_namespace inside
must ip -n "$RIG-balancer" link add lan0 type veth peer name eth0 netns "$RIG-inside"
must in_ns balancer ethtool -K lan0 tx off
must ip -n "$RIG-balancer" address add 10.78.0.1/24 dev lan0
must ip -n "$RIG-balancer" address add fd78::1/64 dev lan0 nodad
must ip -n "$RIG-balancer" link set lan0 up
must ip -n "$RIG-inside" address add 10.78.0.2/24 dev eth0
must ip -n "$RIG-inside" address add fd78::2/64 dev eth0 nodad
must ip -n "$RIG-inside" link set eth0 up
must ip -n "$RIG-inside" route add default via 10.78.0.1
must ip -n "$RIG-inside" route add default via fd78::1
must ip -n "$RIG-client" route add 10.78.0.0/24 via 10.77.0.1
must ip -n "$RIG-client" route add fd78::/64 via fd77::1
must in_ns balancer sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1

# try NODE tcp|udp ADDRESS PORT: `refused`, `open` (TCP), or `silent` after 3 s.
try() {
	in_ns "$1" /usr/bin/python3 - "${@:2}" <<'END'
import socket, sys
kind, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
family = socket.AF_INET6 if ":" in address else socket.AF_INET
s = socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
s.settimeout(3)
try:
    s.connect((address, port))
    if kind == "tcp":
        print("open")
    else:
        s.send(b"x" * 200)
        s.recv(1)
except ConnectionRefusedError:
    print("refused")
except TimeoutError:
    print("silent")
END
}
refused() { [ "$(try "$@")" = refused ]; }
silent() { [ "$(try "$@")" = silent ]; }
is_open() { [ "$(try "$@")" = open ]; }

wait_for "the client to reach the inside" in_ns client ping -c 1 -W 1 10.78.0.2
wait_for "the same in version 6" in_ns client ping -c 1 -W 1 fd78::2
for port in 2323 2424 2525; do
	serve client "$port"
	serve inside "$port"
done
serve balancer 2323
for at in balancer-2323 client-2424 inside-2525; do wait_for "a server at $at" test -e "$WORK/ready-$at"; done
check "before the plane: the balancer's server" is_open client tcp 10.77.0.1 2323
check "before the plane: the client's server" is_open inside tcp 10.77.0.100 2424
check "before the plane: the inside's server" is_open client tcp fd78::2 2525

cat >"$WORK/plane.yaml" <<'END'
apiVersion: gpc/v1
kind: Plane
metadata: {name: rejecting}
defaults: {on-fail: pass}
interfaces:
  - {name: wan0, mode: native, hooks: [xdp, tc-egress]}
  - {name: lan0, hooks: [tc-ingress, tc-egress]}
rules:
  - {name: no-2323, ports: [tcp/2323, udp/2323], action: reject}
  - {name: no-2424, ports: [tcp/2424, udp/2424], action: reject}
  - {name: no-2525, ports: [tcp/2525, udp/2525], action: reject}
  - {name: to-2424, ports: [tcp/2424, udp/2424], action: allow}
  - {name: from-wan, from: [10.77.0.0/24, "fd77::/64"], action: allow}
policies:
  - {name: wan-in, interfaces: [wan0], direction: ingress, default: allow, rules: [no-2323]}
  - {name: wan-out, interfaces: [wan0], direction: egress, default: allow, rules: [no-2424]}
  - {name: lan-in, interfaces: [lan0], direction: ingress, stateful: false, default: deny, rules: [no-2323, to-2424]}
  - {name: lan-out, interfaces: [lan0], direction: egress, stateful: false, default: deny, rules: [no-2525, from-wan]}
END
check "apply" gpc balancer apply --enforce "$WORK/plane.yaml"

for kind in tcp udp; do
	check "$kind at ingress by XDP" refused client "$kind" 10.77.0.1 2323
	check "$kind at ingress by XDP, v6" refused client "$kind" fd77::1 2323
	check "$kind at ingress by TC, past the egress policy" refused inside "$kind" 192.0.2.99 2323
	check "$kind at ingress by TC, v6" refused inside "$kind" 2001:db8::99 2323
	check "$kind at egress, of this host" refused balancer "$kind" 10.77.0.100 2424
	check "$kind at egress, of this host, v6" refused balancer "$kind" fd77::100 2424
	check "$kind at egress, of a host behind" refused inside "$kind" 10.77.0.100 2424
	check "$kind at egress, of a host behind, v6" refused inside "$kind" fd77::100 2424
	check "$kind at egress, past the ingress policy" refused client "$kind" 10.78.0.2 2525
	check "$kind at egress, past the ingress policy, v6" refused client "$kind" fd78::2 2525
	check "$kind that is denied is not answered" silent inside "$kind" 192.0.2.99 99
done
check "status" gpc balancer status -v
check_said "it counts what was answered" answered
check "detach" gpc balancer detach
check "open again" is_open client tcp 10.77.0.1 2323
rig_done
