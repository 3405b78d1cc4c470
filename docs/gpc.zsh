#compdef gpc
# SPDX-License-Identifier: MIT
# Completion of gpc's commands, options and files in zsh. Generated from the command
# table by `gpc completion zsh`.

_gpc_overlays() { compadd -- overlays/*.yaml(N:t:r); }
_gpc_interfaces() { compadd -- /sys/class/net/*(N:t); }
_gpc_templates() { compadd -- ${${(f)"$(gpc init --list)"}%% *}; }
_gpc() {
	local -a commands
	commands=(
		'init:a plane to begin with, from a template'
		'fmt:lay intent out in the canonical way, comments kept'
		'check:compile and write nothing\: are there mistakes?'
		'compile:compile intent into an image'
		'test:send the packets of `tests` through the compiled image'
		'inspect:what an image holds, decoded'
		'diff:what happens to packets when B takes the place of A'
		'explain:what becomes of a packet, by which rule, and which rules lost'
		'matrix:what is let through from each segment to each'
		'blame:who wrote the rule that decides a packet, and when'
		'bisect:since which commit or generation a packet is treated otherwise'
		'replay:what an image would have done to recorded traffic'
		'maglev:slots of the endpoints, and what would move if they were others'
		'completion:what bash, zsh or fish needs to complete commands, options and files'
		'plan:what gpc apply would change on this host; changes nothing'
		'apply:make an intent or an image the running plane, and record it'
		'confirm:keep what apply --confirm has brought'
		'abort:take back what apply --confirm has brought'
		'status:what runs\: devices, listeners, endpoints, packets'
		'verify:does the kernel hold and run those very bytes?'
		'rollback:go back to an earlier generation'
		'log:the generations of this host, newest first'
		'show:one generation\: what it is and what it changed'
		'stats:what was counted, or comes per second\: listeners, endpoints, reasons'
		'top:rates of listeners, endpoints and reasons, live in the terminal'
		'events:what policies deny, would deny, log and let begin'
		'drain:give no new flows to a backend or an endpoint'
		'undrain:end what is overridden of a backend or an endpoint'
		'weight:give an endpoint another weight'
		'off:let every packet pass, at once'
		'on:balance and judge packets again after off'
		'upgrade:replace the running programs by those of this gpc'
		'detach:remove the plane from the kernel'
		'restore:at boot\: run the generation that was recorded last'
		'doctor:can this host run it? probes, each with its fix'
	)
	if (( CURRENT == 2 )); then
		_describe command commands
		return
	fi
	shift words
	(( CURRENT-- ))
	case $words[1] in
	init)
		_arguments \
			--list'[the templates, and what each is for]' \
			--parameters'[what can be chosen in the template\: type, default, what it is for]' \
			'*'{-s,--set=}'[choose a parameter]:NAME=VALUE...: ' \
			'(-o --output)'{-o,--output=}'[write below this folder, which is made; default is the current one]:DIR:_files -/' \
			--force'[replace files that are there already]' \
			--json'[one JSON object a line; the last one is of type result]' \
			'(-h --help)'{-h,--help}'[this text]' \
			'*:\[TEMPLATE\]:_gpc_templates'
		;;
	fmt)
		_arguments \
			'(-c --check)'{-c,--check}'[write nothing, name the files that would change; exit 2 if any]' \
			'(-d --diff)'{-d,--diff}'[write nothing, show what would change]' \
			'(-w --write)'{-w,--write}'[replace the files that change, and name them]' \
			--format='[diagnostics as text, json or github]:FORMAT:(text json github)' \
			--json'[one JSON object a line; the last one is of type result]' \
			'(-h --help)'{-h,--help}'[this text]' \
			'*:\[FILE.yaml... | -\]:{_files; compadd -- }'
		;;
	check)
		_arguments \
			'*'{-f,--file=}'[compile this file; several are merged, the first gives the root]:FILE...:{_files; compadd -- }' \
			'(-e --env)'{-e,--env=}'[apply overlays/ENV.yaml]:ENV:_gpc_overlays' \
			--parent='[what `rebalance\: minimal` starts from\: a file, `live` or `generation\:N`]:IMAGE:{_files; compadd -- }' \
			--strict'[treat warnings as errors]' \
			--today='[judge `expires` as on this day, not by the clock]:YYYY-MM-DD: ' \
			--allow-expired'[compile rules that have expired]' \
			'(-v --verbose)'{-v,--verbose}'[show every invariant]' \
			--format='[diagnostics as text, json or github]:FORMAT:(text json github)' \
			--json'[one JSON object a line; the last one is of type result]' \
			'(-h --help)'{-h,--help}'[this text]' \
			'*:\[FILE.yaml\]:{_files; compadd -- }'
		;;
	compile)
		_arguments \
			'*'{-f,--file=}'[compile this file; several are merged, the first gives the root]:FILE...:{_files; compadd -- }' \
			'(-e --env)'{-e,--env=}'[apply overlays/ENV.yaml]:ENV:_gpc_overlays' \
			--parent='[what `rebalance\: minimal` starts from\: a file, `live` or `generation\:N`]:IMAGE:{_files; compadd -- }' \
			'(-o --output)'{-o,--output=}'[write the image here, whole or not at all; - is standard output]:FILE:{_files; compadd -- }' \
			'(-v --verbose)'{-v,--verbose}'[sizes, tables, nested listeners, invariants and times on stderr]' \
			--strict'[treat warnings as errors]' \
			--today='[judge `expires` as on this day, not by the clock]:YYYY-MM-DD: ' \
			--allow-expired'[compile rules that have expired]' \
			--format='[diagnostics as text, json or github]:FORMAT:(text json github)' \
			--json'[one JSON object a line; the last one is of type result]' \
			'(-h --help)'{-h,--help}'[this text]' \
			'*:\[FILE.yaml\]:{_files; compadd -- }'
		;;
	test)
		_arguments \
			'*'{-f,--file=}'[compile this file; several are merged, the first gives the root]:FILE...:{_files; compadd -- }' \
			'(-e --env)'{-e,--env=}'[apply overlays/ENV.yaml]:ENV:_gpc_overlays' \
			--kernel'[run the packets through the programs in the kernel; needs root]' \
			--tap'[results as TAP 14]' \
			--junit'[results as JUnit XML]' \
			'(-v --verbose)'{-v,--verbose}'[name the tests that passed, too]' \
			--strict'[treat warnings as errors]' \
			--format='[diagnostics as text, json or github]:FORMAT:(text json github)' \
			--json'[one JSON object a line; the last one is of type result]' \
			'(-h --help)'{-h,--help}'[this text]' \
			'*:\[FILE.yaml...\]:{_files; compadd -- }'
		;;
	inspect)
		_arguments \
			--json'[one JSON object a line; the last one is of type result]' \
			'(-h --help)'{-h,--help}'[this text]' \
			'*:IMAGE.gpi \[SECTION\]:{_files; compadd -- }'
		;;
	diff)
		_arguments \
			--semantic'[what happens to packets (the default)]' \
			--text'[lines\: of the sources, else of the decoded images]' \
			--format='[markdown\: for a pull request]:text|markdown:(text markdown)' \
			--exit-code'[exit with 2 if there is a difference]' \
			'*'{-f,--file=}'[compile this file; several are merged, the first gives the root]:FILE...:{_files; compadd -- }' \
			'(-e --env)'{-e,--env=}'[apply overlays/ENV.yaml]:ENV:_gpc_overlays' \
			--parent='[what `rebalance\: minimal` starts from\: a file, `live` or `generation\:N`]:IMAGE:{_files; compadd -- }' \
			--today='[judge `expires` as on this day, not by the clock]:YYYY-MM-DD: ' \
			--allow-expired'[compile rules that have expired]' \
			'(-v --verbose)'{-v,--verbose}'[all of it, not only what fits on a screen]' \
			--json'[one JSON object a line; the last one is of type result]' \
			'(-h --help)'{-h,--help}'[this text]' \
			'*:A \[B\]:{_files; compadd -- }'
		;;
	explain)
		_arguments \
			--in='[the packet arrives by this device or interface]:IF:_gpc_interfaces' \
			--out='[the packet leaves by it]:IF:_gpc_interfaces' \
			--batch='[one packet a line of FILE (- is standard input), one answer a line]:FILE:{_files; compadd -- }' \
			--image='[ask this image]:IMAGE:{_files; compadd -- }' \
			--running'[ask the running plane]' \
			'*'{-f,--file=}'[compile this file; several are merged, the first gives the root]:FILE...:{_files; compadd -- }' \
			'(-e --env)'{-e,--env=}'[apply overlays/ENV.yaml]:ENV:_gpc_overlays' \
			--strict'[treat warnings as errors]' \
			--json'[one JSON object a line; the last one is of type result]' \
			'(-h --help)'{-h,--help}'[this text]' \
			'*:\[PACKET\]: '
		;;
	matrix)
		_arguments \
			--in='[what arrives by this device or interface]:IF:_gpc_interfaces' \
			--out='[what leaves by it]:IF:_gpc_interfaces' \
			--format='[table, csv, mermaid or html; table if not given]:FORM:(table csv mermaid html)' \
			--enforced'[as if audit policies decided]' \
			'*'{-f,--file=}'[compile this file; several are merged, the first gives the root]:FILE...:{_files; compadd -- }' \
			'(-e --env)'{-e,--env=}'[apply overlays/ENV.yaml]:ENV:_gpc_overlays' \
			--json'[one JSON object a line; the last one is of type result]' \
			'(-h --help)'{-h,--help}'[this text]' \
			'*:\[IMAGE\]:{_files; compadd -- }'
		;;
	blame)
		_arguments \
			--in='[the packet arrives by this device or interface]:IF:_gpc_interfaces' \
			--out='[the packet leaves by it]:IF:_gpc_interfaces' \
			--repo='[where the sources of an image lie in their repository; . if not given]:FOLDER:_files -/' \
			'*'{-f,--file=}'[compile this file; several are merged, the first gives the root]:FILE...:{_files; compadd -- }' \
			'(-e --env)'{-e,--env=}'[apply overlays/ENV.yaml]:ENV:_gpc_overlays' \
			'(-v --verbose)'{-v,--verbose}'[say it of every line]' \
			--json'[one JSON object a line; the last one is of type result]' \
			'(-h --help)'{-h,--help}'[this text]' \
			'*:PACKET \[IMAGE\]:{_files; compadd -- }'
		;;
	bisect)
		_arguments \
			--good='[a revision or generation in which the packet is still treated well]:REV: ' \
			--bad='[one in which it is not; HEAD, or the newest generation, if not given]:REV: ' \
			--in='[the packet arrives by this device or interface]:IF:_gpc_interfaces' \
			--out='[the packet leaves by it]:IF:_gpc_interfaces' \
			'*'{-f,--file=}'[compile this file; several are merged, the first gives the root]:FILE...:{_files; compadd -- }' \
			'(-e --env)'{-e,--env=}'[apply overlays/ENV.yaml]:ENV:_gpc_overlays' \
			'(-v --verbose)'{-v,--verbose}'[name every revision that is looked at]' \
			--json'[one JSON object a line; the last one is of type result]' \
			'(-h --help)'{-h,--help}'[this text]' \
			'*:PACKET: '
		;;
	replay)
		_arguments \
			--pcap='[packets of a capture, pcap or pcapng; - is standard input]:FILE:{_files; compadd -- }' \
			--flows='[a flow a line, or what gpc events --json wrote; - is standard input]:FILE:{_files; compadd -- }' \
			--compare='[and what would this one have done\: what is different?]:IMAGE:{_files; compadd -- }' \
			--in='[packets arrive by this device]:IF:_gpc_interfaces' \
			--out='[packets that leave do so by this device]:IF:_gpc_interfaces' \
			--mac='[of that device\: Ethernet frames of the capture that it sent leave]:MAC: ' \
			--top='[rows of each list, 10 if not given]:N: ' \
			--kernel'[run the packets through the programs in the kernel; needs root]' \
			'(-e --env)'{-e,--env=}'[apply overlays/ENV.yaml]:ENV:_gpc_overlays' \
			--json'[one JSON object a line; the last one is of type result]' \
			'(-h --help)'{-h,--help}'[this text]' \
			'*:IMAGE:{_files; compadd -- }'
		;;
	maglev)
		_arguments \
			'*'{-f,--file=}'[compile this file; several are merged, the first gives the root]:FILE...:{_files; compadd -- }' \
			'(-e --env)'{-e,--env=}'[apply overlays/ENV.yaml]:ENV:_gpc_overlays' \
			--parent='[what `rebalance\: minimal` starts from\: a file, `live` or `generation\:N`]:IMAGE:{_files; compadd -- }' \
			--backend='[only this backend; whatif needs it]:BACKEND: ' \
			'*'--remove='[whatif\: this endpoint goes]:ENDPOINT...: ' \
			'*'--add='[whatif\: a new endpoint comes, of weight 1 if none is given]:NAME\[\:WEIGHT\]...: ' \
			'*'--weight='[whatif\: this endpoint has another weight; 0 takes it out]:ENDPOINT=N...: ' \
			'(-v --verbose)'{-v,--verbose}'[all endpoints, not only the first 20]' \
			--strict'[treat warnings as errors]' \
			--format='[diagnostics as text, json or github]:FORMAT:(text json github)' \
			--json'[one JSON object a line; the last one is of type result]' \
			'(-h --help)'{-h,--help}'[this text]' \
			'*:show|whatif \[FILE.yaml | IMAGE.gpi\]:{_files; compadd -- show whatif}'
		;;
	completion)
		_arguments \
			--json'[one JSON object a line; the last one is of type result]' \
			'(-h --help)'{-h,--help}'[this text]' \
			'*:SHELL:(bash zsh fish)'
		;;
	plan)
		_arguments \
			'*'{-f,--file=}'[compile this file; several are merged, the first gives the root]:FILE...:{_files; compadd -- }' \
			'(-e --env)'{-e,--env=}'[apply overlays/ENV.yaml]:ENV:_gpc_overlays' \
			--parent='[what `rebalance\: minimal` starts from\: a file, `live` or `generation\:N`]:IMAGE:{_files; compadd -- }' \
			'(-o --output)'{-o,--output=}'[write the plan here, for gpc apply]:PLAN.gpp:{_files; compadd -- }' \
			--enforce'[let the policies decide, not only count (audit)]' \
			--detailed-exitcode'[exit with 2 if apply would change something]' \
			--strict'[treat warnings as errors]' \
			--today='[judge `expires` as on this day, not by the clock]:YYYY-MM-DD: ' \
			--allow-expired'[compile rules that have expired]' \
			--format='[diagnostics as text, json or github]:FORMAT:(text json github)' \
			'(-v --verbose)'{-v,--verbose}'[all of it, not only what fits on a screen]' \
			--json'[one JSON object a line; the last one is of type result]' \
			'(-h --help)'{-h,--help}'[this text]' \
			'*:\[FILE.yaml | IMAGE.gpi | PLAN.gpp\]:{_files; compadd -- }'
		;;
	apply)
		_arguments \
			'*'{-f,--file=}'[compile this file; several are merged, the first gives the root]:FILE...:{_files; compadd -- }' \
			'(-e --env)'{-e,--env=}'[apply overlays/ENV.yaml]:ENV:_gpc_overlays' \
			--parent='[what `rebalance\: minimal` starts from\: a file, `live` or `generation\:N`]:IMAGE:{_files; compadd -- }' \
			--strict'[treat warnings as errors]' \
			--today='[judge `expires` as on this day, not by the clock]:YYYY-MM-DD: ' \
			--allow-expired'[compile rules that have expired]' \
			--enforce'[let the policies decide, not only count (audit)]' \
			--confirm='[back to what runs now after TIME (60s, 5m) without gpc confirm]:TIME: ' \
			--wait'[with --confirm\: wait for what becomes of it (7\: rolled back)]' \
			--force'[switch although it would cut sessions of root (see the lock-out guard)]' \
			'*'--probe='[ask this after the switch, too (its form\: see above)]:PROBE...: ' \
			--no-probes'[ask none of the plane'\''s own probes]' \
			--allow-exec'[run the programs that the plane'\''s own probes name]' \
			--retry'[apply it although its probes have failed before (quarantine)]' \
			--format='[diagnostics as text, json or github]:FORMAT:(text json github)' \
			'(-v --verbose)'{-v,--verbose}'[show every change]' \
			--json'[one JSON object a line; the last one is of type result]' \
			'(-h --help)'{-h,--help}'[this text]' \
			'*:\[FILE.yaml | IMAGE.gpi | PLAN.gpp\]:{_files; compadd -- }'
		;;
	confirm)
		_arguments \
			--json'[one JSON object a line; the last one is of type result]' \
			'(-h --help)'{-h,--help}'[this text]' \
			'*:no operands: '
		;;
	abort)
		_arguments \
			--json'[one JSON object a line; the last one is of type result]' \
			'(-h --help)'{-h,--help}'[this text]' \
			'*:no operands: '
		;;
	status)
		_arguments \
			'(-v --verbose)'{-v,--verbose}'[rules, slots, whole digests, counters that are 0, active flows]' \
			--exit-code'[exit with 2 when something needs attention]' \
			--json'[one JSON object a line; the last one is of type result]' \
			'(-h --help)'{-h,--help}'[this text]' \
			'*:no operands: '
		;;
	verify)
		_arguments \
			--exit-code'[exit with 2 on a difference (without\: 1)]' \
			--json'[one JSON object a line; the last one is of type result]' \
			'(-h --help)'{-h,--help}'[this text]' \
			'*:\[IMAGE.gpi\]:{_files; compadd -- }'
		;;
	rollback)
		_arguments \
			'(-v --verbose)'{-v,--verbose}'[show every change]' \
			--confirm='[back to what runs now after TIME (60s, 5m) without gpc confirm]:TIME: ' \
			--wait'[with --confirm\: wait for what becomes of it (7\: rolled back)]' \
			--force'[switch although it would cut sessions of root (see the lock-out guard)]' \
			--retry'[apply it although its probes have failed before (quarantine)]' \
			--json'[one JSON object a line; the last one is of type result]' \
			'(-h --help)'{-h,--help}'[this text]' \
			'*:\[N\]: '
		;;
	log)
		_arguments \
			'(-n --number)'{-n,--number=}'[the newest N (default 20, 0\: all)]:N: ' \
			--json'[one JSON object a line; the last one is of type result]' \
			'(-h --help)'{-h,--help}'[this text]' \
			'*:no operands: '
		;;
	show)
		_arguments \
			'(-s --source)'{-s,--source=}'[print this source file of the generation and nothing else]:PATH: ' \
			'(-v --verbose)'{-v,--verbose}'[show every change]' \
			--json'[one JSON object a line; the last one is of type result]' \
			'(-h --help)'{-h,--help}'[this text]' \
			'*:\[N\]: '
		;;
	stats)
		_arguments \
			'(-i --interval)'{-i,--interval=}'[rates, one block every 1s, 500ms, 5m, until interrupted]:TIME: ' \
			'(-n --count)'{-n,--count=}'[end after N blocks; the interval is 1s if none is given]:N: ' \
			'(-f --flows)'{-f,--flows}'[count the active flows, too (walks over the flow tables, 2 s at most)]' \
			--prometheus'[one reading in the text format of Prometheus]' \
			'(-v --verbose)'{-v,--verbose}'[also what is 0, and all rows]' \
			--json'[one JSON object a line; the last one is of type result]' \
			'(-h --help)'{-h,--help}'[this text]' \
			'*:no operands: '
		;;
	top)
		_arguments \
			'(-i --interval)'{-i,--interval=}'[between two readings\: 1s, 500ms; default 1s]:TIME: ' \
			'(-h --help)'{-h,--help}'[this text]' \
			'*:no operands: '
		;;
	events)
		_arguments \
			'(-f --follow)'{-f,--follow}'[wait for more, until interrupted]' \
			'(-n --count)'{-n,--count=}'[end after N events]:N: ' \
			'*'{-t,--type=}'[only these\: flow, deny, would-deny, log, revoked]:TYPE,...:(flow deny would-deny log revoked)' \
			--json'[one JSON object a line; the last one is of type result]' \
			'(-h --help)'{-h,--help}'[this text]' \
			'*:no operands: '
		;;
	drain)
		_arguments \
			--for='[for so long, `30m`; without it until gpc undrain]:TIME: ' \
			--reason='[why; stands in status and journal]:TEXT: ' \
			--maint'[flows that live pick another endpoint, too]' \
			'(-v --verbose)'{-v,--verbose}'[without an operand\: also those that have ended]' \
			--json'[one JSON object a line; the last one is of type result]' \
			'(-h --help)'{-h,--help}'[this text]' \
			'*:\[BACKEND\[/ENDPOINT\]\]: '
		;;
	undrain)
		_arguments \
			--json'[one JSON object a line; the last one is of type result]' \
			'(-h --help)'{-h,--help}'[this text]' \
			'*:BACKEND\[/ENDPOINT\]: '
		;;
	weight)
		_arguments \
			--for='[for so long, `30m`; without it until gpc undrain]:TIME: ' \
			--reason='[why; stands in status and journal]:TEXT: ' \
			--json'[one JSON object a line; the last one is of type result]' \
			'(-h --help)'{-h,--help}'[this text]' \
			'*:BACKEND/ENDPOINT N: '
		;;
	off)
		_arguments \
			--json'[one JSON object a line; the last one is of type result]' \
			'(-h --help)'{-h,--help}'[this text]' \
			'*:no operands: '
		;;
	on)
		_arguments \
			--json'[one JSON object a line; the last one is of type result]' \
			'(-h --help)'{-h,--help}'[this text]' \
			'*:no operands: '
		;;
	upgrade)
		_arguments \
			'(-v --verbose)'{-v,--verbose}'[show every change]' \
			--force'[switch although it would cut sessions of root (see the lock-out guard)]' \
			--json'[one JSON object a line; the last one is of type result]' \
			'(-h --help)'{-h,--help}'[this text]' \
			'*:no operands: '
		;;
	detach)
		_arguments \
			--json'[one JSON object a line; the last one is of type result]' \
			'(-h --help)'{-h,--help}'[this text]' \
			'*:no operands: '
		;;
	restore)
		_arguments \
			--json'[one JSON object a line; the last one is of type result]' \
			'(-h --help)'{-h,--help}'[this text]' \
			'*:no operands: '
		;;
	doctor)
		_arguments \
			'*'{-f,--file=}'[compile this file; several are merged, the first gives the root]:FILE...:{_files; compadd -- }' \
			'(-e --env)'{-e,--env=}'[apply overlays/ENV.yaml]:ENV:_gpc_overlays' \
			--strict'[treat warnings as errors]' \
			--format='[diagnostics as text, json or github]:FORMAT:(text json github)' \
			--json'[one JSON object a line; the last one is of type result]' \
			'(-h --help)'{-h,--help}'[this text]' \
			'*:\[FILE.yaml | IMAGE.gpi\]:{_files; compadd -- }'
		;;
	esac
}
# As a file of $fpath it is the function itself; sourced, it is one to be named.
if [ "$funcstack[1]" = _gpc ]; then
	_gpc "$@"
else
	compdef _gpc gpc
fi
