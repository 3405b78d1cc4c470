#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# One read of the control word per invocation: in bpf/, gpc_ctl is defined once and its word read in
# pick_slot() alone, once; every entry point calls pick_slot() once. flows_since() reads another entry.
. "$(dirname "$0")/report.bash"

mapfile -t files < <(sources 'bpf/*.bpf.c' 'bpf/*.bpf.h')

# FILE:LINE:TEXT of each mention of gpc_ctl (the map, not the gpc_ctl_*() helpers) outside comments.
mentions() {
	[ ${#files[@]} -gt 0 ] || return 0
	awk 'FNR == 1 {comment = 0}
		{
			text = $0
			gsub(/\/\*[^*]*\*\//, "", text); sub(/\/\/.*/, "", text)
			if (comment) { if (text !~ /\*\//) next; sub(/.*\*\//, "", text); comment = 0 }
			if (text ~ /\/\*/) { sub(/\/\*.*/, "", text); comment = 1 }
			if (text ~ /(^|[^A-Za-z0-9_])gpc_ctl([^A-Za-z0-9_]|$)/) print FILENAME ":" FNR ":" $0
		}' "${files[@]}"
}
not_the_word() {
	local at
	while IFS= read -r at; do [ "$(function_of "$at")" = flows_since ] || echo "$at"; done
}
reads() { mentions | not_the_word | grep -vE '^[^:]+:[0-9]+:[[:space:]]*}?[[:space:]]*gpc_ctl[[:space:]]*SEC\("\.maps"\)'; }

function_of() { # FILE:LINE -> name of the function around it
	local file=${1%%:*} line=${1#*:}
	ctags --languages=C --langmap=C:.c.h --kinds-C=f --fields=+ne --output-format=json -o - "$file" |
		/usr/bin/python3 -c '
import json, sys
for line in sys.stdin:
    tag = json.loads(line)
    if tag["line"] <= int(sys.argv[1]) <= tag.get("end", 0):
        print(tag["name"])' "${line%%:*}"
}

not_one_read() {
	local n
	n=$(reads | grep -c .)
	[ "$n" -eq 1 ] || { echo "gpc_ctl is used in $n places beside its definition:"; reads; }
}
elsewhere() {
	local at name
	while IFS= read -r at; do
		name=$(function_of "$at")
		[ "$name" = pick_slot ] || echo "$at: in ${name:-no function}, not in pick_slot()"
	done < <(reads)
}

flows_since_reads_the_word() {
	local body
	body=$(sed -n '/flows_since(void)/,/^}/p' bpf/slot.bpf.h)
	[[ $body == *"key = GPC_CTL_FLOWS_SINCE;"* && $body != *GPC_CTL_WORD* ]] ||
		echo "flows_since() does not read GPC_CTL_FLOWS_SINCE"
}

rule "gpc_ctl is read in exactly one place" not_one_read
rule "flows_since() reads another entry" flows_since_reads_the_word
rule "that place is pick_slot()" elsewhere
rules_end
