#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What `gpc fmt` writes. For each NAME.yaml in tests/golden/layout it is NAME.expected, which stays as it
# is when laid out again; UPDATE=1 writes it anew. And for every intent of the tree that compiles, laid out
# it compiles to the same decisions, as many warnings and tests.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

gpc=$(realpath "$1")
cases=tests/golden/layout
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

fail() {
	failed=$((failed + 1))
	echo "FAILED $1: $2"
}

for case in "$cases"/*.yaml; do
	name=$(basename "$case" .yaml)
	"$gpc" fmt - <"$case" >"$work/actual" 2>&1
	[ -z "${UPDATE:-}" ] || cp "$work/actual" "$cases/$name.expected"
	if diff -u "$cases/$name.expected" "$work/actual" && "$gpc" fmt - <"$work/actual" | diff -u "$work/actual" -; then
		passed=$((passed + 1))
	else
		fail "$name" "not what is expected, or not the same again; UPDATE=1 accepts it"
	fi
done

# What a plane is, whatever the places in its files are.
facts() { # FOLDER FILE [ENV]
	(cd "$1" && "$gpc" check --json --today 2026-01-01 -f "$2" ${3:+-e "$3"}) |
		sed -nE 's/.*"type":"result","errors":([0-9]+),"warnings":([0-9]+),.*"decision":"([0-9a-f]+)".*/\1 \2 \3/p'
	! grep -qrE '^tests:|^kind: Tests' "$1" || (cd "$1" && "$gpc" test -f "$2" ${3:+-e "$3"} 2>/dev/null) |
		sed -E 's/^[^ ]+:[0-9]+:[0-9]+: //' | sort
}

# Some lie there so as not to be read.
each_file() { find "$work/tree" -name '*.yaml' -type f -print0 | xargs -0 -n1 "$gpc" fmt "$1" 2>/dev/null; }

# project NAME FOLDER FILE [ENV]
project() {
	local name=$1 folder=$2 file=$3 env=${4:-} before
	before=$(facts "$folder" "$file" "$env")
	grep -qE '^0 [0-9]+ [0-9a-f]' <<<"$before" || return 0
	rm -rf "$work/tree"
	cp -r "$folder" "$work/tree"
	each_file --write >/dev/null
	if each_file --check | grep .; then
		fail "$name" "laid out, it changes again"
	elif diff <(echo "$before") <(facts "$work/tree" "$file" "$env"); then
		projects=$((projects + 1))
	else
		fail "$name" "laid out, it is another plane"
	fi
}

projects=0
for file in examples/*.yaml tests/golden/tables/*.yaml; do project "$file" "$(dirname "$file")" "$(basename "$file")"; done
for file in examples/*/gpc.yaml; do
	project "$file" "$(dirname "$file")" gpc.yaml
	for env in "$(dirname "$file")"/overlays/*.yaml; do
		[ ! -e "$env" ] || project "$file $env" "$(dirname "$file")" gpc.yaml "$(basename "$env" .yaml)"
	done
done
for case in tests/golden/diagnostics/*; do
	[ ! -e "$case/in/gpc.yaml" ] || grep -q 'error\[' "$case/expected" || project "$case" "$case/in" gpc.yaml
done
for file in $("$gpc" fmt --check examples/templates/*/gpc.yaml examples/templates/*/*/*.yaml); do fail "$file" "a template is not in the layout"; done
[ "$projects" -gt 20 ] || fail projects "only $projects of them compile: this shows nothing"
echo "golden/layout: $((passed + projects)) passed, $failed failed"
[ "$failed" -eq 0 ]
