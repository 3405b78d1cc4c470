#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The completions that gpc prints, asked by the shells themselves: commands, options, words and files.
set -uo pipefail
shopt -s lastpipe
cd "$(dirname "$0")/../.." || exit 1

gpc=$(realpath "$1")
docs=$PWD/docs
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/bin" "$work/here/overlays"
ln -s "$gpc" "$work/bin/gpc"
cd "$work/here" || exit 1
touch web.yaml overlays/prod.yaml
export PATH=$work/bin:$PATH HOME=$work
passed=0 failed=0

# Words on stdin, one a line: all of the others are among them.
has() { # NAME WORD... [-- WORD-THAT-IS-NOT...]
	local name=$1 found wanted=yes
	shift
	found=$(cat)
	for word in "$@"; do
		if [ "$word" = -- ]; then
			wanted=no
		elif grep -qxF -- "$word" <<<"$found"; then
			[ $wanted = yes ] || { failed=$((failed + 1)); echo "FAILED $name: '$word' is offered"; return; }
		else
			[ $wanted = no ] || { failed=$((failed + 1)); echo "FAILED $name: no '$word' in: $found"; return; }
		fi
	done
	passed=$((passed + 1))
}

# offers NAME COMPLETE: what the shell offers behind the words of a line, by the function COMPLETE LINE.
offers() {
	local shell=$1 ask=$2
	$ask "gpc a" | has "$shell: commands" apply -- check
	$ask "gpc fmt --" | has "$shell: options" --check --diff --write -- --parent
	$ask "gpc check --format " | has "$shell: words of an option" text json github
	$ask "gpc check -f w" | has "$shell: files" web.yaml
	$ask "gpc check -e " | has "$shell: overlays" prod -- web
	$ask "gpc init " | has "$shell: templates" web three-tier
	$ask "gpc completion " | has "$shell: words of an operand" bash zsh fish
	$ask "gpc explain --in " | has "$shell: interfaces" lo
}

for shell in bash zsh fish; do
	if cmp -s "$docs/gpc.$shell" <("$gpc" completion "$shell"); then passed=$((passed + 1)); else
		failed=$((failed + 1))
		echo "FAILED docs/gpc.$shell is not what gpc completion $shell prints"
	fi
done

ask_bash() {
	bash -c '. <(gpc completion bash)
		read -r -a COMP_WORDS <<<"$1"
		[ "${1% }" = "$1" ] || COMP_WORDS+=("")
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
		_gpc gpc "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
		printf "%s\n" "${COMPREPLY[@]}"' bash "$1"
}
offers bash ask_bash

# A zsh on a terminal of its own, which lists what it would offer.
ask_zsh() {
	gpc completion zsh >"$work/_gpc"
	ASKED=$1 FOLDER=$work timeout 20 zsh -f -c '
		zmodload zsh/zpty
		zpty -b z zsh -f -i
		zpty -w z "PS1=; unset zle_bracketed_paste; LISTMAX=0; TERM=dumb; stty columns 400"
		zpty -w z "fpath=($FOLDER \$fpath); autoload -U compinit; compinit -u -d $FOLDER/dump"
		zpty -w z "zstyle \":completion:*\" list-separator \"\"; zstyle \":completion:*\" verbose no"
		zpty -w z "compadd() { local -a kept; if [[ \$@[(I)-[OAD]] -gt 0 ]]; then builtin compadd \"\$@\"; return; fi; builtin compadd -A kept \"\$@\"; print -rl -- \$kept >>$FOLDER/offered; builtin compadd \"\$@\" }"
		zpty -w z "bindkey \"^I\" complete-word; print -r -- re\"\"ady"
		while zpty -r z line; do [[ $line == *ready* ]] && break; done
		: >$FOLDER/offered
		zpty -w -n z "$ASKED"$'"'\\t'"'
		for i in {1..100}; do [[ -s $FOLDER/offered ]] && break; sleep 0.05; done
		sleep 0.2
		zpty -d z
		cat $FOLDER/offered' 2>/dev/null
}
if command -v zsh >/dev/null; then
	offers zsh ask_zsh
else
	echo "skip: golden/completion: zsh is not installed"
fi

ask_fish() { fish -N -c 'gpc completion fish | source; complete -C "$argv[1]"' "$1" | cut -f 1; }
if command -v fish >/dev/null; then
	offers fish ask_fish
else
	echo "skip: golden/completion: fish is not installed"
fi

echo "golden/completion: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
