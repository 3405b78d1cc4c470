#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The manual pages: no fault for mandoc, none for groff (by itself, without a look at their encoding), and what they are about is in them. They have no
# date, so that they change only with what they say.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

passed=0 failed=0
silent() { # NAME TEXT
	if [ -z "$2" ]; then passed=$((passed + 1)); else
		failed=$((failed + 1))
		echo "FAILED $1:"
		head -n 20 <<<"$2"
	fi
}
# holds PAGE SECTION WORD...
holds() {
	local page=$1 text word missing=
	shift
	text=$(MANWIDTH=100 man -P cat --no-hyphenation -l "$page" 2>/dev/null | sed 's/.\x08//g')
	for word in "$@"; do grep -qwF -- "$word" <<<"$text" || missing="$missing $word"; done
	silent "$page has all its words" "${missing:+missing:$missing}"
}

for page in docs/gpc.1 docs/gpc.yaml.5 docs/gpc-image.5; do
	if command -v mandoc >/dev/null; then
		silent "mandoc -T lint $page" "$(mandoc -T lint -W warning "$page" | grep -v 'missing date')"
	else
		echo "skip: golden/manual: mandoc is not installed"
	fi
	if command -v groff >/dev/null; then
		silent "groff -ww $page" "$(LC_ALL=C.UTF-8 groff -ww -man -T utf8 -z "$page" 2>&1)"
	else
		echo "skip: golden/manual: groff is not installed"
	fi
done
if command -v man >/dev/null; then
	holds docs/gpc.1 check fmt init apply --enforce GPC_STATE_DIR
	# shellcheck disable=SC2046 # keys and names of records hold no blanks
	holds docs/gpc.yaml.5 $(sed -nE 's/^KEY\("([^"]+)".*/\1/p' compiler/intent/keys.def | sort -u)
	# shellcheck disable=SC2046
	holds docs/gpc-image.5 $(sed -nE 's/^.*\bR\((gpc_[a-z_]+)\).*/\1/p' compiler/image/fields.c | sort -u)
else
	echo "skip: golden/manual: man is not installed"
fi
echo "golden/manual: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
