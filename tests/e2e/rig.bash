# SPDX-License-Identifier: MIT
# The rig of the end-to-end tests and the demo: network namespaces with a client, a balancer and
# backends on one Ethernet, gpc with its own state folder and bpffs folder, servers, checks, and a
# cleanup that runs on every exit. A script sources it, calls rig_up, and then:
#
#   check WHAT CMD...          one test: passes if CMD exits 0; its output is shown if not
#   check_exit WHAT N CMD...   passes if CMD exits N
#   check_said WHAT TEXT       passes if the last check's output holds TEXT
#   must CMD...                a step of the rig itself: the script ends if it fails
#   in_ns NODE CMD...          runs CMD in the namespace of NODE
#   gpc NODE ARGS...           runs gpc there, with NODE's own state and bpffs folders
#   wait_for WHAT CMD...       until CMD exits 0, at most RIG_PATIENCE (10) seconds
#   plane FORWARD FAMILIES ENDPOINT...       an intent on stdout (see there)
#
# All names come from the script's name and its pid, so any number of them may run at once.
#
#        client 10.77.0.100        balancer 10.77.0.1 (wan0)      backendN 10.77.0.(10+N) (eth0)
#               fd77::100                   fd77::1                        fd77::(10+N)
#           '-------------------- bridge in the namespace `lan` ---------------------'
#
# The client reaches the VIPs 192.0.2.10 and 2001:db8:ff::10 by way of the balancer; the backends
# have them on lo and answer the client directly. The client's way to the VIPs has an MTU of 1400: room
# for outer headers.
set -uo pipefail

RIG_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
RIG_NAME=$(basename "$0" .sh)
RIG_NAME=${RIG_NAME%_test}
RIG=gpc-$RIG_NAME-$$
WORK=$(mktemp -d)
BPFFS=/sys/fs/bpf/gpc-e2e-$RIG_NAME-$$
GPC=${GPC:-$RIG_ROOT/build/gpc}
VIP4=192.0.2.10
VIP6=2001:db8:ff::10
PORT=80
RIG_BACKEND=${RIG_BACKEND:-backend}

rig_passed=0 rig_failed=0 rig_finished=no
rig_nodes=() rig_pids=()

# ---- checks --------------------------------------------------------------------------------------

passed() { rig_passed=$((rig_passed + 1)); echo "ok      $1"; }
failed() {
	rig_failed=$((rig_failed + 1))
	echo "FAILED  $1${2:+: $2}"
	[ ! -s "$WORK/out" ] || sed 's/^/        | /' "$WORK/out" | tail -n 40
}
check() {
	local what=$1
	shift
	if "$@" >"$WORK/out" 2>&1; then passed "$what"; else failed "$what" "exit $?"; fi
}
check_exit() {
	local what=$1 want=$2 status=0
	shift 2
	"$@" >"$WORK/out" 2>&1 || status=$?
	if [ "$status" -eq "$want" ]; then passed "$what"; else failed "$what" "exit $status, expected $want"; fi
}
check_said() {
	if grep -qF -- "$2" "$WORK/out"; then passed "$1"; else failed "$1" "the output does not say '$2'"; fi
}
check_equal() { # WHAT GOT WANTED
	: >"$WORK/out"
	if [ "$2" = "$3" ]; then passed "$1"; else failed "$1" "got '$2', expected '$3'"; fi
}
must() {
	"$@" >"$WORK/out" 2>&1 && return
	failed "rig: $*" "exit $?"
	exit 1
}
wait_for() {
	local what=$1 i patience=${RIG_PATIENCE:-10}
	shift
	for ((i = 0; i < 50 * patience; i++)); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.02
	done
	: >"$WORK/out"
	failed "rig: waited $patience s in vain for $what"
	exit 1
}
rig_done() { rig_finished=yes; exit $((rig_failed != 0)); }

rig_down() {
	local status=$? node pid
	trap - EXIT INT TERM HUP
	[ "$rig_finished" = yes ] || rig_failed=$((rig_failed + 1))
	for pid in "${rig_pids[@]}"; do kill "$pid" 2>/dev/null; done
	for node in "${rig_nodes[@]}"; do
		for pid in $(ip netns pids "$RIG-$node" 2>/dev/null); do kill -9 "$pid" 2>/dev/null; done
	done
	for pid in "${rig_pids[@]}"; do wait "$pid" 2>/dev/null; done
	rm -rf "$BPFFS"
	for node in "${rig_nodes[@]}"; do ip netns del "$RIG-$node" 2>/dev/null; done
	command -v rig_cleanup >/dev/null && rig_cleanup
	rm -rf "$WORK"
	if [ "${RIG_QUIET:-}" != 1 ]; then
		[ "$rig_finished" = yes ] || echo "FAILED  the script ended before its last line (exit $status)"
		echo "e2e/$RIG_NAME: $rig_passed passed, $rig_failed failed"
	fi
	exit $((rig_failed != 0 || status != 0))
}
trap rig_down EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# ---- namespaces ----------------------------------------------------------------------------------

