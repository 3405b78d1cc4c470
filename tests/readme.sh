#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What README.md tells a reader to type works: its marked blocks are cut out and run as they stand,
# the user's part without privileges, root's part on a balancer in a namespace. Every example compiles,
# the links lead somewhere, and the demo runs to its end.
. "$(dirname "$0")/e2e/rig.bash"
README=$RIG_ROOT/README.md

block() { # NAME: the text of the sh block after <!-- test: NAME -->
	awk -v mark="<!-- test: $1 -->" '$0 == mark {found = 1; next}
		found && /^```sh$/ {inside = 1; next} inside && /^```$/ {exit} inside {print}' "$README"
}
every_sh_block_is_tested() {
	local blocks marks
	blocks=$(grep -c '^```sh$' "$README")
	marks=$(grep -c '^<!-- test: ' "$README")
	echo "$blocks blocks of sh; $marks are marked, and the first is make demo and make check"
	[ "$blocks" -eq $((marks + 1)) ]
}
links() {
	local from target bad=0
	for from in "$README" "$RIG_ROOT"/docs/*.md; do
		for target in $(grep -ohE '\]\([^)#:]+\)' "$from" | tr -d '()]' | sort -u); do
			[ -e "$(dirname "$from")/$target" ] || { echo "$from links to $target, which is not there"; bad=1; }
		done
	done
	return $bad
}

check "every block of commands in README.md is run here" every_sh_block_is_tested
check "the links in README.md and docs/ lead somewhere" links
check_equal "README.md begins with the two commands" \
	"$(sed -n '4,5s/ *#.*//p' "$README" | tr '\n' ',')" "make demo,make check,"
check ".ci/run runs make check" grep -qx 'exec make check' "$RIG_ROOT/.ci/run"

rig_up 2
mkdir "$WORK/tree"
for entry in "$RIG_ROOT"/*; do ln -s "$entry" "$WORK/tree/"; done
unprivileged() { (cd "$WORK/tree" && setpriv --bounding-set -all --inh-caps -all bash -euc "$1"); }
check "the user's commands, without privileges" unprivileged "$(block user)"
check "they compile to the same bytes once more" \
	unprivileged "'$GPC' compile -f edge.yaml -o second.gpi; cmp edge.gpi second.gpi"
check "an image goes to standard output by any name of it, and nothing else does" \
	unprivileged "'$GPC' compile -f edge.yaml -o /dev/stdout | cmp edge.gpi -
		'$GPC' compile -f edge.yaml -o - >third.gpi; cmp edge.gpi third.gpi
		'$GPC' compile -f edge.yaml -o /dev/stdout >third.gpi; cmp edge.gpi third.gpi"

cp "$WORK/tree/edge.yaml" "$WORK/edge.yaml"
mkdir -m 700 "$WORK/state/balancer"
as_root() {
	(cd "$WORK" && GPC_STATE_DIR=$WORK/state/balancer GPC_BPFFS=$BPFFS/balancer PATH=$RIG_ROOT/build:$PATH \
		in_ns balancer bash -euc "$1")
}
root=$(block root)
check "root's commands up to the first apply" as_root "$(sed '/^sed /,$d' <<<"$root")"
check "traffic is balanced" all_answer "$VIP4" 100 backend1 backend2
check "root's commands up to the drain" as_root "$(sed -n '/^sed /,/^gpc apply/p' <<<"$root")"
check "web-2 gets no new connections" all_answer "$VIP4" 100 backend1
check "root's commands up to detach" as_root "$(sed -n '/^gpc confirm/,$p' <<<"$root" | sed '/^gpc detach/,$d')"
check "traffic is balanced" all_answer "$VIP4" 100 backend1 backend2
check "root's last command" as_root "$(sed -n '/^gpc detach/,$p' <<<"$root")"
check_equal "it leaves nothing in the kernel" "$(find "$BPFFS/balancer" -type f 2>/dev/null | wc -l)" 0

man_page_names_all() {
	local command page=$WORK/installed/usr/share/man/man1/gpc.1
	for command in $("$GPC" --help | sed -nE 's/^  ([a-z]+) +[^ ].*/\1/p'); do
		grep -qx "\.SS gpc $command" "$page" || { echo "$page does not name $command"; return 1; }
	done
}
check "the user's commands about a policy, without privileges" unprivileged "export PATH=\$PWD/build:\$PATH
	$(block "policy user")"
