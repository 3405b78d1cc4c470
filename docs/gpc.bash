# SPDX-License-Identifier: MIT
# Completion of gpc's commands, options and files in bash. Generated from the command
# table by `gpc completion bash`.
# shellcheck shell=bash disable=SC2012,SC2181,SC2207

_gpc_overlays() {
	local file
	for file in overlays/*.yaml; do [ ! -e "$file" ] || basename "$file" .yaml; done
}
_gpc_templates() { gpc init --list | cut -d ' ' -f 1; }
_gpc_value() {
	case $1 in
	init:-s | init:--set) : -- "$2" ;;
	init:-o | init:--output) compgen -d -- "$2" ;;
	fmt:--format) compgen -W 'text json github' -- "$2" ;;
	check:-f | check:--file) compgen -f -- "$2" ;;
	check:-e | check:--env) compgen -W "$(_gpc_overlays)" -- "$2" ;;
	check:--parent) compgen -f -- "$2" ;;
	check:--today) : -- "$2" ;;
	check:--format) compgen -W 'text json github' -- "$2" ;;
	compile:-f | compile:--file) compgen -f -- "$2" ;;
	compile:-e | compile:--env) compgen -W "$(_gpc_overlays)" -- "$2" ;;
	compile:--parent) compgen -f -- "$2" ;;
	compile:-o | compile:--output) compgen -f -- "$2" ;;
	compile:--today) : -- "$2" ;;
	compile:--format) compgen -W 'text json github' -- "$2" ;;
	test:-f | test:--file) compgen -f -- "$2" ;;
	test:-e | test:--env) compgen -W "$(_gpc_overlays)" -- "$2" ;;
	test:--format) compgen -W 'text json github' -- "$2" ;;
	diff:--format) compgen -W 'text markdown' -- "$2" ;;
	diff:-f | diff:--file) compgen -f -- "$2" ;;
	diff:-e | diff:--env) compgen -W "$(_gpc_overlays)" -- "$2" ;;
	diff:--parent) compgen -f -- "$2" ;;
	diff:--today) : -- "$2" ;;
	explain:--in) compgen -W "$(ls /sys/class/net)" -- "$2" ;;
	explain:--out) compgen -W "$(ls /sys/class/net)" -- "$2" ;;
	explain:--batch) compgen -f -- "$2" ;;
	explain:--image) compgen -f -- "$2" ;;
	explain:-f | explain:--file) compgen -f -- "$2" ;;
	explain:-e | explain:--env) compgen -W "$(_gpc_overlays)" -- "$2" ;;
	matrix:--in) compgen -W "$(ls /sys/class/net)" -- "$2" ;;
	matrix:--out) compgen -W "$(ls /sys/class/net)" -- "$2" ;;
	matrix:--format) compgen -W 'table csv mermaid html' -- "$2" ;;
	matrix:-f | matrix:--file) compgen -f -- "$2" ;;
	matrix:-e | matrix:--env) compgen -W "$(_gpc_overlays)" -- "$2" ;;
	blame:--in) compgen -W "$(ls /sys/class/net)" -- "$2" ;;
	blame:--out) compgen -W "$(ls /sys/class/net)" -- "$2" ;;
	blame:--repo) compgen -d -- "$2" ;;
	blame:-f | blame:--file) compgen -f -- "$2" ;;
	blame:-e | blame:--env) compgen -W "$(_gpc_overlays)" -- "$2" ;;
	bisect:--good) : -- "$2" ;;
	bisect:--bad) : -- "$2" ;;
	bisect:--in) compgen -W "$(ls /sys/class/net)" -- "$2" ;;
	bisect:--out) compgen -W "$(ls /sys/class/net)" -- "$2" ;;
	bisect:-f | bisect:--file) compgen -f -- "$2" ;;
	bisect:-e | bisect:--env) compgen -W "$(_gpc_overlays)" -- "$2" ;;
	replay:--pcap) compgen -f -- "$2" ;;
	replay:--flows) compgen -f -- "$2" ;;
	replay:--compare) compgen -f -- "$2" ;;
	replay:--in) compgen -W "$(ls /sys/class/net)" -- "$2" ;;
	replay:--out) compgen -W "$(ls /sys/class/net)" -- "$2" ;;
	replay:--mac) : -- "$2" ;;
	replay:--top) : -- "$2" ;;
	replay:-e | replay:--env) compgen -W "$(_gpc_overlays)" -- "$2" ;;
	maglev:-f | maglev:--file) compgen -f -- "$2" ;;
	maglev:-e | maglev:--env) compgen -W "$(_gpc_overlays)" -- "$2" ;;
	maglev:--parent) compgen -f -- "$2" ;;
	maglev:--backend) : -- "$2" ;;
	maglev:--remove) : -- "$2" ;;
	maglev:--add) : -- "$2" ;;
	maglev:--weight) : -- "$2" ;;
	maglev:--format) compgen -W 'text json github' -- "$2" ;;
	plan:-f | plan:--file) compgen -f -- "$2" ;;
	plan:-e | plan:--env) compgen -W "$(_gpc_overlays)" -- "$2" ;;
	plan:--parent) compgen -f -- "$2" ;;
	plan:-o | plan:--output) compgen -f -- "$2" ;;
	plan:--today) : -- "$2" ;;
	plan:--format) compgen -W 'text json github' -- "$2" ;;
	apply:-f | apply:--file) compgen -f -- "$2" ;;
	apply:-e | apply:--env) compgen -W "$(_gpc_overlays)" -- "$2" ;;
	apply:--parent) compgen -f -- "$2" ;;
	apply:--today) : -- "$2" ;;
	apply:--confirm) : -- "$2" ;;
	apply:--probe) : -- "$2" ;;
	apply:--format) compgen -W 'text json github' -- "$2" ;;
	rollback:--confirm) : -- "$2" ;;
	log:-n | log:--number) : -- "$2" ;;
	show:-s | show:--source) : -- "$2" ;;
	stats:-i | stats:--interval) : -- "$2" ;;
	stats:-n | stats:--count) : -- "$2" ;;
	top:-i | top:--interval) : -- "$2" ;;
	events:-n | events:--count) : -- "$2" ;;
	events:-t | events:--type) compgen -W 'flow deny would-deny log revoked' -- "$2" ;;
	drain:--for) : -- "$2" ;;
	drain:--reason) : -- "$2" ;;
	weight:--for) : -- "$2" ;;
	weight:--reason) : -- "$2" ;;
	doctor:-f | doctor:--file) compgen -f -- "$2" ;;
	doctor:-e | doctor:--env) compgen -W "$(_gpc_overlays)" -- "$2" ;;
	doctor:--format) compgen -W 'text json github' -- "$2" ;;
	*) return 2 ;; # takes no value
	esac
}
_gpc_operand() {
	case $1 in
	init) compgen -W "$(_gpc_templates)" -- "$2" ;;
	fmt) compgen -f -- "$2" ;;
	check) compgen -f -- "$2" ;;
	compile) compgen -f -- "$2" ;;
	test) compgen -f -- "$2" ;;
	inspect) compgen -f -- "$2" ;;
	diff) compgen -f -- "$2" ;;
	explain) : -- "$2" ;;
	matrix) compgen -f -- "$2" ;;
	blame) compgen -f -- "$2" ;;
	bisect) : -- "$2" ;;
	replay) compgen -f -- "$2" ;;
	maglev) compgen -f -W 'show whatif' -- "$2" ;;
	completion) compgen -W 'bash zsh fish' -- "$2" ;;
	plan) compgen -f -- "$2" ;;
	apply) compgen -f -- "$2" ;;
	verify) compgen -f -- "$2" ;;
	rollback) : -- "$2" ;;
	show) : -- "$2" ;;
	drain) : -- "$2" ;;
	undrain) : -- "$2" ;;
	weight) : -- "$2" ;;
	doctor) compgen -f -- "$2" ;;
	esac
}
_gpc_options() {
	case $1 in
	init) echo '--help --list --parameters --set --output --force --json' ;;
	fmt) echo '--help --check --diff --write --format --json' ;;
	check) echo '--help --file --env --parent --strict --today --allow-expired --verbose --format --json' ;;
	compile) echo '--help --file --env --parent --output --verbose --strict --today --allow-expired --format --json' ;;
	test) echo '--help --file --env --kernel --tap --junit --verbose --strict --format --json' ;;
	inspect) echo '--help --json' ;;
	diff) echo '--help --semantic --text --format --exit-code --file --env --parent --today --allow-expired --verbose --json' ;;
	explain) echo '--help --in --out --batch --image --running --file --env --strict --json' ;;
	matrix) echo '--help --in --out --format --enforced --file --env --json' ;;
	blame) echo '--help --in --out --repo --file --env --verbose --json' ;;
	bisect) echo '--help --good --bad --in --out --file --env --verbose --json' ;;
	replay) echo '--help --pcap --flows --compare --in --out --mac --top --kernel --env --json' ;;
	maglev) echo '--help --file --env --parent --backend --remove --add --weight --verbose --strict --format --json' ;;
	completion) echo '--help --json' ;;
	plan) echo '--help --file --env --parent --output --enforce --detailed-exitcode --strict --today --allow-expired --format --verbose --json' ;;
	apply) echo '--help --file --env --parent --strict --today --allow-expired --enforce --confirm --wait --force --probe --no-probes --allow-exec --retry --format --verbose --json' ;;
	confirm) echo '--help --json' ;;
	abort) echo '--help --json' ;;
	status) echo '--help --verbose --exit-code --json' ;;
	verify) echo '--help --exit-code --json' ;;
	rollback) echo '--help --verbose --confirm --wait --force --retry --json' ;;
	log) echo '--help --number --json' ;;
	show) echo '--help --source --verbose --json' ;;
	stats) echo '--help --interval --count --flows --prometheus --verbose --json' ;;
	top) echo '--help --interval' ;;
	events) echo '--help --follow --count --type --json' ;;
	drain) echo '--help --for --reason --maint --verbose --json' ;;
	undrain) echo '--help --json' ;;
	weight) echo '--help --for --reason --json' ;;
	off) echo '--help --json' ;;
	on) echo '--help --json' ;;
	upgrade) echo '--help --verbose --force --json' ;;
	detach) echo '--help --json' ;;
	restore) echo '--help --json' ;;
	doctor) echo '--help --file --env --strict --format --json' ;;
	esac
}
_gpc() {
	local current=$2 command=${COMP_WORDS[1]:-} before=$3 found
	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		COMPREPLY=($(compgen -W '--help --version init fmt check compile test inspect diff explain matrix blame bisect replay maglev completion plan apply confirm abort status verify rollback log show stats top events drain undrain weight off on upgrade detach restore doctor' -- "$current"))
		return
	fi
	found=$(_gpc_value "$command:$before" "$current")
	if [ $? -eq 2 ]; then
		case $current in
		-*) found=$(compgen -W "$(_gpc_options "$command")" -- "$current") ;;
		*) found=$(_gpc_operand "$command" "$current") ;;
		esac
	fi
	mapfile -t COMPREPLY < <([ -z "$found" ] || echo "$found")
}
complete -o filenames -F _gpc gpc
