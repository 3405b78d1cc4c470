#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# status counts what the client did, to the connection; verify sees an image that was exchanged in the
# kernel and a link that is gone; --json is one object a line and ends with the result; a restart of
# counting never happens by an apply.
. "$(dirname "$0")/rig.bash"
rig_up 2

# field TYPE NAME KEY: of the status, as JSON.
field() {
	gpc balancer status --json | /usr/bin/python3 -c '
import json, sys
lines = [json.loads(line) for line in sys.stdin]
assert lines[-1]["type"] == "result" and lines[-1]["exit"] == 0, lines[-1]
print(*(line[sys.argv[3]] for line in lines if line["type"] == sys.argv[1] and sys.argv[2] in ("", line.get("name"))))' "$@"
}
sum() { tr ' ' '\n' | awk '{s += $1} END {print s + 0}'; }

check "status without a plane" gpc balancer status
check_said "it says that there is none" "no plane"
check_exit "verify without a plane" 1 gpc balancer verify
check_exit "off without a plane" 1 gpc balancer off
check_said "it says that there is none" "no plane"
plane dsr 46 1 >"$WORK/unapplied.yaml"
must gpc balancer compile "$WORK/unapplied.yaml" -o "$WORK/unapplied.gpi"
check_exit "verify of an image without a plane" 1 gpc balancer verify "$WORK/unapplied.gpi"
check_exit "status --exit-code without a plane" 2 gpc balancer status --exit-code
plane dsr 46 1 2:3 >"$WORK/plane.yaml"
check "apply" gpc balancer apply "$WORK/plane.yaml"
check "300 v4 connections" share "$VIP4" 300
check "200 v6 connections" share "$VIP6" 200
check_equal "the v4 listener counts 300 flows" "$(field listener http4 flows)" 300
check_equal "the v6 listener counts 200 flows" "$(field listener http6 flows)" 200
check_equal "the endpoints count 500 flows together" "$(field endpoint '' flows | sum)" 500
packets=$(field endpoint '' packets | sum)
check_equal "listeners and endpoints count the same packets" "$(field listener '' packets | sum)" "$packets"
check "of each connection at least SYN, ACK, request, FIN" test "$packets" -ge 2000
plane dsr 46 2:3 1 >"$WORK/reordered.yaml"
plane dsr 46 1 2:2 >"$WORK/other.yaml"
check "apply of the same plane, written in another order" gpc balancer apply "$WORK/reordered.yaml"
check_said "is the same plane" unchanged
check "apply with another weight" gpc balancer apply "$WORK/other.yaml"
check_equal "the counts go on" "$(field endpoint '' flows | sum)" 500
check "100 more" share "$VIP4" 100
check_equal "600 flows" "$(field endpoint '' flows | sum)" 600
check_equal "the generation is the second" "$(field plane '' generation)" 2

check "verify" gpc balancer verify --exit-code
instance=$(echo "$BPFFS"/balancer/inst-*)
active=$(bpftool -j map dump pinned "$instance/ctl" | /usr/bin/python3 -c '
import json, sys
word = json.load(sys.stdin)[0]
value = word.get("formatted", word)["value"]
print((int.from_bytes(bytes(int(b, 16) for b in value), "little") if isinstance(value, list) else value) & 7)')
other=$(find "$instance" -name 'slot-*' ! -name "slot-$active" | sed 's/.*slot-//' | head -n 1)
exchange() { # SLOT SLOT: the map pinned for the second is put into the first
	bpftool map update pinned "$instance/images" key "$1" 0 0 0 value pinned "$instance/slot-$2"
}
check "the slot of the active image gets the map of another" exchange "$active" "$other"
check_exit "verify sees that the slot holds another map" 2 gpc balancer verify --exit-code
check_exit "status --exit-code too" 2 gpc balancer status --exit-code
# Now with its pin, so that everything fits together, only it is the wrong image.
mv "$instance/slot-$active" "$instance/kept"
must bpftool map pin pinned "$instance/slot-$other" "$instance/slot-$active"
check "compile what should run" gpc balancer compile -f "$WORK/other.yaml" -o "$WORK/other.gpi"
check_exit "verify against it finds the differences" 2 gpc balancer verify --exit-code "$WORK/other.gpi"
check_said "it names the entry" "backend2"
check_said "and its line" "other.yaml:"
check_exit "without --exit-code a difference is a failure" 1 gpc balancer verify "$WORK/other.gpi"
rm "$instance/slot-$active"
mv "$instance/kept" "$instance/slot-$active"
check "the right map comes back" exchange "$active" "$active"
check "verify" gpc balancer verify --exit-code

{ echo "# one line more, and every place is another"; cat "$WORK/other.yaml"; } >"$WORK/comment.yaml"
check "compile the same decision from other text" gpc balancer compile -f "$WORK/comment.yaml" -o "$WORK/comment.gpi"
check "verify against it: no difference" gpc balancer verify --exit-code "$WORK/comment.gpi"
check_said "but a note" "compiled from other text"

link=$(find "$BPFFS/balancer/links" -type f | head -n 1)
rm "$link"
check_exit "verify finds a link that is gone" 2 gpc balancer verify --exit-code
check_said "it names the device" wan0
check_exit "status --exit-code too" 2 gpc balancer status --exit-code
check "apply attaches it again" gpc balancer apply "$WORK/other.yaml"
check "verify" gpc balancer verify --exit-code
# What a rollback leaves that dies after its flip: the history says the generation before.
cp -a "$WORK/state/balancer" "$WORK/before"
check "rollback" gpc balancer rollback
rm -r "$WORK/state/balancer"
mv "$WORK/before" "$WORK/state/balancer"
check_exit "verify finds that not the newest generation runs" 2 gpc balancer verify --exit-code
check_said "it says which one was recorded last" "recorded last is 2"
check "restore" gpc balancer restore
check "verify" gpc balancer verify --exit-code
check "traffic" all_answer "$VIP4" 100 backend1 backend2
rig_done
