#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Devices: patterns, one that vanishes and comes back, generic mode, foreign XDP programs.
. "$(dirname "$0")/rig.bash"
rig_up 2
xdp_on() { ip -n "$RIG-balancer" link show "$1" | grep -q "xdp"; }
mode_of() { ip -n "$RIG-balancer" link show "$1" | grep -oE 'xdp(generic|offload)?' | head -n 1; }

plane dsr 46 1 2 | sed 's/name: wan0/name: "wan*"/' >"$WORK/pattern.yaml"
check "apply with the pattern wan*" gpc balancer apply "$WORK/pattern.yaml"
check "wan0 is bound by the pattern" xdp_on wan0
check "traffic" all_answer "$VIP4" 100 backend1 backend2

must ip -n "$RIG-lan" link add p-second mtu 1500 type veth peer name wan1 netns "$RIG-balancer"
xdp_pass lan p-second
must ip -n "$RIG-lan" link set p-second up
must ip -n "$RIG-balancer" link set wan1 up
check "apply with a second device" gpc balancer apply "$WORK/pattern.yaml"
check "wan1 is bound too" xdp_on wan1
check "traffic goes on" all_answer "$VIP4" 100 backend1 backend2
must ip -n "$RIG-balancer" link del wan1
check "status with a dead link" gpc balancer status
check "apply after wan1 vanished" gpc balancer apply "$WORK/pattern.yaml"
check "traffic goes on" all_answer "$VIP4" 100 backend1 backend2
check "verify" gpc balancer verify --exit-code

must ip -n "$RIG-lan" link del p-balancer
connect balancer wan0 1
wait_for "the new wan0 to reach backend1" in_ns balancer ping -c 1 -W 1 10.77.0.11
wait_for "the new wan0 to reach backend2" in_ns balancer ping -c 1 -W 1 10.77.0.12
must ip -n "$RIG-client" neigh flush all
check_exit "a new wan0 is not bound by itself" 1 xdp_on wan0
check "apply after wan0 came back" gpc balancer apply "$WORK/pattern.yaml"
check "it is bound again" xdp_on wan0
check "traffic" all_answer "$VIP4" 100 backend1 backend2
check "detach" gpc balancer detach

MODE=generic plane dsr 46 1 2 >"$WORK/generic.yaml"
check "apply in generic mode" gpc balancer apply "$WORK/generic.yaml"
check_equal "the device is in generic mode" "$(mode_of wan0)" xdpgeneric
check "traffic in generic mode" all_answer "$VIP4" 100 backend1 backend2
check "detach" gpc balancer detach
MODE=any plane dsr 46 1 2 >"$WORK/any.yaml"
check "apply in mode any" gpc balancer apply "$WORK/any.yaml"
check_equal "any takes native where there is native" "$(mode_of wan0)" xdp
check "detach" gpc balancer detach

xdp_pass balancer wan0
before=$(ip -n "$RIG-balancer" link show wan0 | grep -oE 'prog/xdp id [0-9]+')
plane dsr 46 1 2 >"$WORK/plane.yaml"
check_exit "a foreign XDP program is refused" 5 gpc balancer apply "$WORK/plane.yaml"
check_said "the message names the device" wan0
check_said "the message names the program" "$(echo "$before" | grep -oE '[0-9]+$')"
check_equal "the foreign program is left alone" \
	"$(ip -n "$RIG-balancer" link show wan0 | grep -oE 'prog/xdp id [0-9]+')" "$before"
check_equal "nothing of gpc is left behind" "$(find "$BPFFS/balancer" -type f 2>/dev/null | wc -l)" 0
must ip -n "$RIG-balancer" link set wan0 xdp off
check "without it the apply works" gpc balancer apply "$WORK/plane.yaml"
check "traffic" all_answer "$VIP4" 100 backend1 backend2
rig_done
