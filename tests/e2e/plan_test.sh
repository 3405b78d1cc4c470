#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# gpc diff between files, images, generations, revisions and what runs, with its exact words; gpc plan on a
# host, and that a plan is applied only while the plane is as it was.
. "$(dirname "$0")/rig.bash"
unset SSH_CONNECTION
rig_up 0

# intent PORTS [MORE-RULES [NAMES]]: a stateful policy on wan0, a listener with two endpoints.
intent() {
	cat <<-END
		apiVersion: gpc/v1
		kind: Plane
		metadata: {name: shop}
		defaults: {on-fail: pass}
		interfaces: [{name: wan0, mode: native, hooks: [xdp, tc-egress]}]
		segments:
		  - {name: office, cidrs: [10.77.0.0/24, "fd77::/64"]}
		  - {name: shop, cidrs: [$VIP4, "$VIP6"]}
		listeners:
		  - {name: http, address: $VIP4, protocol: TCP, port: $PORT, forward: dsr, backend: web}
		backends:
		  - name: web
		    endpoints: [{name: a, address: 10.77.0.11}, {name: ${ENDPOINT:-b}, address: 10.77.0.12}]
		rules:
		  - {name: buy, from: office, to: shop, ports: [${1:-tcp/80}], action: allow}
		  - {name: office, to: office, action: allow}
		policies:
		  - {name: edge, interfaces: [wan0], direction: ingress, existing: recheck, rules: [buy, office]}
	END
}
here() { (cd "$WORK/source" && GPC_STATE_DIR=$WORK/state/none GPC_BPFFS=$BPFFS/none "$GPC" "$@"); }
git_in() { git -C "$WORK/source" -c user.name=t -c user.email=t@example.com -c init.defaultBranch=main "$@"; }
file_is() { diff -u "$2" "$1"; }

must mkdir "$WORK/source"
intent >"$WORK/source/one.yaml"
intent "tcp/80, tcp/8080-8081" >"$WORK/source/two.yaml"
ENDPOINT=c intent tcp/81 >"$WORK/source/three.yaml"
{ echo "# no difference"; intent; } >"$WORK/source/same.yaml"
intent "tcp/0-79, tcp/80, tcp/81-65535" | sed 's/- {name: buy,/- {name: spend,/; s/\[buy,/[spend,/' >"$WORK/source/split.yaml"
intent "tcp/0-65535" >"$WORK/source/whole.yaml"

# ---- diff ----
cat >"$WORK/want" <<-END
	one.yaml -> two.yaml: 1 newly allowed
	packets
	  newly allowed: office -> shop  tcp/8080-8081  on wan0 ingress
	      e.g. tcp 10.77.0.0:40000 -> $VIP4:8080
	      deny by the default of policy edge (one.yaml:18:5)  ->  allow by rule buy of policy edge (two.yaml:15:5)
END
here diff one.yaml two.yaml >"$WORK/got"
check "diff says what is newly allowed, and by which lines" file_is "$WORK/got" "$WORK/want"
check_exit "--exit-code is 2" 2 here diff --exit-code one.yaml two.yaml
check "a change that moves slots" here diff one.yaml three.yaml
check_said "says what moves" "slots move"
check_said "the least that had to" "the least is"
check_said "and that a name is the identity" "warning: endpoint web/c is b under another name"
check "a comment" here diff --exit-code one.yaml same.yaml
check_said "leaves the bytes as they are" "one.yaml -> same.yaml: bytes identical"
check "a rule that is split and renamed" here diff --exit-code whole.yaml split.yaml
check_said "treats no packet differently" "no packet is treated differently"

check "markdown" here diff --format markdown one.yaml two.yaml
check_said "has a table" "| newly allowed | office | shop | tcp/8080-8081 | wan0 ingress |"
check_said "and a summary" "**1 newly allowed**"
check "json" here diff --json one.yaml two.yaml
check_said "has the space" '"effect":"allowed"'
check "text" here diff --text one.yaml two.yaml
check_said "has the lines" "+  - {name: buy, from: office, to: shop, ports: [tcp/80, tcp/8080-8081], action: allow}"
must here compile one.yaml -o one.gpi
check "images" here diff one.gpi two.yaml
check_said "say the same" "newly allowed: office -> shop  tcp/8080-8081"

must git_in init -q
must git_in add one.yaml
must git_in commit -qm one
must cp "$WORK/source/two.yaml" "$WORK/source/one.yaml"
check "a revision against the working file" here diff HEAD one.yaml
check_said "says the same" "newly allowed: office -> shop  tcp/8080-8081"
check_exit "a revision that is none" 3 here diff HEAD~4 one.yaml

# ---- plan ----
elsewhere() { (cd "$WORK/source" && in_ns balancer env GPC_STATE_DIR="$WORK/state/other" GPC_BPFFS="$BPFFS/other" "$GPC" "$@"); }
balancer() { (cd "$WORK/source" && gpc balancer "$@"); }
must git_in checkout -q one.yaml
check_exit "a plan for a host where nothing runs" 2 balancer plan --detailed-exitcode one.yaml -o first.gpp
check_said "says that nothing runs" "nothing runs -> one.yaml"
check_said "what is denied then" "newly denied"
check_said "that policies only audit at first" "policies only audit here: what is newly denied is counted and passes"
check_said "what it costs" "loads one after the other; estimate"
check_exit "it is of this host" 6 elsewhere apply first.gpp
check_said "and says so" "the plan was made on another host"
check "it is applied" balancer apply first.gpp
check_exit "and not twice: the plane is another" 6 balancer apply first.gpp
check_said "and says so" "the plan was made when nothing ran, now generation 1 does"