check_said "its packet is explained" "deny, by the default of policy in"
cp "$WORK/tree/server.yaml" "$WORK/server.yaml"
serve balancer 81
wait_for "a server on the host" test -e "$WORK/ready-balancer-81"
can() { in_ns client timeout 5 bash -c "exec 3<>/dev/tcp/10.77.0.1/$1"; }
cannot() { ! can "$@"; }
root=$(block "policy root")
check "root's commands up to the first status" as_root "$(sed '/^gpc status/,$d' <<<"$root")"
check "an audit lets everything in" can 81
check "root's commands up to enforcement" as_root "$(sed -n '/^gpc status/,/^gpc events/p' <<<"$root" | sed '/would-deny/q')"
check_said "they tell what would be denied" "would-deny  wan0 xdp  tcp 10.77.0.100"
check "root's command that enforces" as_root "$(sed -n '/^gpc apply --enforce/p' <<<"$root")"
check "what no rule allows is denied" cannot 81
check "root's commands up to detach" as_root "$(sed '1,/^gpc apply --enforce/d;/^gpc detach/,$d' <<<"$root")"
check_said "they tell what was denied" "10.77.0.1:81 S  in/default"
check "root's last command" as_root "$(sed -n '/^gpc detach/,$p' <<<"$root")"

check "make install" make -s -C "$RIG_ROOT" install DESTDIR="$WORK/installed" PREFIX=/usr
check "what it installed runs" "$WORK/installed/usr/bin/gpc" --version
check "the man page names every command" man_page_names_all
# completes WORD...: what bash offers for the last word, on one line.
completes() {
	bash -c '. "$0"; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _gpc gpc "${*: -1}" "${*: -2:1}"; echo "${COMPREPLY[*]}"' \
		"$WORK/installed/usr/share/bash-completion/completions/gpc" "$@"
}
check_equal "completion: commands" "$(completes gpc res)" "restore"
check_equal "completion: options" "$(completes gpc apply --en)" "--env --enforce"
check_equal "completion: words of an option" "$(completes gpc events --type would)" "would-deny"
check_equal "completion: devices" "$(completes gpc explain --in l)" "lo"
check_equal "completion: files" "$(cd "$RIG_ROOT" && completes gpc check examples/we)" "examples/web.yaml"
check_equal "completion: words that go first" "$(cd "$WORK" && completes gpc maglev sh)" "show"
check_equal "completion: nothing for a number" "$(completes gpc log -n '')" ""

# At least one test is there, and all of them pass.
tests_pass() {
	local out status=0
	out=$("$GPC" test "$@") || status=$?
	echo "$out"
	[ "$status" -eq 0 ] && ! grep -q '^0 tests' <<<"$out"
}
# example FILE [-e ENV]
example() {
	local name=${1#"$RIG_ROOT"/} file=$1
	shift
	name="$name${2:+ with $2}"
	check "$name passes gpc check --strict" "$GPC" check --strict --today 2026-01-01 -f "$file" "$@"
	check "$name compiles" "$GPC" compile -f "$file" "$@" -o "$WORK/example.gpi"
	check "$name: its image can be inspected" "$GPC" inspect "$WORK/example.gpi"
	check "$name: its tests pass" tests_pass -f "$file" "$@"
	check "$name: its tests pass in the kernel" tests_pass --kernel -f "$file" "$@"
}
for file in "$RIG_ROOT"/examples/*.yaml "$RIG_ROOT"/examples/*/gpc.yaml; do
	example "$file"
	for overlay in "$(dirname "$file")"/overlays/*.yaml; do
		[ ! -e "$overlay" ] || example "$file" -e "$(basename "$overlay" .yaml)"
	done
done
check "gpc compile -v says which listener goes before which" \
	"$GPC" compile -v -f "$RIG_ROOT/examples/overlap/gpc.yaml" -o "$WORK/example.gpi"
check_said "the next wider one" "listener media (192.0.2.10 TCP 8400-8499) goes before ports (192.0.2.10 TCP 8000-8999)"
check_said "and the listeners of each table" "  outside, stream, web"
check "make demo runs to its end" "$RIG_ROOT/tests/demo.sh"
check_said "and its download was completed" "not one lost"
rig_done
