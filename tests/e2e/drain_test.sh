#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A backend is drained during a download: the download completes, new connections go elsewhere; then
# a rollback brings the backend back as a new generation.
. "$(dirname "$0")/rig.bash"
rig_up 3

plane dsr 46 1 2 3 >"$WORK/plane.yaml"
check "apply" gpc balancer apply "$WORK/plane.yaml"

in_ns client /usr/bin/python3 "$RIG_ROOT/tests/e2e/client.py" download "$VIP4" "$PORT" /hold/8000000 >"$WORK/download" &
download=$!
wait_for "the first bytes of the download" grep -q first "$WORK/download"
drained=$(awk '{print $2; exit}' "$WORK/download")
n=${drained#backend}

endpoints=()
others=()
for i in 1 2 3; do
	if [ "$i" = "$n" ]; then endpoints+=("$i:1:drain"); else endpoints+=("$i"); others+=("backend$i"); fi
done
plane dsr 46 "${endpoints[@]}" >"$WORK/plane.yaml"
check "apply with $drained draining" gpc balancer apply "$WORK/plane.yaml"
check "new v4 connections go to the others" all_answer "$VIP4" 300 "${others[@]}"
check "new v6 connections go to the others" all_answer "$VIP6" 300 "${others[@]}"
check "the download is still running" kill -0 "$download"
touch "$WORK/release"
check "the download ends well" wait "$download"
check_equal "all its bytes came from $drained" "$(tail -n 1 "$WORK/download")" "complete 8000000 $drained"
rm "$WORK/release"

check "rollback" gpc balancer rollback
check "all backends answer again" all_answer "$VIP4" 300 backend1 backend2 backend3
check "log" gpc balancer log
check_said "the log names the rollback" "rollback"
check_equal "the log has three generations" \
	"$(git -C "$WORK/state/balancer/history.git" log --format=%B | grep -c '^Gpc-Generation: ')" 3

# maint ends known flows, a removed endpoint too: nothing may be sent there.
plane dsr 46 1 2:1:maint 3 >"$WORK/plane.yaml"
check "apply with backend2 in maint" gpc balancer apply "$WORK/plane.yaml"
check "maint takes no connection" all_answer "$VIP4" 200 backend1 backend3
plane dsr 46 1 3 >"$WORK/plane.yaml"
check "apply without backend2" gpc balancer apply "$WORK/plane.yaml"
check "a removed endpoint takes no connection" all_answer "$VIP4" 200 backend1 backend3
rig_done
