#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What every text of the tree keeps to: licence line, no path of a machine, no leftover, shell that parses.
. "$(dirname "$0")/report.bash"

mapfile -t code < <(sources '*.c' '*.h' '*.def' '*.sh' '*.bash' '*.py' '*.mk' GNUmakefile .ci/run)
mapfile -t everything < <(sources '.' | grep -vE '\.(gpi|bin)$|/corpus/|/golden/')
mapfile -t shell < <(sources '*.sh' '*.bash' .ci/run)

without_spdx() {
	local f
	for f in "${code[@]}"; do
		head -n 3 "$f" | grep -q 'SPDX-License-Identifier: ' || echo "$f: no SPDX line at the top"
	done
}
wrong_licence() {
	local f want
	for f in "${code[@]}"; do
		case $f in
		bpf/include/*) want='MIT OR GPL-2.0-only ' ;;
		*.bpf.[ch]) want='(MIT OR GPL-2.0-only)' ;;
		*) want='MIT' ;;
		esac
		head -n 3 "$f" | grep -qF "SPDX-License-Identifier: ${want% }" || echo "$f: licence is not $want"
	done
}
unparsable() {
	local f
	for f in "${shell[@]}"; do
		case $(head -n 1 "$f") in
		'#!/bin/sh'*) sh -n "$f" 2>&1 ;;
		*) bash -n "$f" 2>&1 ;;
		esac
	done
}
not_executable() {
	local f
	for f in "${shell[@]}"; do
		case $(head -n 1 "$f") in '#!'*) [ -x "$f" ] || echo "$f: has #! but is not executable" ;; esac
	done
}
machine_paths() { grep -nIE '(^|[^A-Za-z0-9_.$}])/(home|root|work|Users)/[a-zA-Z.]|/tmp/(wt|brief)' "${everything[@]}" | grep -v '^tests/lint/text.sh:'; }
leftovers() { grep -nIE '\b(TODO|FIXME|XXX|HACK)\b' "${code[@]}" | grep -vE '^tests/lint/text.sh:|mktemp|XXXXXX'; }
trailing_space() { grep -nIE '[ 	]+$' "${code[@]}"; }

rule "every source has an SPDX line" without_spdx
rule "the licence is that of its folder" wrong_licence
rule "shell scripts parse" unparsable
rule "shell scripts are executable" not_executable
rule "no path of one machine" machine_paths
rule "no leftover marks" leftovers
rule "no white space at line ends" trailing_space
rules_end
