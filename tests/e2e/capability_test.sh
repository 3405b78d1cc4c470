#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON are all that gpc needs; each one missing is one clear message.
. "$(dirname "$0")/rig.bash"
rig_up 2
plane dsr 46 1 2 >"$WORK/plane.yaml"
user=65534
must mkdir -p -m 700 "$WORK/state/balancer" "$BPFFS/balancer"
must chown -R "$user" "$WORK/state/balancer" "$BPFFS"
must chmod 755 "$WORK" "$WORK/state" "$BPFFS"

with() { # CAPABILITIES ARGS...: gpc in the balancer as `nobody` with these capabilities
	local caps=$1
	shift
	GPC_STATE_DIR=$WORK/state/balancer GPC_BPFFS=$BPFFS/balancer NO_COLOR=1 in_ns balancer \
		setpriv --reuid "$user" --regid "$user" --clear-groups --inh-caps "-all${caps:+,$caps}" \
		--ambient-caps "-all${caps:+,$caps}" --bounding-set "-all${caps:+,$caps}" "$GPC" "$@"
}

check_exit "no capability at all: refused" 5 with "" apply "$WORK/plane.yaml"
check_exit "without CAP_PERFMON: refused" 5 with +bpf,+net_admin apply "$WORK/plane.yaml"
check_exit "without CAP_NET_ADMIN: refused" 5 with +bpf,+perfmon apply "$WORK/plane.yaml"
check_equal "a refused apply leaves no pin" "$(find "$BPFFS/balancer" -type f | wc -l)" 0
check "apply with the three" with +bpf,+net_admin,+perfmon apply "$WORK/plane.yaml"
check "traffic" all_answer "$VIP4" 100 backend1 backend2
plane dsr 46 1 >"$WORK/plane.yaml"
check "a second apply with the three" with +bpf,+net_admin,+perfmon apply "$WORK/plane.yaml"
check "traffic" all_answer "$VIP4" 50 backend1
check "status with the three" with +bpf,+net_admin,+perfmon status
check "verify with the three" with +bpf,+net_admin,+perfmon verify --exit-code
check_said "it says what it could not see" "to see it takes CAP_SYS_ADMIN"
check "rollback with the three" with +bpf,+net_admin,+perfmon rollback
check "traffic" all_answer "$VIP4" 100 backend1 backend2
check "compile needs none" with "" compile -f "$WORK/plane.yaml" -o "$WORK/state/balancer/plane.gpi"
check "detach with the three" with +bpf,+net_admin,+perfmon detach
rig_done
