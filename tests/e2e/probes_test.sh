#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Probes: asked after the switch, on the way that clients take. One that fails takes the new plane back:
# exit 7, traffic as before, and the same plane is not applied again by itself.
. "$(dirname "$0")/rig.bash"
rig_up 2
client=$RIG-client

# probed ENDPOINT... <<PROBES: a plane with these probes.
probed() {
	plane dsr 4 "$@"
	echo "probes:"
	cat
}
# A datagram is answered with what came, in brackets.
in_ns backend1 /usr/bin/python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.77.0.11", 5353))
while True:
    data, peer = s.recvfrom(2048)
    s.sendto(b"[" + data + b"]", peer)
' </dev/null >"$WORK/echo.log" 2>&1 &
rig_pids+=($!)
# result_of N: what became of generation N.
result_of() {
	gpc balancer log --json | /usr/bin/python3 -c '
import json, sys
for line in sys.stdin:
    g = json.loads(line)
    if g.get("generation") == int(sys.argv[1]): print(g["result"])' "$1"
}

# ---- the first apply ----
probed 1 2 <<E >"$WORK/dead.yaml"
  - {name: dead, tcp: {address: $VIP4, port: 81}, netns: $client, attempts: 2, interval: 10ms, timeout: 500ms}
E
check_exit "a first apply whose probe fails exits 7" 7 gpc balancer apply "$WORK/dead.yaml"
check_said "it names the probe and the cause" "probe 'dead' failed: "
check_said "it says what runs now" "no plane ran before, so none runs now"
check "no plane runs" sh -c "! ip -n '$RIG-balancer' link show wan0 | grep xdp"
check_exit "the same plane is in quarantine" 4 gpc balancer apply "$WORK/dead.yaml"
check_said "it says why" "rolled-back(probe dead: "
check_exit "restore has nothing to run" 1 gpc balancer restore

# ---- all kinds pass ----
cat >"$WORK/check.sh" <<'E'
#!/bin/sh
# Only the clean environment, no input, and the client's namespace: its address is there.
for name in $(env | cut -d= -f1); do case $name in GPC_PROBE | LC_ALL | PATH | PWD | _) ;; *) exit 3 ;; esac; done
[ "$GPC_PROBE" = script ] && [ -z "$(cat)" ] && ip address | grep -q 10.77.0.100
E
chmod +x "$WORK/check.sh"
probed 1 <<E >"$WORK/good.yaml"
  - {name: connects, tcp: {address: $VIP4, port: 80}, netns: $client, interface: eth0}
  - {name: answers, http: {address: $VIP4, path: /x}, netns: $client}
  - {name: echo, udp: {address: 10.77.0.11, port: 5353, send: 0x68690a, expect: "[hi"}, timeout: 500ms, attempts: 20}
  - {name: script, exec: {command: [$WORK/check.sh]}, netns: $client}
E
check_exit "the plane's programs are not run unasked" 4 gpc balancer apply "$WORK/good.yaml"
check_said "it names the program" "$WORK/check.sh"
check "nothing was changed" sh -c "! ip -n '$RIG-balancer' link show wan0 | grep xdp"
must "$GPC" compile "$WORK/good.yaml" -o "$WORK/good.gpi"
check "an image shows what it would ask" "$GPC" inspect "$WORK/good.gpi"
check_said "the program, too" "exec $WORK/check.sh"
check "all probes of an image pass" gpc balancer apply --allow-exec "$WORK/good.gpi"
for name in connects answers echo script; do check_said "$name has passed" "probe $name passed"; done
check "traffic passes" all_answer "$VIP4" 20 backend1
check "a second apply asks nothing" gpc balancer apply --allow-exec "$WORK/good.yaml"
check_said "it says so" "no probe is asked"

# ---- each kind fails ----
# fails WHAT CAUSE --probe PROBE: the plane with backend2 is taken back.
number=2
fails() {
	local what=$1 cause=$2
	shift 2
	check_exit "$what: exit 7" 7 gpc balancer apply --retry --no-probes "$WORK/other.yaml" "$@"
	check_said "$what: the cause" "$cause"
	number=$((number + 1))
	check_equal "$what: recorded" "$(result_of $number | cut -c1-18)" "rolled-back(probe "
	check "$what: traffic as before" all_answer "$VIP4" 5 backend1
}
probed 2 <<E >"$WORK/other.yaml"
  - {name: unasked, exec: {command: [/bin/false]}}
E
quick="attempts=1 timeout=300ms netns=$client"
fails "tcp to nobody" "no connection within 300 ms" --probe "$quick tcp 10.77.0.99:80"
fails "http with another status" "status 200, not 404-404" --probe "$quick http http://$VIP4/ 404"
fails "udp without the answer" "only other answers than the expected one within 300 ms" \
	--probe "$quick udp 10.77.0.11:5353 a b"
