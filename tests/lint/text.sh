#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What every text of the tree keeps to: licence line, no path of a machine, no leftover, shell that parses.
. "$(dirname "$0")/report.bash"

mapfile -t code < <(sources '*.c' '*.h' '*.def' '*.sh' '*.bash' '*.py' '*.mk' GNUmakefile .ci/run)
mapfile -t everything < <(sources '.' | grep -vE '\.(gpi|bin)$|/corpus/|/golden/')
mapfile -t shell < <(sources '*.sh' '*.bash' .ci/run)

# FILE<tab>LICENCE for each file: what its first three lines name, nothing where they name none.
licences() {
	awk 'function finish() { if (file != "") printf "%s\t%s\n", file, licence }
		FNR == 1 { finish(); file = FILENAME; licence = "" }
		FNR <= 3 && sub(/.*SPDX-License-Identifier: /, "") { licence = $0 }
		END { finish() }' "${code[@]}"
}
without_spdx() { licences | awk -F '\t' '$2 == "" {print $1 ": no SPDX line at the top"}'; }
wrong_licence() {
	licences | awk -F '\t' '{
		want = $1 ~ /^bpf\/include\// ? "MIT OR GPL-2.0-only" : $1 ~ /\.bpf\.[ch]$/ ? "(MIT OR GPL-2.0-only)" : "MIT"
		if (index($2, want) != 1) print $1 ": licence is not " want
	}'
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
