#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs the tiers of tests in the order of the table below, shows what failed with its log, goes on,
# and ends with one line: N passed, N failed, N skipped.
#
#   tests/check.sh [--long] [TIER...]      no TIER: all of them
#
# Every test program, whatever it is written in, speaks one protocol on stdout:
#   NAME: N passed, N failed     once, at its end
#   skip: NAME: REASON           for each thing that it cannot run here
# and exits 0 only if nothing failed. One that exits 0 without such a line counts as failed.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

# tier | needs root | what it is
TIERS="
build    | no  | gpc and the test programs, plain and with ASan and UBSan
lint     | no  | layers, sizes, headers alone, SPDX, shell, control word
unit     | no  | CUnit, one program per module
unit-san | no  | the same under ASan and UBSan
golden   | no  | YAML in, exact tables or exact diagnostics out
drift    | no  | generated files are what their generators write
oracle   | no  | second, obvious implementations against the compiler's
bpf      | yes | BPF_PROG_TEST_RUN: packets in, exact bytes out
e2e      | yes | network namespaces, real TCP, real attach, faults
swap     | yes | swaps under packets: none lost, none of mixed generation
readme   | yes | the commands of README.md and the examples
fuzz     | no  | libFuzzer from the kept corpus
"

export GPC_CHECK_LONG=
[ "${1:-}" = --long ] && export GPC_CHECK_LONG=1 && shift
unset MAKEFLAGS MFLAGS MAKELEVEL
jobs=$(nproc)
limit=${GPC_CHECK_TIMEOUT:-${GPC_CHECK_LONG:+7200}}
limit=${limit:-900}
logs=build/check
rm -rf "$logs"
mkdir -p "$logs"

# ---- running -------------------------------------------------------------------------------------

# What ran in this tier, in order: NAME\tKIND (counts: the program speaks the protocol; status: its
# exit status is its one result).
ran=()

launch() {
	local kind=$1 name=$2 status=0 start=$SECONDS
	shift 2
	timeout --kill-after=10 "$limit" "$@" </dev/null >"$logs/$name.log" 2>&1 || status=$?
	[ "$status" -ne 124 ] || echo "stopped: it took longer than $limit s" >>"$logs/$name.log"
	echo "$kind $status" >"$logs/$name.status"
	echo "$((SECONDS - start)) $name" >>"$logs/seconds"
}

# program NAME CMD...: a test program. step NAME CMD...: anything else.
program() { ran+=("$1"); mkdir -p "$(dirname "$logs/$1")"; launch counts "$@"; }
step() { ran+=("$1"); mkdir -p "$(dirname "$logs/$1")"; launch status "$@"; }

