# SPDX-License-Identifier: MIT
# Open connections that talk all the time (tests/tools/crowd.c), through all modes that have backends at once, v4
# and v6. A script sources it after rig.bash, and calls after rig_up N:
#
#   crowd_serve N              the servers on the backends 1 to N
#   crowd_plane ENDPOINT...    an intent on stdout: a listener per mode and family; ENDPOINT as in plane
#   crowd_decap FILE N         lets the backends 1 to N unwrap what the plane of FILE wraps
#   crowd_open N [PERIOD]      N connections over those listeners, rounds of questions PERIOD ms apart
#   crowd_close                ends them
#   crowd_round                0 if each of them got the right answer from its first backend in a new round
CROWD=$RIG_ROOT/build/tests/tools/crowd
CROWD_MODES="ipip gue dsr nat"

crowd_port() { case $1 in ipip) echo 8001 ;; gue) echo 8002 ;; dsr) echo 8003 ;; nat) echo 8004 ;; esac; }

crowd_serve() {
	local i
	for ((i = 1; i <= $1; i++)); do
		in_ns "$RIG_BACKEND$i" "$CROWD" serve "backend$i" "$WORK/crowd-$i" 8001 8002 8003 8004 \
			</dev/null >"$WORK/crowd-$i.log" 2>&1 &
		rig_pids+=($!)
		wait_for "the crowd's server $i" test -e "$WORK/crowd-$i"
	done
}

crowd_plane() {
	local endpoint n weight state mode family address more
	echo "apiVersion: gpc/v1"
	echo "kind: Plane"
	echo "metadata: {name: $RIG_NAME}"
	echo "interfaces:"
	echo "  - {name: wan0, hooks: [xdp]}"
	echo "  - {name: eth0, hooks: [xdp], role: decap}"
	echo "backends:"
	echo "  - name: web"
	echo "    endpoints:"
	for endpoint in "$@"; do
		IFS=: read -r n weight state <<<"$endpoint"
		echo "      - {name: backend$n, address: [10.77.0.$((10 + n)), \"fd77::$((10 + n))\"], weight: ${weight:-1}, state: ${state:-ready}}"
	done
	echo "listeners:"
	for mode in $CROWD_MODES; do
		for family in 4 6; do
			address=$VIP4
			[ "$family" = 4 ] || address=$VIP6
			more=
			[ "$mode" != nat ] || more=", snat: auto"
			echo "  - {name: $mode$family, address: \"$address\", protocol: TCP, port: $(crowd_port "$mode"), forward: $mode, backend: web$more}"
		done
	done
}

crowd_decap() {
	local i
	for ((i = 1; i <= $2; i++)); do must gpc "$RIG_BACKEND$i" apply "$1"; done
}

crowd_open() {
	local mode targets=() line=
	must in_ns balancer sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	for mode in $CROWD_MODES; do targets+=("$VIP4" "$(crowd_port "$mode")" "$VIP6" "$(crowd_port "$mode")"); done
	rm -f "$WORK/crowd.in" "$WORK/crowd.out"
	must mkfifo "$WORK/crowd.in" "$WORK/crowd.out"
	in_ns client "$CROWD" ask "$1" "${2:-200}" "${targets[@]}" <"$WORK/crowd.in" >"$WORK/crowd.out" 2>"$WORK/crowd.log" &
	rig_pids+=($!)
	exec {crowd_to}>"$WORK/crowd.in" {crowd_from}<"$WORK/crowd.out"
	crowd_count=$1
	read -r -t 60 line <&"$crowd_from"
	check_equal "$1 connections are open through $CROWD_MODES" "$line" "open $1"
}

crowd_close() { exec {crowd_to}>&- {crowd_from}<&-; }

# Leaves what the crowd said in crowd_line.
crowd_round() {
	crowd_line=
	echo round >&"$crowd_to"
	read -r -t 60 crowd_line <&"$crowd_from"
	echo "${crowd_line:-no answer in time}"
	case $crowd_line in *" same $crowd_count moved 0 broken 0") return 0 ;; esac
	tail -n 5 "$WORK/crowd.log"
	return 1
}
