#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What is not for a listener passes untouched; off and on; detach removes every trace.
. "$(dirname "$0")/rig.bash"
rig_up 2
serve balancer 8080
wait_for "the server on the balancer" test -e "$WORK/ready-balancer-8080"
client_py() { in_ns client /usr/bin/python3 "$RIG_ROOT/tests/e2e/client.py" "$@"; }

plane dsr 46 1 2 >"$WORK/plane.yaml"
check "apply" gpc balancer apply "$WORK/plane.yaml"

check "ping v4 to the balancer" in_ns client ping -c 3 -i 0.01 -W 2 10.77.0.1
check "ping v6 to the balancer" in_ns client ping -c 3 -i 0.01 -W 2 fd77::1
check "ping in three fragments" in_ns client ping -c 3 -i 0.01 -W 2 -s 4000 10.77.0.1
check "TCP to the balancer itself" client_py share 10.77.0.1 8080 50
check "TCP v6 to the balancer itself" client_py share fd77::1 8080 50
check "TCP past the balancer" client_py share 10.77.0.11 80 50
must ip -n "$RIG-client" neigh flush all
check "ARP is answered anew" in_ns client ping -c 1 -W 2 10.77.0.1
check "neighbour discovery is answered anew" in_ns client ping -c 1 -W 2 fd77::1

# A closed port of a VIP passes to the balancer's own stack: with the VIP on its lo, a server there.
must ip -n "$RIG-balancer" address add "$VIP4/32" dev lo
check "another port of the VIP reaches the balancer's stack" client_py share "$VIP4" 8080 20
check "and the listener's port the backends" all_answer "$VIP4" 100 backend1 backend2
must in_ns balancer sysctl -qw net.ipv4.conf.all.arp_ignore=1
check "ping to the VIP is answered by the stack" in_ns client ping -c 2 -i 0.01 -W 2 "$VIP4"

serve balancer 80
wait_for "the server on the balancer" test -e "$WORK/ready-balancer-80"
check "off" gpc balancer off
check "off: the stack sees the VIP" all_answer "$VIP4" 50 balancer
check "off: status" gpc balancer status
check_said "status says that it is off" off
check "off again is no error" gpc balancer off
check "on" gpc balancer on
check "on: balanced again" all_answer "$VIP4" 100 backend1 backend2

check "detach" gpc balancer detach
check_equal "no pin is left" "$(find "$BPFFS/balancer" -type f 2>/dev/null | wc -l)" 0
check_equal "no XDP program is left on wan0" "$(ip -n "$RIG-balancer" link show wan0 | grep -c xdp)" 0
check "detached: the stack sees the VIP" all_answer "$VIP4" 50 balancer
check "detach again is no error" gpc balancer detach
check "apply again" gpc balancer apply "$WORK/plane.yaml"
check "balanced again" all_answer "$VIP4" 100 backend1 backend2
rig_done