# programs PREFIX PARALLEL: test programs, one path a line on stdin; PREFIX is cut off their names.
programs() {
	local prefix=$1 parallel=$2 path name running=0
	while IFS= read -r path; do
		[ -n "$path" ] || continue
		name=$tier/${path#"$prefix"}
		ran+=("$name")
		mkdir -p "$(dirname "$logs/$name")"
		[ "$running" -lt "$parallel" ] || { wait -n; running=$((running - 1)); }
		launch counts "$name" "$path" &
		running=$((running + 1))
	done
	wait
	[ ${#ran[@]} -gt 0 ] || step "$tier/none" sh -c 'echo "this tier has nothing to run"; exit 1'
}

quiet_make() { make --no-print-directory -s "$@"; }
built() { quiet_make "$@" | tr ' ' '\n'; }

# ---- the tiers -----------------------------------------------------------------------------------

tier_build() {
	step build/plain make --no-print-directory -k -j"$jobs" all tools test-programs bench-programs failpoints others
	step build/sanitized make --no-print-directory -k -j"$jobs" SAN=1 unit-programs
}
tier_lint() { programs tests/lint/ "$jobs" < <(printf '%s\n' tests/lint/*.sh); }

# Minutes in the kernel's verifier and its grace periods: first, so that no core waits for them at the end.
long="plane/(kill|meet|confirm|swap|binding|verify|policy|host)_test\$"
long_e2e="/(crash|audit_crash|recheck|sticky|nft_policy)_test.sh\$"
long_first() { # REGEX: the lines of stdin, those that match first
	awk -v long="$1" '$0 ~ long {print; next} {others = others $0 "\n"} END {printf "%s", others}'
}
tier_unit() { programs build/tests/unit/ "$jobs" < <(built print-unit | long_first "$long"); }
# The sanitizers learn nothing new of them.
tier_unit_san() {
	local left_out=$long
	if [ -n "${GPC_CHECK_LONG:-}" ]; then
		left_out=none
	else
		echo "unit-san: ${left_out%\$} run with sanitizers in check-long only"
	fi
	programs build/san/tests/unit/ "$jobs" < <(built SAN=1 print-unit | grep -vE "$left_out")
}
tier_golden() { program golden make --no-print-directory -s golden; }
tier_drift() { program drift make --no-print-directory -s drift; }
tier_oracle() {
	program oracle/image_check tests/oracle/image_check.py build/gpc examples/*.yaml examples/*/gpc.yaml \
		tests/golden/tables/policies.yaml tests/fuzz/image/invariants.yaml
	program oracle/policy_check tests/oracle/policy_check.py build/gpc
	program oracle/choice_check tests/oracle/choice_check.py build/gpc build/tests/tools/choose
	programs build/tests/oracle/ "$jobs" < <(built print-oracle)
}
tier_bpf() {
	program bpf/choice tests/oracle/choice_check.py --kernel build/gpc build/tests/tools/choose "${GPC_CHECK_LONG:+6}4"
	programs build/tests/bpf/ 1 < <(built print-bpf)
}
# They wait for clocks more than they work.
tier_e2e() { programs tests/e2e/ "$((jobs + 2))" < <(printf '%s\n' tests/e2e/*_test.sh | long_first "$long_e2e"); }
tier_swap() { program swap tests/bench/swap.sh --check; }
tier_readme() { program readme tests/readme.sh; }
tier_fuzz() {
	step fuzz/build make --no-print-directory -s -j"$jobs" fuzzers
	program fuzz/run make --no-print-directory -s fuzz FUZZ_SECONDS="${GPC_CHECK_LONG:+600}"
}

# ---- counting ------------------------------------------------------------------------------------

passed=0 failed=0 skipped=0
failures=() skips=()

# Adds what the test $1 said to tier_passed, tier_failed, tier_skipped.
account() {
	local name=$1 log=$logs/$1.log kind status p f s line
	read -r kind status <"$logs/$name.status"
	p=0 f=0 s=0
	if [ "$kind" = status ]; then
		if [ "$status" -eq 0 ]; then p=1; else f=1; fi
	else
		read -r p f < <(sed -nE 's/^[^:]+: ([0-9]+) passed, ([0-9]+) failed.*$/\1 \2/p' "$log" |
			awk '{p += $1; f += $2} END {print p + 0, f + 0}')
		while IFS= read -r line; do
			skips+=("${line#skip: }")
			s=$((s + 1))
		done < <(grep -a '^skip: ' "$log")
		if [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then
			f=1
			echo "exit status $status" >>"$log"
		elif [ "$status" -eq 0 ] && [ $((p + f + s)) -eq 0 ]; then
			f=1
			echo "no test ran: there is no line 'NAME: N passed, N failed'" >>"$log"
		elif [ "$status" -eq 0 ] && [ "$f" -ne 0 ]; then
			echo "it exits 0 although $f failed" >>"$log"
		fi
	fi
	[ "$f" -eq 0 ] || failures+=("$name")
	tier_passed=$((tier_passed + p)) tier_failed=$((tier_failed + f)) tier_skipped=$((tier_skipped + s))
}

run_tier() {
	local root=$1 what=$2 start=$SECONDS name
	tier_passed=0 tier_failed=0 tier_skipped=0
	ran=()
	if [ "$root" = yes ] && [ "$(id -u)" -ne 0 ]; then
		skips+=("$tier: needs root ($what)")
		tier_skipped=1
	else
		"tier_${tier//-/_}"
		for name in "${ran[@]}"; do account "$name"; done
	fi
	printf '%-9s %5d passed %3d failed %3d skipped %5d s  %s\n' "$tier" "$tier_passed" "$tier_failed" \
		"$tier_skipped" $((SECONDS - start)) "$what"
	passed=$((passed + tier_passed)) failed=$((failed + tier_failed)) skipped=$((skipped + tier_skipped))
}

wanted() {
	local t
	[ $# -gt 1 ] || return 0
	for t in "${@:2}"; do [ "$t" != "$1" ] || return 0; done
	return 1
}

for tier in "$@"; do
	printf '%s\n' "$TIERS" | grep -q "^$tier *|" && continue
	echo "error: there is no tier '$tier'; there are:$(printf '%s\n' "$TIERS" | awk -F '|' 'NF {gsub(/ /, "", $1); printf " %s", $1}')" >&2
	exit 64
done

while IFS='|' read -r -u 3 tier root what; do
	tier=${tier// /} root=${root// /}
	[ -n "$tier" ] && wanted "$tier" "$@" || continue
	run_tier "$root" "${what# }"
	if [ "$tier" = build ] && [ "$tier_failed" -ne 0 ] && [ $# -eq 0 ]; then
		echo "build failed: the other tiers run with what there is"
	fi
done 3< <(printf '%s\n' "$TIERS")

echo "longest:$(sort -rn "$logs/seconds" | head -12 | awk '{printf "%s %s %d s", (NR > 1 ? "," : ""), $2, $1}')"
for name in "${failures[@]}"; do
	printf '\n---- failed: %s (last 60 lines of %s)\n' "$name" "$logs/$name.log"
	tail -n 60 "$logs/$name.log"
done
[ ${#failures[@]} -eq 0 ] || echo
for line in "${skips[@]}"; do echo "skipped: $line"; done
if [ "${CI:-}" = true ] && [ "$skipped" -ne 0 ]; then
	echo "CI=true allows no skipped test"
	status=1
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "${status:-0}" -eq 0 ] && [ "$passed" -gt 0 ]
