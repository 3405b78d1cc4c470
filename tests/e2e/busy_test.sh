#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# New connections while planes are applied one after the other: not one of thousands fails. And a
# backend that gets another MAC address is found again by the program itself, no gpc involved.
. "$(dirname "$0")/rig.bash"
rig_up 3
plane dsr 46 1 2 3:2 >"$WORK/a.yaml"
plane dsr 46 3 2:5 1:3 >"$WORK/b.yaml"
check "apply" gpc balancer apply "$WORK/a.yaml"

share "$VIP4" 4000 >"$WORK/share4" 2>&1 &
four=$!
share "$VIP6" 4000 >"$WORK/share6" 2>&1 &
six=$!
applies=0 refused=0
while kill -0 "$four" 2>/dev/null || kill -0 "$six" 2>/dev/null; do
	which=$([ $((applies % 2)) -eq 0 ] && echo b || echo a)
	gpc balancer apply "$WORK/$which.yaml" >"$WORK/apply" 2>&1 || refused=$((refused + 1))
	applies=$((applies + 1))
done
echo "$applies applies under 8,000 new connections"
check "4,000 v4 connections, none failed" wait "$four"
check "4,000 v6 connections, none failed" wait "$six"
check_equal "no apply was refused" "$refused" 0
check "there were applies meanwhile" test "$applies" -ge 5

# The kernel answers a program's question for the next hop only where forwarding is on.
must in_ns balancer sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
plane dsr 4 2 >"$WORK/one.yaml"
check "apply with backend2 alone" gpc balancer apply "$WORK/one.yaml"
check "traffic" all_answer "$VIP4" 20 backend2
must ip -n "$RIG-backend2" link set eth0 address 02:00:00:00:99:02
must ip -n "$RIG-balancer" neigh replace 10.77.0.12 lladdr 02:00:00:00:99:02 dev wan0 nud reachable
again() { CLIENT_TIMEOUT=1 all_answer "$VIP4" 5 backend2; }
wait_for "traffic to the new MAC address, without gpc" again
passed "a moved backend is found again without gpc"
check "100 more" all_answer "$VIP4" 100 backend2
rig_done
