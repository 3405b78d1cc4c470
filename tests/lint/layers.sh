#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Who may include whom: the folders of compiler/ stand in the order in which the data flows, and
# each may include only what stands above it; the kernel side knows neither compiler nor loader.
. "$(dirname "$0")/report.bash"

compiler_order="base diag syntax classify intent format model check lower image analyze pipeline"

# FILE:LINE: INCLUDED for every include, with "..." resolved to a path of the tree where there is one.
includes() {
	local file line name dir candidate
	grep -nE '^[[:space:]]*#[[:space:]]*include' "$@" /dev/null |
		sed -nE 's/^([^:]+):([0-9]+):[^"<]*(["<][^">]+[">]).*/\1 \2 \3/p' |
		while read -r file line name; do
			dir=${file%/*}
			candidate=$name
			case $name in
			\"*)
				name=${name//\"/}
				for candidate in "compiler/$name" "bpf/include/$name" "bpf/$name" "$name" "$dir/$name"; do
					[ -f "$candidate" ] && break
				done
				while [[ $candidate =~ ^((.*)/)?[^/.]+/\.\./(.*)$ ]]; do
					candidate=${BASH_REMATCH[1]}${BASH_REMATCH[3]}
				done
				;;
			\<gpc/*) candidate=bpf/include/${name:1:-1} ;;
			esac
			echo "$file:$line: $candidate"
		done
}

mapfile -t c_files < <(sources 'compiler/*.[ch]' 'loader/*.[ch]' 'bpf/*.[ch]')
all=$(includes "${c_files[@]}")

# from REGEX-OF-FILE to REGEX-OF-INCLUDED [but REGEX-OF-ALLOWED-LINE]
offences() {
	printf '%s\n' "$all" | grep -E "^($1):[0-9]+: ($2)" | grep -vE "${3:-^$}"
}

upwards() {
	printf '%s\n' "$all" | awk -v order="$compiler_order" '
		BEGIN { n = split(order, o, " "); for (i = 1; i <= n; i++) rank[o[i]] = i }
		function layer(path,  p) {
			split(path, p, "/")
			sub(/\..*/, "", p[2])
			return p[2]
		}
		$1 ~ /^compiler\// && $2 ~ /^compiler\// {
			a = layer($1); b = layer($2)
			if (!(a in rank)) print $1 " compiler/" a " is in no layer; tests/lint/layers.sh names them"
			else if (rank[b] > rank[a]) print $1 " includes " $2 ", which stands after it"
		}'
}

one_file() {
	local files
	files=$(printf '%s\n' "$all" | grep -E ": $1" | cut -d: -f1 | sort -u)
	[ "$(printf '%s\n' "$files" | grep -c .)" -le 1 ] || printf '%s\n' "$files"
}

rule "the layers of compiler/ include only what stands above them" upwards
rule "compiler/ includes neither loader, BPF side, libbpf, libgit2 nor the kernel's netlink" \
	offences 'compiler/[^:]*' 'loader/|bpf/[^i]|<bpf/|<git2|<libmnl|<linux/(rt|net|bpf|if_)'
rule "the kernel side includes neither compiler nor loader" offences 'bpf/[^:]*' 'compiler/|loader/|<std(io|lib)|<string'
rule "bpf/include includes only itself and <linux/...>" \
	offences 'bpf/include/[^:]*' '.' ': (bpf/include/|<linux/|<stdint.h>|<stdbool.h>|<stddef.h>)'
rule "<yaml.h> is included by one file of compiler/syntax" offences '.*' '<yaml.h>' '^compiler/syntax/[^:]*\.c:'
rule "<yaml.h> is included by one file" one_file '<yaml.h>'
rule "<pcap/pcap.h> is included by one file" one_file '<pcap'
rule "<git2.h> is included below loader/history only" offences '.*' '<git2' '^loader/history/[^:]*:'
rule "skeletons are included by one file" one_file '("|<)?[^ ]*\.skel\.h'
rule "commands know the plane by plane.h, events.h, lock.h, claim.h and failpoint.h only" \
	offences 'loader/cmd/[^:]*' 'loader/plane/|loader/link/|<bpf/' ': loader/plane/(plane|events|lock|claim|failpoint)\.h'
rule "plane, link, history, overrides and probes know no command" \
	offences 'loader/(plane|link|history|override|probe)/[^:]*' 'loader/cmd/'
rule "probes know neither plane, link nor history" offences 'loader/probe/[^:]*' 'loader/(plane|link|history|override)/|<bpf/'
rule "a replay knows neither command, plane, history nor libbpf" \
	offences 'loader/replay/[^:]*' 'loader/(cmd|plane|history|link|override)/|<bpf/'
rule "overrides know neither plane, link nor history" offences 'loader/override/[^:]*' 'loader/(plane|link|history)/|<bpf/'
rule "the history does not touch the plane, nor the plane the history" \
	offences 'loader/(plane|link|history)/[^:]*' 'loader/(plane|link|history)/' \
	'^loader/(plane|link)/[^:]*:[0-9]+: loader/(plane|link)/|^loader/history/[^:]*:[0-9]+: loader/history/'
rules_end