[ -t 1 ] || export NO_COLOR=1

# nsenter and not `ip netns exec`: that one mounts a fresh /sys, and with it an empty bpffs.
in_ns() { local node=$1; shift; nsenter --net="/run/netns/$RIG-$node" "$@"; }

rig_namespace() {
	must ip netns add "$RIG-$1"
	rig_nodes+=("$1")
	must in_ns "$1" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
		net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
	must ip -n "$RIG-$1" link set lo up
}

# xdp_pass NODE DEVICE: the program of pass.bpf.c on the device. (By its pin: given an object, ip would
# leave folders of its own on bpffs.)
xdp_pass() {
	[ -e "$BPFFS/pass" ] || must bpftool prog load "$RIG_ROOT/build/tests/e2e/pass.bpf.o" "$BPFFS/pass"
	must in_ns "$1" ip link set "$2" xdp pinned "$BPFFS/pass"
}

# connect NODE DEVICE HOST: plugs NODE into the bridge. HOST is the last part of its addresses. The
# bridge's end carries an XDP program, without which a native XDP_TX of the node would vanish; with
# checksum offload on, packets turned round by XDP would leave with half a checksum.
connect() {
	local node=$1 device=$2 host=$3 port=p-$1
	must ip -n "$RIG-lan" link add "$port" mtu 1500 type veth peer name "$device" netns "$RIG-$node"
	xdp_pass lan "$port"
	must ip -n "$RIG-lan" link set "$port" master br0 up
	must in_ns "$node" ethtool -K "$device" tx off
	must ip -n "$RIG-$node" address add "10.77.0.$host/24" dev "$device"
	must ip -n "$RIG-$node" address add "fd77::$host/64" dev "$device" nodad
	must ip -n "$RIG-$node" link set "$device" up
}

rig_backend() {
	local name=$RIG_BACKEND$1 address
	rig_namespace "$name"
	connect "$name" eth0 $((10 + $1))
	must in_ns "$name" sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
	for address in "$VIP4/32" "$VIP6/128"; do must ip -n "$RIG-$name" address add "$address" dev lo; done
	serve "$name" "$PORT"
}

# serve NODE PORT: the test's HTTP server; it answers NODE.
serve() {
	in_ns "$1" /usr/bin/python3 "$RIG_ROOT/tests/e2e/server.py" "$1" "$2" "$WORK/ready-$1-$2" "$WORK/release" \
		</dev/null >"$WORK/server-$1.log" 2>&1 &
	rig_pids+=($!)
}

# rig_up N: everything with N backends.
rig_up() {
	local i
	[ -x "$GPC" ] || { echo "error: there is no $GPC; run make" >&2; exit 1; }
	rig_namespace lan
	must ip -n "$RIG-lan" link add br0 type bridge mcast_snooping 0
	must ip -n "$RIG-lan" link set br0 up
	rig_namespace client
	rig_namespace balancer
	connect client eth0 100
	connect balancer wan0 1
	must ip -n "$RIG-client" route add "$VIP4/32" via 10.77.0.1 mtu 1400
	must ip -n "$RIG-client" route add "$VIP6/128" via fd77::1 mtu 1400
	for ((i = 1; i <= $1; i++)); do rig_backend "$i"; done
	for ((i = 1; i <= $1; i++)); do
		wait_for "the server of backend $i" test -e "$WORK/ready-$RIG_BACKEND$i-$PORT"
		wait_for "IPv4 to backend $i" in_ns balancer ping -c 1 -W 1 "10.77.0.$((10 + i))"
		wait_for "IPv6 to backend $i" in_ns balancer ping -c 1 -W 1 "fd77::$((10 + i))"
	done
}

# ---- gpc -----------------------------------------------------------------------------------------

gpc() {
	local node=$1
	shift
	[ -d "$WORK/state/$node" ] || mkdir -m 700 "$WORK/state/$node"
	GPC_STATE_DIR=$WORK/state/$node GPC_BPFFS=$BPFFS/$node in_ns "$node" "$GPC" "$@"
}
# points_of COMMAND...: runs gpc with failpoints on the balancer, to its end; `names` has those that it passed.
ARMED=$RIG_ROOT/build/failpoints/gpc
points_of() {
	rm -f "$WORK/points"
	GPC=$ARMED GPC_FAILPOINT=passed:$WORK/points must gpc balancer "$@"
	mapfile -t names < <(awk '!seen[$0]++' "$WORK/points")
}
mountpoint -q /sys/fs/bpf || must mount -t bpf bpf /sys/fs/bpf
must mkdir "$BPFFS"
mkdir -m 700 "$WORK/state"

