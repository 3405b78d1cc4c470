#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What the compiler says, word by word: each folder NNNN-topic/ below tests/golden/diagnostics holds
#
#   in/        the project; gpc.yaml is compiled
#   args       other arguments of the tool diagnostics, one line (optional)
#   make.sh    run in a copy of in/, for input that is too large or too odd to keep (optional);
#              $TOP is the top of the tree
#   expected   what is printed; empty for valid input
#
# UPDATE=1 writes `expected` anew. Every code of the ranges below is in some case.
set -uo pipefail
cd "$(dirname "$0")/../.."

tool=$(realpath "$1")
export TOP=$PWD			# for make.sh
cases=tests/golden/diagnostics
covered='0[0-4]'
# No text shows these: a fault of the layout; keys and words that are not built, for there are none today; more
# endpoints than the limit of nodes lets through, chance, and tables too entangled to be judged. Unit tests show chance.
elsewhere='E0018|E0103|E0107|E0404|E0409|E0411|E0476'
work=$(mktemp -d)
trap 'chmod -R u+rwX "$work"; rm -rf "$work"' EXIT
passed=0 failed=0

fail() {
	failed=$((failed + 1))
	echo "FAILED $1: $2"
}

# The folder to compile in: in/ itself, or a copy that make.sh has worked on.
root_of() {
	local case=$1
	[ -f "$case/make.sh" ] || { echo "$case/in"; return; }
	mkdir -p "$work/$(basename "$case")"
	[ ! -d "$case/in" ] || cp -a "$case/in/." "$work/$(basename "$case")"
	(cd "$work/$(basename "$case")" && sh "$OLDPWD/$case/make.sh") >&2 || return 1
	echo "$work/$(basename "$case")"
}

run_case() {
	local case=$1 name root args=(gpc.yaml) status=0 wanted=0
	name=$(basename "$case")
	root=$(root_of "$case") || { fail "$name" "make.sh failed"; return; }
	[ ! -f "$case/args" ] || read -r -a args <"$case/args"
	timeout 20 "$tool" "$root" "${args[@]}" >"$work/actual" 2>&1 </dev/null || status=$?
	# The digest of an image changes with every layout.
	sed -Ei 's/(decision digest is )[0-9a-f]{64}/\1DIGEST/' "$work/actual"
	[ -z "${UPDATE:-}" ] || cp "$work/actual" "$case/expected"
	grep -q ': error\[\|^error\[' "$work/actual" && wanted=3
	if ! diff -u "$case/expected" "$work/actual"; then
		fail "$name" "not what is expected; UPDATE=1 accepts it"
	elif [ "$status" -ne "$wanted" ]; then
		fail "$name" "exit status $status instead of $wanted"
	else
		passed=$((passed + 1))
	fi
	[ ! -f "$case/make.sh" ] || rm -rf "$root"
}

for case in "$cases"/[0-9]*; do run_case "$case"; done

missing=$(grep -oE "^X\([EW]${covered}[0-9]{2}" compiler/diag/codes.def | cut -c3- | grep -vE "$elsewhere" | while read -r code; do
	grep -qs "\[$code\]" "$cases"/*/expected || echo "$code"
done)
if [ -n "$missing" ]; then
	fail "codes" "no case shows $(echo $missing)"
else
	passed=$((passed + 1))
fi

echo "golden/diagnostics: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
