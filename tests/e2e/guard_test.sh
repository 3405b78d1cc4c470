#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The lock-out guard: policies that would cut the SSH session that gpc runs in, or a TCP session of root,
# are refused with the rule and its line, and nothing changes; --force cuts them. Connections that were
# there before the first enforcement live on.
. "$(dirname "$0")/rig.bash"
unset SSH_CONNECTION
rig_up 0
serve balancer "$PORT"
wait_for "the server" test -e "$WORK/ready-balancer-$PORT"

# guarded RULE...: an intent whose wan0 lets in what the rules say, and nothing else.
guarded() {
	echo "apiVersion: gpc/v1"
	echo "kind: Plane"
	echo "metadata: {name: guard}"
	echo "defaults: {on-fail: pass}"
	echo "interfaces: [{name: wan0, mode: native, hooks: [xdp, tc-egress]}]"
	echo "rules:"
	echo "  - {name: web, ports: [tcp/$PORT], action: ${WEB:-allow}}"
	echo "  - {name: ssh, ports: [tcp/22], action: ${SSH:-allow}}"
	echo "policies:"
	echo "  - {name: edge, interfaces: [wan0], direction: ingress, rules: [web, ssh]}"
}
with_ssh() { SSH_CONNECTION="10.77.0.100 50000 10.77.0.1 22" "$@"; }
with_link_ssh() { SSH_CONNECTION="fe80::100%wan0 50000 fe80::1%wan0 22" "$@"; }

flows_open root 10.77.0.1 3
WEB=deny guarded >"$WORK/closed.yaml"
guarded >"$WORK/open.yaml"
SSH=deny guarded >"$WORK/no-ssh.yaml"

check "a first policy that would cut them only audits" gpc balancer apply "$WORK/closed.yaml"
check_said "and says what it would cut" "would be cut once enforced"
check "the connections live" flows_live root
before=$(running)
check_exit "enforced it is refused" 4 gpc balancer apply --enforce "$WORK/closed.yaml"
check_said "with the session" "10.77.0.1:$PORT on wan0"
check_said "and the rule and its line" "rule 'web' of policy 'edge' (closed.yaml:7:5)"
check_equal "and nothing was changed" "$(running)" "$before"
check "the connections live" flows_live root

check_exit "a policy that would cut the SSH session is refused" 4 \
	with_ssh gpc balancer apply --enforce "$WORK/no-ssh.yaml"
check_said "which is named" "this SSH session 10.77.0.100:50000 -> 10.77.0.1:22"
check_exit "one that would cut it on a link's own address, too" 4 \
	with_link_ssh gpc balancer apply --enforce "$WORK/no-ssh.yaml"
check_said "which is named" "this SSH session [fe80::100]:50000 -> [fe80::1]:22 on wan0"
check "one that lets both in is enforced" with_ssh gpc balancer apply --enforce "$WORK/open.yaml"
check "connections from before the first enforcement live" flows_live root
on_terminal() {
	GPC_STATE_DIR=$WORK/state/balancer GPC_BPFFS=$BPFFS/balancer \
		script -qec "nsenter --net=/run/netns/$RIG-balancer '$GPC' apply '$1'" /dev/null
}
sed 's/name: guard/name: guard-again/' "$WORK/open.yaml" >"$WORK/again.yaml"
check "on a terminal that is no SSH session" on_terminal "$WORK/again.yaml"
check_said "it says that it found none" "found no SSH session"

# Those picked up count as opened by this host, whose way out has no policy; these are opened under the rules.
flows_open later 10.77.0.1 3
check_exit "a later policy that would cut them is refused too" 4 gpc balancer apply "$WORK/closed.yaml"
check "the connections live" flows_live later
check "it is applied by force" gpc balancer apply --force "$WORK/closed.yaml"
check_said "which says what it cuts" "10.77.0.1:$PORT on wan0"
check_exit "and the connections are cut" 1 flows_live later
check "those picked up live on" flows_live root
check "what lets them in needs no force" with_ssh gpc balancer apply "$WORK/open.yaml"
check_exit "rollback to what would cut them is refused as well" 4 with_ssh gpc balancer rollback --json
check_said "with the rule" "rule 'web' of policy 'edge'"

# Without SSH_CONNECTION, as under sudo: the nearest ancestor that is an sshd, by the socket that it holds.
serve client 2200
wait_for "the client's server" test -e "$WORK/ready-client-2200"
sed 's/direction: ingress, rules: .*/direction: egress, rules: []}/' "$WORK/open.yaml" >"$WORK/shut.yaml"
must cp "$(command -v bash)" "$WORK/sshd"
below_sshd() {
	GPC_STATE_DIR=$WORK/state/balancer GPC_BPFFS=$BPFFS/balancer in_ns balancer "$WORK/sshd" -c '
		exec 3<>/dev/tcp/10.77.0.100/2200
		"$@"
		exit $?' sshd "$GPC" "$@"
}
check_exit "what would cut the session of the sshd above is refused" 4 below_sshd apply "$WORK/shut.yaml"
check_said "which is found by its socket" "this SSH session 10.77.0.100:2200 <- 10.77.0.1:"
rig_done