fails "a program that does not end" "not ended within 300 ms" \
	--probe "attempts=1 timeout=300ms exec /bin/sh -c 'sleep 300 & echo \$! >$WORK/sleeper; wait'"
check "nothing of it is left" sh -c "! grep -qs sleep /proc/\$(cat '$WORK/sleeper')/cmdline"
fails "a program that fails" "ended with 3" --probe "attempts=1 exec /bin/sh -c 'exit 3'"

# ---- quarantine ----
check_exit "what failed is refused" 4 gpc balancer apply --no-probes "$WORK/other.yaml"
check_said "with its generation" "was live as generation $number"
check "status tells of it" gpc balancer status
check_said "with the cause" "generation $number was rolled-back(probe exec /bin/sh"
check_said "and shows what runs" "generation 2,"
gpc balancer log >"$WORK/out"
check_said "log tells of it" "rolled-back"
check "show tells of it" gpc balancer show
check_said "with the reason" "rolled-back(probe exec /bin/sh"
check_exit "rollback to it is refused" 4 gpc balancer rollback "$number"
check "restore runs what was there before" gpc balancer restore
check_said "which runs" "generation 2 is running already"
check "verify finds it right" gpc balancer verify
check "retried without what failed, it is applied" gpc balancer apply --retry --no-probes "$WORK/other.yaml"
check "backend2 answers" all_answer "$VIP4" 5 backend2
check "rollback goes over what was rolled back" gpc balancer rollback
check "backend1 answers" all_answer "$VIP4" 5 backend1
check "it is out of quarantine" gpc balancer apply --no-probes "$WORK/other.yaml"
check "and taken back by hand" gpc balancer rollback

# ---- signals ----
# interrupted SIGNAL: the end of an apply of the plane with backend2 by a signal while a probe runs.
interrupted() {
	rm -f "$WORK/started"
	gpc balancer apply --no-probes "$WORK/other.yaml" \
		--probe "timeout=100s exec /bin/sh -c 'touch $WORK/started; exec sleep 300'" >"$WORK/interrupted" 2>&1 &
	wait_for "the probe" test -e "$WORK/started"
	check "backend2 answers while the probe runs" all_answer "$VIP4" 3 backend2
	kill "-$1" "$(grep -oE '[0-9]+' "$WORK/state/balancer/lock" | head -n 1)"
	wait $!
}
interrupted TERM
check_equal "SIGTERM while a probe runs: exit 7" $? 7
check "what ran before runs again" all_answer "$VIP4" 5 backend1
interrupted HUP
check_equal "so does a lost terminal" $? 7
check "what ran before runs again" all_answer "$VIP4" 5 backend1
interrupted KILL 2>/dev/null
check "SIGKILL while a probe runs leaves the new plane live" all_answer "$VIP4" 5 backend2
check "status says so" gpc balancer status
check_said "with what to do" "ended before its probes had passed"
check_exit "applied again, its probes are asked again" 7 gpc balancer apply --no-probes "$WORK/other.yaml" \
	--probe "attempts=1 exec /bin/false"
check "and lead back to what was recorded" all_answer "$VIP4" 5 backend1
check_exit "with the quarantine" 4 gpc balancer apply --no-probes "$WORK/other.yaml"

# ---- with a time to confirm ----
gpc balancer apply --retry --no-probes "$WORK/other.yaml" --confirm 60s \
	--probe "timeout=100s exec /bin/sh -c 'touch $WORK/asked; exec sleep 300'" >"$WORK/interrupted" 2>&1 &
wait_for "the probe" test -e "$WORK/asked"
check "status while its probes run" gpc balancer status
check_said "names no confirm" "decides again; its apply has not ended, or was killed: gpc abort takes it back"
check_exit "abort is refused while its probes run" 6 gpc balancer abort
check_said "with the way out" "kill -INT its pid"
kill -INT "$(grep -oE '[0-9]+' "$WORK/state/balancer/lock" | head -n 1)"
wait $!
check_equal "interrupted it goes back" $? 7
check_exit "probes that outlast the time to confirm" 7 gpc balancer apply --retry --no-probes "$WORK/other.yaml" \
	--confirm 1s --probe "timeout=10s exec /bin/sleep 2"
check_said "say so" "took longer than the time to confirm"
check "what ran before decides" all_answer "$VIP4" 5 backend1
check "log tells of it" gpc balancer log --json
check_said "with the reason" "rolled-back(expired)"
check_exit "and nothing waits" 6 gpc balancer confirm

# ---- wrong usage ----
check_exit "a probe that is none" 64 gpc balancer apply --probe "tcp 10.0.0.1" "$WORK/other.yaml"
check_said "with its cause" "no port from 1 to 65535"
rig_done