check "a plan against what runs" balancer plan two.yaml -o second.gpp
check_said "names it" "live (generation 1) -> two.yaml: 1 newly allowed"
check_said "counts flows" "live: 0 pick another endpoint"
check_exit "what runs already" 0 balancer plan --detailed-exitcode one.yaml
check_said "is no difference" "bytes identical"
check_exit "with --enforce it would change something" 2 balancer plan --detailed-exitcode --enforce one.yaml
check_said "namely that policies decide" "policies turn from audit to enforce"
check_said "so packets that pass now are denied" "newly denied: "
check_said "by which line" "default of policy edge (one.yaml:18:5)"
if grep -q "^written: 1 policy" "$WORK/out"; then failed "and no text is told as changed"; else passed "and no text is told as changed"; fi
check_exit "a plan that was made without --enforce is not applied with it" 64 balancer apply --enforce second.gpp
must balancer off
must balancer on
check_exit "the world moved: the plan is refused" 6 balancer apply second.gpp
check_said "and says since when" "was made against generation 1 as it was"
must balancer plan three.yaml -o third.gpp
must balancer drain web/b
check_exit "what operators have set is part of the world" 6 balancer apply third.gpp
check_said "and says so" "what operators have set"
must balancer undrain web/b
must balancer plan two.yaml -o second.gpp
cp "$WORK/source/second.gpp" "$WORK/source/bad.gpp"
printf x | dd of="$WORK/source/bad.gpp" bs=1 seek=5000 conv=notrunc status=none
check_exit "a damaged plan is refused" 3 balancer apply bad.gpp
must cp "$WORK/source/second.gpp" "$WORK/source/second.plan"
check "what is in a plan" balancer diff live second.plan
check_said "can be compared" "live -> second.plan: 1 newly allowed"
check_exit "it is finished" 64 balancer apply --allow-expired second.plan
check_said "and says so" "is a finished plan"
check "a fresh one is applied, whatever its name" balancer apply second.plan
check "planned again" balancer plan second.gpp
check_said "it is refused now" "gpc apply would be refused (6): the plan was made against generation 1 as it was"
check "json" balancer plan --json one.yaml
check_said "has the host" '"type":"host"'
check "generations and live" balancer diff @~1 live
check_said "say the same" "generation 1 -> live: 1 newly allowed"
check "their sources" balancer diff --text 1 2
check_said "are in the history" "+  - {name: buy, from: office, to: shop, ports: [tcp/80, tcp/8080-8081], action: allow}"

# ---- the history is part of the world: it says whether policies decide ----
must balancer detach
must balancer plan one.yaml -o idle.gpp
must balancer apply --enforce --force one.yaml
must balancer detach
check_exit "a plan that says audit does not enforce" 6 balancer apply --force idle.gpp
check_said "and says why not" "generation 2 was the last that stood in the history, now generation 3 is"

# ---- what stands between a plan and what it says ----
warns() { # WHAT TEXT INTENT
	check "a plan: $1" balancer plan "$3"
	check_said "is warned of" "$2"
}
must balancer apply one.yaml
sed 's/wan0/wan9/' "$WORK/source/two.yaml" >"$WORK/source/away.yaml"
warns "without a device" "would be refused (5): no device of this host matches" away.yaml
{ intent; echo "probes: [{name: p, exec: {command: [/bin/true]}}]"; } >"$WORK/source/probed.yaml"
warns "whose probes run programs" "would be refused (4): probe 'p' of the plane would run '/bin/true'" probed.yaml
must balancer off
must balancer drain web/b
warns "where the plane is off" "the plane is off: every packet passes" three.yaml
check_said "and an override ends" "the override 'drain' of 'web/b' would end"
must balancer undrain web/b
must balancer on
check_exit "a failed probe" 7 balancer apply two.yaml --force --probe "attempts=1 exec /bin/false"
warns "in quarantine" "would be refused (4): this plane was live as generation" two.yaml
must balancer apply three.yaml --force --confirm 60s
warns "while an apply waits" "gpc apply is refused (6) until gpc confirm or gpc abort" one.yaml
check_exit "none is written then" 6 balancer plan one.yaml -o late.gpp
check "status, in JSON" balancer status --json
check_said "says that it waits" '"type":"pending"'
must balancer abort
must balancer apply three.yaml --force --confirm 1s
must sleep 1.1 # the deadline
check "a plan after the deadline" balancer plan three.yaml -o late.gpp
check_said "says what decides" "was not confirmed in time: generation"
check_said "and records it" "was not confirmed in time, now it is recorded"
check "and is applied, although that is settled first" balancer apply --force late.gpp
must balancer detach
must balancer apply three.yaml --force --confirm 1s
must sleep 1.1 # the deadline
check "a plan after a first apply that expired" balancer plan one.yaml
check_said "says that nothing runs" "nothing runs -> one.yaml"
check_said "and why" "and nothing ran before it: every packet passes"
rig_done
