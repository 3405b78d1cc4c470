# SPDX-License-Identifier: MIT
# Sourced by the lint scripts. A rule is a name and a command that prints one line per offence:
#
#   rule "no tabs" grep -n ...        passes if the command prints nothing
#   rules_end                         prints the count line, exits accordingly
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
lint_name=lint/$(basename "$0" .sh)
lint_passed=0 lint_failed=0

rule() {
	local what=$1 found
	shift
	found=$("$@")
	if [ -z "$found" ]; then
		lint_passed=$((lint_passed + 1))
	else
		lint_failed=$((lint_failed + 1))
		printf '%s: broken rule: %s\n%s\n' "$lint_name" "$what" "$found"
	fi
}

rules_end() {
	echo "$lint_name: $lint_passed passed, $lint_failed failed"
	exit $((lint_failed != 0))
}

# Files of the tree that match the patterns (as git understands them): those in git and new ones, not
# what .gitignore names. The tree may belong to somebody else, or be no git repository at all.
sources() {
	local pattern f
	if git -c safe.directory='*' rev-parse --git-dir >/dev/null 2>&1; then
		git -c safe.directory='*' ls-files --cached --others --exclude-standard -- "$@"
	else
		for pattern in "$@"; do
			case $pattern in .) pattern='*' ;; */*) pattern=./$pattern ;; *) pattern="*/$pattern" ;; esac
			find . \( -path ./build -o -path './.git*' \) -prune -o -type f -path "$pattern" -print
		done | sed 's,^\./,,' | sort -u
	fi | while IFS= read -r f; do [ -f "$f" ] && echo "$f"; done
}

no_sources() { [ "$(sources '*.c' '*.h' | grep -c .)" -gt 50 ] || echo "no sources found: this check sees nothing"; }
rule "the sources are found" no_sources
