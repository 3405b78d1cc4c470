#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every header compiles alone: as C, as BPF, or both for those that the two sides share.
. "$(dirname "$0")/report.bash"

# What is generated and included is built first.
make --no-print-directory -s generated-headers || exit 1
c_flags=$(make --no-print-directory -s print-c-flags) || exit 1
bpf_flags=$(make --no-print-directory -s print-bpf-flags) || exit 1

as_c() { $c_flags -fsyntax-only -include "$1" -x c /dev/null 2>&1; }
as_bpf() { $bpf_flags -fsyntax-only -include "$1" -x c /dev/null 2>&1; }

while IFS= read -r header; do
	case $header in
	bpf/include/*)
		rule "$header compiles alone as C" as_c "$header"
		rule "$header compiles alone as BPF" as_bpf "$header"
		;;
	*.bpf.h) rule "$header compiles alone as BPF" as_bpf "$header" ;;
	*) rule "$header compiles alone as C" as_c "$header" ;;
	esac
done < <(sources '*.h')
rules_end