# plane FORWARD FAMILIES ENDPOINT...: an intent with one listener per family's VIP on port 80.
# FAMILIES: 4, 6 or 46, of the listener. ENDPOINT: N[:weight[:state]], addresses by ENDPOINT_FAMILIES
# (default: as the listener). Interfaces: the balancer's wan0 and the backends' eth0 (decap).
plane() {
	local forward=$1 families=$2 endpoint n weight state addresses
	shift 2
	echo "apiVersion: gpc/v1"
	echo "kind: Plane"
	echo "metadata: {name: $RIG_NAME}"
	echo "interfaces:"
	echo "  - {name: wan0, mode: ${MODE:-native}, hooks: [xdp]}"
	[ "$forward" != ipip ] || echo "  - {name: eth0, mode: ${MODE:-native}, hooks: [xdp], role: decap}"
	echo "backends:"
	echo "  - name: web"
	echo "    endpoints:"
	for endpoint in "$@"; do
		IFS=: read -r n weight state <<<"$endpoint"
		case ${ENDPOINT_FAMILIES:-$families} in
		4) addresses="10.77.0.$((10 + n))" ;;
		6) addresses="\"fd77::$((10 + n))\"" ;;
		46) addresses="[10.77.0.$((10 + n)), \"fd77::$((10 + n))\"]" ;;
		esac
		echo "      - {name: backend$n, address: $addresses, weight: ${weight:-1}, state: ${state:-ready}}"
	done
	echo "listeners:"
	case $families in *4*) echo "  - {name: http4, address: $VIP4, protocol: TCP, port: $PORT, forward: $forward, backend: web}" ;; esac
	case $families in *6*) echo "  - {name: http6, address: \"$VIP6\", protocol: TCP, port: $PORT, forward: $forward, backend: web}" ;; esac
}

# running: what tells one running plane of the balancer from another: its control word and nonce, and
# the program on wan0. Counters and flows are left out.
running() {
	bpftool -j map dump pinned "$(find "$BPFFS/balancer" -name '*ctl*' | head -n 1)" |
		/usr/bin/python3 -c 'import json, sys; print(*(e["value"] for e in json.load(sys.stdin)))'
	ip -n "$RIG-balancer" link show wan0 | grep -oE 'prog/xdp id [0-9]+'
}

# share VIP N: N requests; "backend1 12" lines.
share() { in_ns client /usr/bin/python3 "$RIG_ROOT/tests/e2e/client.py" share "$1" "$PORT" "$2"; }
# all_answer VIP N BACKEND...: N requests succeed, and exactly these backends answer them.
all_answer() {
	local vip=$1 n=$2 out
	shift 2
	out=$(share "$vip" "$n") || { echo "$out"; return 1; }
	echo "$out"
	[ "$(echo "$out" | cut -d ' ' -f 1 | sort | tr '\n' ' ')" = "$(printf '%s\n' "$@" | sort | tr '\n' ' ')" ]
}

# flows_open NAME VIP N [NODE]: opens N connections of NODE (the client) and keeps them; flows_live NAME:
# asks over each of them, 0 if all are answered by the backend that answered first.
declare -A flows_to flows_from flows_count
flows_open() {
	local name=$1 fd line=
	must mkfifo "$WORK/flows-$name.in" "$WORK/flows-$name.out"
	in_ns "${4:-client}" /usr/bin/python3 "$RIG_ROOT/tests/e2e/client.py" flows "$2" "$PORT" "$3" \
		<"$WORK/flows-$name.in" >"$WORK/flows-$name.out" 2>"$WORK/flows-$name.log" &
	rig_pids+=($!)
	exec {fd}>"$WORK/flows-$name.in"
	flows_to[$name]=$fd
	exec {fd}<"$WORK/flows-$name.out"
	flows_from[$name]=$fd flows_count[$name]=$3
	read -r -t 20 line <&"$fd"
	check_equal "$3 connections to $2 are open" "$line" "open $3"
}
flows_live() {
	local name=$1 line=
	echo ask >&"${flows_to[$name]}"
	read -r -t 30 line <&"${flows_from[$name]}"
	echo "${line:-no answer in time}"
	[ "$line" = "same ${flows_count[$name]} moved 0 broken 0" ]
}
