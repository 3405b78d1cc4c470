#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# BIG TCP: aggregates of more than 64 KiB, whose IP header says a length of 0, are not taken for malformed.
. "$(dirname "$0")/rig.bash"
rig_namespace host
rig_namespace peer
must ip -n "$RIG-host" link add lan0 type veth peer name eth0 netns "$RIG-peer"
for end in "host lan0 1" "peer eth0 2"; do
	read -r node device last <<<"$end"
	must ip -n "$RIG-$node" address add "fd77::$last/64" dev "$device" nodad
	must ip -n "$RIG-$node" link set "$device" up gso_max_size 150000 gro_max_size 150000
done
cat >"$WORK/plane.yaml" <<'EOF'
apiVersion: gpc/v1
kind: Plane
metadata: {name: big}
defaults: {on-fail: drop, pickup: never}
interfaces:
  - {name: lan0, hooks: [tc-ingress, tc-egress]}
rules:
  - {name: bulk, ports: [tcp/5001], action: allow}
policies:
  - {name: in, interfaces: [lan0], direction: ingress, rules: [bulk]}
EOF
cat >"$WORK/bulk.py" <<'EOF'
import socket, sys
if sys.argv[1] == "send":
    with socket.create_connection(("fd77::1", 5001), 5) as out:
        out.settimeout(20)
        out.sendall(bytes(50_000_000))
else:
    server = socket.create_server(("::", 5001), family=socket.AF_INET6)
    server.settimeout(20)
    open(sys.argv[2], "w").close()
    peer, _ = server.accept()
    peer.settimeout(20)
    received = 0
    while part := peer.recv(1 << 20):
        received += len(part)
    sys.exit(received != 50_000_000)
EOF
check "apply" gpc host apply --enforce "$WORK/plane.yaml"
in_ns host /usr/bin/python3 "$WORK/bulk.py" receive "$WORK/ready" &
server=$!
rig_pids+=("$server")
wait_for "the receiver" test -e "$WORK/ready"
check "50 MB are sent" in_ns peer /usr/bin/python3 "$WORK/bulk.py" send
check "and received" wait "$server"
malformed() { gpc host status | grep -c malformed-; }
check_equal "nothing was malformed" "$(malformed)" 0
rig_done
