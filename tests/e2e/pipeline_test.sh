#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A change of a plane from the repository to the host, as a forge would take it there: check, test, diff as
# markdown, compile without privileges; then the image alone, on a host with a bpffs folder and a history of
# its own: apply with confirm, probe, confirm, roll back. Traffic decides at each step.
. "$(dirname "$0")/rig.bash"
rig_up 2

# ---- the repository ----
repo=$WORK/repo
must mkdir "$repo"
source_git() {
	HOME=$WORK GIT_CONFIG_NOSYSTEM=1 git -C "$repo" -c user.name=author -c user.email=author@example.org "$@"
}
# author ARG...: gpc in the repository, as somebody without privileges.
author() { (cd "$repo" && HOME=$WORK setpriv --bounding-set -all --inh-caps -all "$GPC" "$@"); }
# edge MORE-ENDPOINTS MORE-PORTS PORT-OF-THE-PROBE
edge() {
	cat <<E
# SPDX-License-Identifier: MIT
apiVersion: gpc/v1
kind: Plane
metadata: {name: edge}
defaults: {on-fail: pass}
interfaces:
  - {name: wan0, mode: native, hooks: [xdp, tc-egress]}
segments:
  - {name: clients, cidrs: [10.77.0.0/24]}
  - {name: vips, cidrs: [$VIP4/32]}
backends:
  - name: web
    endpoints:
      - {name: backend1, address: 10.77.0.11}
$1
listeners:
  - {name: http, address: $VIP4, protocol: TCP, port: 80, forward: dsr, backend: web}
rules:
  - {name: web, from: clients, to: vips, ports: [tcp/80$2], action: allow}
  - {name: rest, from: clients, ports: [icmp, udp, tcp/22], action: allow}
policies:
  - {name: in, interfaces: [wan0], direction: ingress, rules: [web, rest]}
invariants:
  - {name: web-is-reached, always: {in: wan0, from: clients, to: vips, ports: [tcp/80]}}
probes:
  - {name: web-answers, http: {address: $VIP4, port: $3}, netns: $RIG-client, attempts: 2, interval: 50ms, timeout: 1s}
tests:
  - name: the web is balanced
    send: {in: wan0, from: 10.77.0.100, to: $VIP4, dport: 80}
    expect: {verdict: forward, backend: web}
E
}
second="      - {name: backend2, address: 10.77.0.12}"
commit() { # MESSAGE; the plane on stdin
	cat >"$repo/gpc.yaml"
	must source_git add -A
	must source_git commit -qm "$1"
}
must source_git init -q -b main
edge "" "" 80 | commit "one backend"

# ---- the forge: what it does with any commit of a change ----
# forge BRANCH: ends with the image in $WORK/BRANCH.gpi, or with the first step that fails.
forge() {
	author check --strict &&
		author test &&
		{ author diff --format markdown main >"$WORK/$1.md"; } &&
		author compile --strict -o "$WORK/$1.gpi"
}
check "main goes through the forge" forge main
must source_git checkout -qb two-backends
edge "$second" ", tcp/443" 80 | commit "two backends, and tcp/443"
check "the change does, too" forge two-backends
cp "$WORK/two-backends.md" "$WORK/out"
check_said "the request tells what is newly allowed" "| newly allowed | clients | vips | tcp/443 | wan0 ingress |"
check_said "and what becomes of the backend" "added: endpoint web/backend2"
check_exit "the forge can ask whether there is a difference" 2 author diff --exit-code main
check "the image names the commit" grep -qa "\"commit\":\"$(source_git rev-parse HEAD)\"" "$WORK/two-backends.gpi"

must source_git checkout -qb mistake main
edge "" "" 80 | sed '/name: web,.*ports/s/allow/deny/' | commit "the web is shut"
check_exit "what breaks an invariant ends in the forge" 4 forge mistake
check "it made no image" test ! -e "$WORK/mistake.gpi"
must source_git checkout -qb typo main
edge "" "" 80 | sed 's/attempts:/atempts:/' | commit "a slip"
check_exit "so does a slip" 3 forge typo

# ---- the host: only images come here ----
# ship BRANCH: the image, copied.
ship() { must mkdir -p "$WORK/host"; must cp "$WORK/$1.gpi" "$WORK/host/"; }
host() { (cd "$WORK/host" && gpc balancer "$@"); }
ship main
ship two-backends
check "main is applied" host apply --enforce --confirm 60s main.gpi
check_said "after its probe has passed" "probe web-answers passed"
check "and confirmed" host confirm
check "backend1 answers" all_answer "$VIP4" 20 backend1

check "the host tells what the change does to it, too" host diff live two-backends.gpi
check_said "the same as in the request" "tcp/443"
check "the change is applied, for a minute" host apply --confirm 60s two-backends.gpi
check_said "after its probe has passed" "probe web-answers passed"
check "status says that it waits" host status
check_said "for its confirmation" "PENDING"
check_exit "nobody else comes between" 6 host apply main.gpi
check "both backends answer" all_answer "$VIP4" 40 backend1 backend2
check "the change is confirmed" host confirm
check "it stays" host verify "$WORK/two-backends.gpi"

check "it is rolled back by hand" host rollback
check "backend1 answers" all_answer "$VIP4" 20 backend1
check "the kernel holds main's image again" host verify "$WORK/main.gpi"

# ---- a change that only the live plane finds out ----
must source_git checkout -qb broken main
edge "" "" 81 | sed 's/address: 10.77.0.11/address: 10.77.0.12/' | commit "probed where nothing listens"
check "the forge sees nothing wrong" forge broken
ship broken
check_exit "its probe takes it back" 7 host apply --confirm 60s broken.gpi
check_said "with the cause" "probe 'web-answers' failed"
check "backend1 answers" all_answer "$VIP4" 20 backend1
check_exit "the next run of the pipeline does not try it again" 4 host apply --confirm 60s broken.gpi
check "a change that nobody confirms is aborted" host apply --confirm 60s two-backends.gpi
check "by hand" host abort
check "backend1 answers" all_answer "$VIP4" 20 backend1
host log >"$WORK/log"
check_equal "the history has it all" "$(awk 'NR > 1 {print $1}' "$WORK/log" | tr '\n' ' ')" "5 4 3 2 1 "
check_equal "with what became of it" "$(grep -c rolled-back "$WORK/log")" 2
check_equal "and is plain git" "$(git -C "$WORK/state/balancer/history.git" log --format=%s | grep -c generation)" \
	"$(git -C "$WORK/state/balancer/history.git" log --format=%s | wc -l)"
rig_done
