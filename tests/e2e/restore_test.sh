#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A reboot keeps the disk and loses the kernel's objects: restore brings the last applied image back,
# without the YAML. And exit of gpc changes nothing for traffic: each command below is long gone.
. "$(dirname "$0")/rig.bash"
rig_up 3

check_exit "restore with an empty history is refused" 1 gpc balancer restore
plane dsr 46 1 2 >"$WORK/plane.yaml"
check "apply" gpc balancer apply "$WORK/plane.yaml"
plane dsr 46 2 3 >"$WORK/plane.yaml"
check "apply the second generation" gpc balancer apply "$WORK/plane.yaml"
check "traffic" all_answer "$VIP4" 100 backend2 backend3
mv "$WORK/plane.yaml" "$WORK/lost.yaml"

reboot() { rm -rf "${BPFFS:?}/balancer"; }
gone() { ! ip -n "$RIG-balancer" link show wan0 | grep -q xdp; }
reboot
wait_for "the kernel to drop the program" gone
CLIENT_TIMEOUT=1 check_exit "no plane: connections fail" 1 share "$VIP4" 1
check "restore" gpc balancer restore
check "traffic is balanced as before" all_answer "$VIP4" 100 backend2 backend3
check "traffic is balanced as before, v6" all_answer "$VIP6" 100 backend2 backend3
check "verify" gpc balancer verify --exit-code
check "restore on a running plane" gpc balancer restore
check "traffic goes on" all_answer "$VIP4" 50 backend2 backend3

check "rollback" gpc balancer rollback
reboot
wait_for "the kernel to drop the program" gone
check "restore after a rollback" gpc balancer restore
check "it restores what the rollback applied" all_answer "$VIP4" 100 backend1 backend2

# The image is gone from the store: it is rebuilt from the sources in the history and must match.
reboot
wait_for "the kernel to drop the program" gone
rm -rf "$WORK/state/balancer/images"
check "restore rebuilds the image from the history" gpc balancer restore
check "with the same backends" all_answer "$VIP4" 100 backend1 backend2
rig_done
