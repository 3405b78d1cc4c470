#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Swaps under packets (swap_bench.c) in a namespace of its own. Without arguments the figures alone;
# --check for the tests: with the line of totals.
RIG_QUIET=1
. "$(dirname "$0")/../e2e/rig.bash"
PROGRAM=$RIG_ROOT/build/tests/bench/swap_bench
[ -x "$PROGRAM" ] || { echo "error: there is no $PROGRAM; run make bench-swap" >&2; exit 1; }
swaps=${SWAPS:-1000} packets=${PACKETS:-10000000}

rig_namespace balancer
must ip -n "$RIG-balancer" link add wan0 type veth peer name far0
must ip -n "$RIG-balancer" link set far0 up
must ip -n "$RIG-balancer" link set wan0 up
must ip -n "$RIG-balancer" address add 10.77.0.1/24 dev wan0
must ip -n "$RIG-balancer" address add fd77::1/64 dev wan0 nodad
must ip -n "$RIG-balancer" neigh add 10.77.0.11 lladdr 02:00:00:00:00:0a dev wan0 nud permanent
must ip -n "$RIG-balancer" neigh add 10.77.0.13 lladdr 02:00:00:00:00:0c dev wan0 nud permanent
must ip -n "$RIG-balancer" neigh add fd77::12 lladdr 02:00:00:00:00:0b dev wan0 nud permanent
must ip -n "$RIG-balancer" route add 10.1.0.0/16 via 10.77.0.11
must ip -n "$RIG-balancer" route add 10.3.0.0/16 via 10.77.0.13
must ip -n "$RIG-balancer" route add fd01::/64 via fd77::12

# Two planes with nothing in common but the listener's address, laid out differently, each filling the
# 4 MiB class: A wraps v4 in v4, B v4 in v6 and has more listeners before and after.
head='apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: swap}\ninterfaces: [{name: wan0, mode: native, hooks: [xdp]}]\n'
{
	printf "%b" "$head"
	printf 'backends:\n'
	printf '  - name: a-web\n    table-size: 1048573\n    endpoints:\n'
	for i in $(seq 1 200); do printf '      - {name: a-%d, address: 10.1.0.%d}\n' "$i" "$i"; done
	printf '  - {name: a-second, table-size: 524287, endpoints: [{name: s, address: 10.1.1.1}]}\n'
	printf '  - {name: a-third, table-size: 262139, endpoints: [{name: t, address: 10.1.1.2}]}\n'
	printf 'listeners:\n'
	printf '  - {name: http, address: 192.0.2.10, protocol: TCP, port: 80, forward: ipip, backend: a-web}\n'
	printf '  - {name: second, address: 192.0.2.11, protocol: TCP, port: 80, forward: ipip, backend: a-second}\n'
	printf '  - {name: third, address: 192.0.2.12, protocol: TCP, port: 80, forward: ipip, backend: a-third}\n'
} >"$WORK/a.yaml"
{
	printf "%b" "$head"
	printf 'backends:\n'
	printf '  - name: b-web\n    table-size: 524287\n    endpoints:\n'
	for i in $(seq 1 77); do printf '      - {name: b-%d, address: "fd01::%x"}\n' "$i" "$i"; done
	printf '  - {name: a-first, table-size: 1048573, endpoints: [{name: s, address: "fd01::1:1"}]}\n'
	printf '  - {name: c-third, table-size: 262139, endpoints: [{name: t, address: "fd01::1:2"}]}\n'
	printf 'listeners:\n'
	printf '  - {name: http, address: 192.0.2.10, protocol: TCP, port: 80, forward: ipip, backend: b-web}\n'
	for i in $(seq 20 59); do
		printf '  - {name: more-%d, address: 192.0.2.%d, protocol: TCP, port: 443, forward: ipip, backend: %s}\n' \
			"$i" "$i" "$([ $((i % 2)) = 0 ] && echo a-first || echo c-third)"
	done
} >"$WORK/b.yaml"
# C is A with other names and addresses.
sed -E 's/10\.1\./10.3./; s/name: a-([0-9]+)/name: c-\1/' "$WORK/a.yaml" >"$WORK/c.yaml"
for which in a b c; do must "$GPC" compile -f "$WORK/$which.yaml" -o "$WORK/$which.gpi"; done

if in_ns balancer "$PROGRAM" wan0 "$BPFFS/plane" "$WORK/a.gpi" "$WORK/b.gpi" "$WORK/c.gpi" "$swaps" "$packets" >"$WORK/figures"; then
	status=0
else
	status=1
fi
if [ "${1:-}" = --check ]; then cat "$WORK/figures"; else grep '^swap\.' "$WORK/figures"; fi
rig_finished=yes
exit $status
