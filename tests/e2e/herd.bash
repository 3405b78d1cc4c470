# SPDX-License-Identifier: MIT
# Very many flows through the program that runs on the balancer's wan0 (tests/tools/herd.c). No backend exists: the
# neighbours are permanent entries. A script sources it after rig.bash, and calls:
#
#   herd_up                    instead of rig_up
#   herd_plane ENDPOINT...     an intent on stdout: listeners in ipip, gue, dsr, nat, and nat with snat, TCP and UDP, v4
#                              and v6. Their backend is web; ENDPOINT is N[:weight[:state]], N up to 40. The endpoints
#                              41 to 44 are always there, of the backend canary. By these variables: HERD_DEFAULTS,
#                              HERD_RULES (denied ports), HERD_EXISTING, HERD_TABLE (size), HERD_SPLIT (percent of new
#                              flows for the canary)
#   herd_start                 lets herd know the listeners; needs a plane that runs
#   herd COMMAND...            one of herd's; its answer is in herd_line. In two steps: herd_begin COMMAND..., herd_end
#   herd_here N...             the endpoints that keep flows from now on
HERD_ENDPOINTS=44
HERD_MODES="ipip gue dsr nat snat"
HERD_DEFAULTS="{timeouts: {syn: 2h, udp: 2h, udp-new: 2h}, flow-inserts: 1000000/s}"
HERD_RULES="" HERD_EXISTING=recheck HERD_TABLE="" HERD_SPLIT=""

herd_up() {
	local i mac
	rig_up 0
	must in_ns balancer sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	mac=$(in_ns client cat /sys/class/net/eth0/address)
	{
		echo "route add 10.77.1.0/24 dev wan0"
		echo "route add fd77::1:0/112 dev wan0"
		for ((i = 1; i <= HERD_ENDPOINTS; i++)); do
			printf 'neigh add 10.77.1.%d lladdr 06:00:00:00:00:%02x dev wan0 nud permanent\n' "$i" "$i"
			printf 'neigh add fd77::1:%x lladdr 06:00:00:00:00:%02x dev wan0 nud permanent\n' "$i" "$i"
		done
		echo "route add 198.18.0.0/15 via 10.77.0.100"
		echo "route add 2001:db8:10::/64 via fd77::100"
		echo "neigh replace 10.77.0.100 lladdr $mac dev wan0 nud permanent"
		echo "neigh replace fd77::100 lladdr $mac dev wan0 nud permanent"
	} >"$WORK/herd.ip"
	must ip -n "$RIG-balancer" -batch "$WORK/herd.ip"
}

herd_port() { case $1 in ipip) echo 8001 ;; gue) echo 8002 ;; dsr) echo 8003 ;; nat) echo 8004 ;; snat) echo 8005 ;; esac; }

# herd_listeners PRINT: PRINT MODE FAMILY PROTOCOL ADDRESS PORT for each.
herd_listeners() {
	local mode family protocol
	for mode in $HERD_MODES; do
		for family in 4 6; do
			for protocol in TCP UDP; do
				if [ "$family" = 4 ]; then
					"$1" "$mode" 4 $protocol "$VIP4" "$(herd_port "$mode")"
				else
					"$1" "$mode" 6 $protocol "$VIP6" "$(herd_port "$mode")"
				fi
			done
		done
	done
}
herd_yaml() {
	local to="backend: web" forward="forward: $1"
	[ "$1" != snat ] || forward="forward: nat, snat: auto"
	[ -z "$HERD_SPLIT" ] || to="split: [{backend: web, weight: $((100 - HERD_SPLIT))}, {backend: canary, weight: $HERD_SPLIT}]"
	echo "  - {name: $1-$3-$2, address: \"$4\", protocol: $3, port: $5, $forward, $to}"
}
herd_endpoint() { # N WEIGHT STATE
	printf '      - {name: e%d, address: [10.77.1.%d, "fd77::1:%x"], weight: %d, state: %s}\n' "$1" "$1" "$1" "$2" "$3"
}
herd_command() {
	local sides=one
	case $1 in *nat) sides=two ;; esac
	echo "listener $4 $5 ${3,,} $sides"
}

herd_plane() {
	local endpoint n weight state rule
	cat <<-YAML
		apiVersion: gpc/v1
		kind: Plane
		metadata: {name: $RIG_NAME}
		defaults: $HERD_DEFAULTS
		interfaces: [{name: wan0, hooks: [xdp, tc-egress]}]
		backends:
		  - name: web
		    ${HERD_TABLE:+table-size: $HERD_TABLE}
		    endpoints:
	YAML
	for endpoint in "$@"; do
		IFS=: read -r n weight state <<<"$endpoint"
		herd_endpoint "$n" "${weight:-1}" "${state:-ready}"
	done
	echo "  - name: canary"
	echo "    endpoints:"
	for n in 41 42 43 44; do herd_endpoint $n 1 ready; done
	echo "rules:"
	echo '  - {name: to-vips, from: [198.18.0.0/15, "2001:db8::/32", 11.0.0.0/8], to: {listeners: "*"}, action: allow}'
	for rule in $HERD_RULES; do echo "  - {name: no-$rule, ports: [tcp/$rule], action: deny}"; done
	echo "policies:"
	echo "  - name: edge"
	echo "    interfaces: [wan0]"
	echo "    direction: ingress"
	echo "    existing: $HERD_EXISTING"
	echo "    rules: [$(for rule in $HERD_RULES; do printf 'no-%s, ' "$rule"; done)to-vips]"
	echo "listeners:"
	herd_listeners herd_yaml
	echo "  - {name: canary, address: 192.0.2.19, protocol: TCP, port: 80, forward: ipip, backend: canary}"
}

herd_start() {
	must mkfifo "$WORK/herd.in" "$WORK/herd.out"
	in_ns balancer "$RIG_ROOT/build/tests/tools/herd" wan0 <"$WORK/herd.in" >"$WORK/herd.out" 2>"$WORK/herd.log" &
	rig_pids+=($!)
	exec {herd_to}>"$WORK/herd.in" {herd_from}<"$WORK/herd.out"
	herd_listeners herd_command >&"$herd_to"
}
herd_here() { echo "here $*" >&"$herd_to"; }
herd_begin() { echo "$*" >&"$herd_to"; }
herd_end() {
	herd_line="no answer"
	read -r -u "$herd_from" herd_line || { cat "$WORK/herd.log"; return 1; }
	echo "$herd_line"
	case $herd_line in *" lost 0") return 0 ;; esac
	cat "$WORK/herd.log"
	return 1
}
herd() {
	herd_begin "$@"
	herd_end
}
