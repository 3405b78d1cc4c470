#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Invariants where planes are compiled and applied: what does not hold is refused (4) before anything is staged,
# also of an image that somebody altered, and remap against what runs; what is deferred says so.
. "$(dirname "$0")/rig.bash"
unset SSH_CONNECTION
rig_up 0

# guarded ENDPOINTS INVARIANT...: a plane with a policy that lets in what is balanced and ssh from one host.
guarded() {
	local endpoints=$1
	shift
	cat <<-END
		apiVersion: gpc/v1
		kind: Plane
		metadata: {name: proved}
		defaults: {on-fail: pass}
		interfaces: [{name: wan0, mode: native, hooks: [xdp, tc-egress]}]
		segments:
		  - {name: admin, cidrs: [10.77.0.100/32]}
		  - {name: db, cidrs: [10.77.9.0/28]}
		backends: [{name: web, endpoints: [$endpoints]}]
		listeners: [{name: http, address: $VIP4, protocol: TCP, port: $PORT, backend: web}]
		rules:
		  - {name: no-db, to: db, action: deny}
		  - {name: to-vip, to: {listeners: "*"}, action: allow}
		  - {name: ssh, from: admin, ports: [tcp/22], action: allow}
		policies:
		  - {name: edge, interfaces: [wan0], direction: ingress, mode: ${MODE:-enforce}, rules: [no-db, to-vip, ssh]}
		invariants:
	END
	printf '  - {name: %s}\n' "$@"
}
two='{name: a, address: 10.77.0.11}, {name: b, address: 10.77.0.12}'
other='{name: c, address: 10.77.0.13}, {name: d, address: 10.77.0.14}'
private='private, never: {to: db}'
steps='steps, remap: {backend: web, max: 30%}'
cd "$WORK" || exit 1

guarded "$two" "$private" "$steps" 'budget, memory: 4Mi, max-lookups: 40' >good.yaml
check "what holds compiles" "$GPC" compile good.yaml -o good.gpi -v
check_said "and says so" "invariant private: passed"
check_said "what nothing can be compared with is not said to pass" "invariant steps: not judged"
check "check says it, too" "$GPC" check good.yaml --json
check_said "as a count" '"invariants":{"passed":2,"deferred":0,"not-judged":1,"violated":0}'

guarded "$two" 'no-ssh, never: {in: wan0, ports: [tcp/22]}' >bad.yaml
check_exit "what does not hold is refused by compile" 4 "$GPC" compile bad.yaml -o bad.gpi
check_said "with the packet" 'tcp 10.77.0.100:40000 -> 0.0.0.0:22'
check_said "the rule" 'bad.yaml:14:5: note: lets it through'
check_said "and the invariant's line" 'bad.yaml:18:5: error[E0470]'
check_exit "and nothing is written" 1 test -e bad.gpi
check_exit "check refuses it, too" 4 "$GPC" check bad.yaml --json
check_said "as an object" '"standing":"violated"'
check "what explain says of that packet" \
	"$GPC" explain -f bad.yaml --in wan0 'tcp 10.77.0.100:40000 -> 0.0.0.0:22'
check_said "is the same" 'rule ssh'

MODE=audit guarded "$two" 'no-web, never: {to: db, ports: [tcp/80]}' >audit.yaml
check_exit "what a policy in audit lets through is refused" 4 "$GPC" check audit.yaml
check_said "and it is said what would help" "it holds once all audit policies enforce"
MODE=audit guarded "$two" 'no-web, when: enforced, never: {to: db, ports: [tcp/80]}' >later.yaml
check "with when: enforced it is deferred" "$GPC" check later.yaml
check_said "which is said" "invariant no-web: deferred until all audit policies enforce"

check_exit "apply refuses it where nothing runs" 4 gpc balancer apply bad.yaml
check "status of what it left" gpc balancer status
check_said "is that nothing runs" "no plane is running"
check "what holds is applied" gpc balancer apply good.gpi
before=$(running)
check_exit "apply refuses what does not hold" 4 gpc balancer apply bad.yaml --json
check_said "as a diagnostic" '"code":"E0470"'
check_equal "and nothing was changed" "$(running)" "$before"

guarded "$other" "$private" "$steps" >moved.yaml
check "an image that moves everything compiles alone" "$GPC" compile moved.yaml -o moved.gpi
check_exit "it is refused where another runs" 4 gpc balancer apply moved.gpi
check_said "by how much it moves" "moved.gpi: invariant \`steps\` (moved.yaml:19:5) does not hold: 100.00% of the new flows"
check_exit "also from its source" 4 gpc balancer apply moved.yaml
check_exit "compiled with the parent" 4 "$GPC" compile moved.yaml --parent good.gpi -o x.gpi
check_equal "and nothing was changed" "$(running)" "$before"

# The deny of `no-db` becomes an allow; the image is whole otherwise.
/usr/bin/python3 "$RIG_ROOT/tests/e2e/alter_rule.py" good.gpi no-db 1 >altered.gpi || failed "the image can be altered"
check "an altered image can be read" "$GPC" inspect altered.gpi
check_exit "its invariants are proved anew" 4 gpc balancer apply altered.gpi
check_said "with the packet" "altered.gpi: invariant \`private\` (good.yaml:18:5) does not hold: \`0 0.0.0.0 -> 10.77.9.0\` into wan0"
check_said "and the rule's line" "rule \`no-db\` of policy \`edge\` (good.yaml:12:5) lets it through"
check_equal "and nothing was changed" "$(running)" "$before"
rig_done
