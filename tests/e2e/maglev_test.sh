#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# gpc maglev, and `rebalance: minimal` from the command line to the history: what moves is what whatif said,
# bytes depend on the sources and the parent alone, and generations are rebuilt to the same.
. "$(dirname "$0")/rig.bash"
rig_up 0

# A plane of 100 endpoints but for those named, from the parent with the fewest moves.
minimal() {
	local i
	cat <<-EOF
		apiVersion: gpc/v1
		kind: Plane
		metadata: {name: maglev${PARENT:+, parent: $PARENT}}
		interfaces: [{name: wan0}]
		listeners: [{name: http, address: $VIP4, protocol: TCP, port: $PORT, forward: dsr, backend: web}]
		backends:
		  - name: web
		    rebalance: minimal
		    table-size: 16381
		    endpoints:
	EOF
	for ((i = 1; i <= 100; i++)); do
		case " $* " in *" e$i "*) continue ;; esac
		echo "      - {name: e$i, address: 10.77.1.$i}"
	done
}
# Members of the first table or of the result, of --json.
member() { sed -n "s/.*\"$1\":\"*\\([^,\"}]*\\).*/\\1/p" "$WORK/out" | head -n 1; }
digest() { "$GPC" inspect "$1" --json | sed -n 's/.*"decision[^"]*":"\([0-9a-f]*\)".*/\1/p' | head -n 1; }

minimal >"$WORK/a.yaml"
minimal e7 >"$WORK/b.yaml"
check "the first image, without a parent" "$GPC" compile "$WORK/a.yaml" -o "$WORK/a.gpi"
check_said "a warning says that there is none" "W0452"
check "the same with a parent of the same endpoints" "$GPC" compile "$WORK/a.yaml" --parent "$WORK/a.gpi" -o "$WORK/a2.gpi"
check "moves nothing" cmp "$WORK/a.gpi" "$WORK/a2.gpi"

check "what if one goes" "$GPC" maglev whatif "$WORK/a.gpi" --backend web --remove e7 --json
least=$(member least) fresh=$(member fresh_moved)
check_equal "one from this table moves the least" "$(member minimal_moved)" "$least"
check "which is 1 %" test "$least" = 163 -o "$least" = 164
check "a fresh one moves around 2.34 %" test "$fresh" -gt 320 -a "$fresh" -lt 450
check "one goes" "$GPC" compile "$WORK/b.yaml" --parent "$WORK/a.gpi" -o "$WORK/b.gpi"
check "what moved" "$GPC" maglev show "$WORK/b.gpi" --parent "$WORK/a.gpi" --json
check_equal "is what whatif said" "$(member moved)" "$least"
check "in another folder, from a copy of the parent" \
	sh -c "mkdir '$WORK/other' && cd '$WORK/other' && cp ../b.yaml . && cp ../a.gpi before.gpi &&
	LC_ALL=C.UTF-8 '$GPC' compile b.yaml --parent before.gpi -o b.gpi"
check_equal "the decision is the same" "$(digest "$WORK/other/b.gpi")" "$(digest "$WORK/b.gpi")"
check "show as text" "$GPC" maglev show "$WORK/b.yaml" --parent "$WORK/a.gpi"
check_said "names what moved" "$least slots have another endpoint than in the parent: 1.00 %"

check "what if one comes and others weigh more" "$GPC" maglev whatif "$WORK/a.gpi" --backend web \
	--add new:3 --weight e1=2 --weight e2=0
check_said "has a row for it" "new"
check_exit "an endpoint that is not there" 3 "$GPC" maglev whatif "$WORK/a.gpi" --backend web --remove e700
check_said "did you mean" "did you mean 'e70'?"
check_exit "a backend that is not there" 3 "$GPC" maglev show "$WORK/a.gpi" --backend wed
check_exit "a change without its weight" 64 "$GPC" maglev whatif "$WORK/a.gpi" --backend web --weight e1
check_exit "a change for show" 64 "$GPC" maglev show "$WORK/a.gpi" --remove e1
check_exit "neither show nor whatif" 64 "$GPC" maglev list

PARENT=$(digest "$WORK/a.gpi") minimal e7 >"$WORK/named.yaml"
check "the parent that metadata names" "$GPC" compile "$WORK/named.yaml" --parent "$WORK/a.gpi" -o "$WORK/named.gpi"
check_exit "another one is refused" 3 "$GPC" check "$WORK/named.yaml" --parent "$WORK/b.gpi"
check_said "with its code" "E0450"
check_exit "a parent that is no image is refused" 3 "$GPC" check "$WORK/b.yaml" --parent "$WORK/a.yaml"
check_said "as such" "not a gpc image"
head -c 20000 "$WORK/a.gpi" >"$WORK/cut.gpi"
check_exit "a cut one, too" 3 "$GPC" check "$WORK/b.yaml" --parent "$WORK/cut.gpi"

check_exit "nothing runs that could be the parent" 1 gpc balancer apply "$WORK/a.yaml" --parent live
check "generation 1" gpc balancer apply "$WORK/a.gpi"
check_exit "a finished image has no parent" 64 gpc balancer apply "$WORK/b.gpi" --parent live
check "generation 2 from what runs" gpc balancer apply "$WORK/b.yaml" --parent live
check_said "moves the least" "1.0 % of the Maglev slots have another endpoint"
second=$(gpc balancer log --json | sed -n 's/.*"decision":"\([0-9a-f]*\)".*/\1/p' | head -n 1)
check_equal "the image is that of the parent's file" "$second" "$(digest "$WORK/b.gpi")"
minimal e7 e8 >"$WORK/c.yaml"
check "generation 3" gpc balancer apply "$WORK/c.yaml" --parent generation:2
check "generation 4 is generation 2" gpc balancer rollback 2
rm -rf "$WORK"/state/balancer/images/sha256/*
check "without its image it is rebuilt from its parent" gpc balancer rollback 3
check "verify" gpc balancer verify --exit-code
rm -rf "$WORK"/state/balancer/images/*/*
check_exit "generation 2 cannot be: its parent came without sources" 1 gpc balancer rollback 2
check_said "and that is said" "which its tables were made from"
rig_done
