#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every forwarding mode and family: TCP and UDP, 3 MB up and down, fragments, connections to all backends, and a QUIC
# connection whose client moves.
. "$(dirname "$0")/modes.bash"
modes_up 3
modes_plane 3 | modes_apply 3

# mode PORT VIP: the rows of a mode.
mode() {
	case $1 in 8033) echo "tcp $2 $1 - -"; return ;; esac
	local names="backend1 backend2 backend3"
	[ "$1" != 8041 ] || names=balancer
	echo "tcp $2 $1 - -"
	echo "udp $2 $1"
	echo "large $2 $1 4000" # after TCP has found the path MTU: without DF nobody would
	echo "share $2 $1 40 $names"
	[ "$1" = 8041 ] || echo "quic $2 $(($1 + 100))"
}
while read -r port vip what; do rows "$what" < <(mode "$port" "$vip"); done <<EOT
8001 $VIP4 ipip, v4 in v4
8001 $VIP6 ipip, v6 in v6
8002 $VIP4 ipip, v4 in v6
8011 $VIP4 gue, v4 in v4
8011 $VIP6 gue, v6 in v6
8012 $VIP4 gue, v4 in v6
8021 $VIP4 dsr, v4
8021 $VIP6 dsr, v6
8022 $VIP4 dsr, v4 by v6 neighbours
8031 $VIP4 nat, v4
8031 $VIP6 nat, v6
8032 $VIP4 nat with snat, v4
8032 $VIP6 nat with snat, v6
8033 $VIP4 nat with mss-clamp, v4
8033 $VIP6 nat with mss-clamp, v6
8041 $PASS4 pass, v4
8041 $PASS6 pass, v6
EOT
rows "the client's address" <<EOT
seen $VIP4 8001 10.79.0.2
seen $VIP6 8011 fd79::2
seen $VIP4 8031 10.79.0.2
seen $VIP6 8031 fd79::2
seen $VIP4 8032 10.77.0.1
seen $VIP6 8032 fd77::1
seen $PASS6 8041 fd79::2
EOT
check "verify" gpc balancer verify --exit-code
for node in balancer backend1; do check "nothing needs attention on $node" gpc "$node" status --exit-code; done
rig_done
