#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The lint rules catch what they are for: in a copy of the tree one offence at a time is planted, and
# the rule named beside it must fail.
. "$(dirname "$0")/report.bash"

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
sources . | grep -vE '^(docs|examples)/|/(golden|corpus)/' | tar -cf - -T - | tar -xf - -C "$copy"
export BUILD_ROOT=$PWD/build # what is generated is there: the copy's files are as old as these
git -C "$copy" init -q
git -C "$copy" add -A

# caught FILE SCRIPT RULE: with stdin appended to FILE, SCRIPT says that RULE is broken.
caught() {
	local file=$1 script=$2 broken=$3 there=no said
	[ -e "$copy/$file" ] && there=yes && cp "$copy/$file" "$copy.saved"
	mkdir -p "$(dirname "$copy/$file")"
	cat >>"$copy/$file"
	said=$(cd "$copy" && "tests/lint/$script" 2>&1)
	grep -qF "broken rule: $broken" <<<"$said" || echo "not caught: $broken"
	if [ $there = yes ]; then mv "$copy.saved" "$copy/$file"; else rm "$copy/$file"; fi
}
plant() {
	local text=$1
	shift
	rule "catches: $3" caught "$@" < <(printf '%b' "$text")
}
spdx='/* SPDX-License-Identifier: MIT */\n'

plant "$spdx#include \"../lower/maglev.h\"\n" compiler/base/planted.c layers.sh "the layers of compiler/"
plant "$spdx#include <git2.h>\n" loader/cmd/planted.c layers.sh "<git2.h>"
plant "$spdx#include <yaml.h>\n" compiler/model/planted.c layers.sh "<yaml.h> is included by one file of"
plant "$spdx#include <bpf/libbpf.h>\n" compiler/image/planted.c layers.sh "compiler/ includes neither"
plant "$spdx#include \"../plane/pin.h\"\n" loader/cmd/planted.c layers.sh "commands know the plane"
plant "$spdx#include \"../history/history.h\"\n" loader/plane/planted.c layers.sh "the history does not touch"
plant "#include \"compiler/base/arena.h\"\n" bpf/planted.bpf.h layers.sh "the kernel side includes neither"
plant "$spdx#include <stdio.h>\n" bpf/include/gpc/planted.h layers.sh "bpf/include includes only"
plant "$spdx$(printf 'int f(void)\n{'; printf '\\n\\t;%.0s' $(seq 101); printf '\\n}\\n')" compiler/base/planted.c sizes.sh "functions in C"
plant "$spdx$(printf '\\n%.0s' $(seq 900))" compiler/base/planted.c sizes.sh "files have at most"
plant "${spdx}struct planted { struct nowhere x; };\n" compiler/base/planted.h headers.sh "compiler/base/planted.h compiles alone as C"
plant "int x;\n" loader/planted.c text.sh "every source has an SPDX line"
plant "/* SPDX-License-Identifier: Apache-2.0 */\n" loader/planted.c text.sh "the licence is that of its folder"
plant "#!/bin/sh\n# SPDX-License-Identifier: MIT\nif\n" tests/planted.sh text.sh "shell scripts parse"
plant "$spdx/* TO""DO */\n" loader/planted.c text.sh "no leftover marks"
plant "${spdx}char *p = \"/ho""me/me/x\";\n" loader/planted.c text.sh "no path of one machine"
plant "static int planted(void) { return gpc_ctl; }\n" bpf/slot.bpf.h control-word.sh "gpc_ctl is read in exactly one place"
rules_end
