#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The demo: examples/web.yaml on a balancer with three backends, all in network namespaces of this
# machine. Real connections, a drain, a rollback. Cleans up on every exit.
RIG_BACKEND=web-
export RIG_QUIET=1
if [ "$(id -u)" -ne 0 ]; then
	echo "error: the demo makes network namespaces and loads XDP programs, which needs root; run: sudo make demo" >&2
	exit 1
fi
. "$(dirname "$0")/e2e/rig.bash"

bold='' reset=''
if [ -t 1 ]; then bold=$'\e[1m' reset=$'\e[0m'; fi
chapter() { printf '\n%s%s%s\n\n' "$bold" "$1" "$reset"; }
tell() { printf '  %s\n' "$@" | sed 's/^ *$//'; }
run() { # shows a gpc command and runs it on the balancer
	printf '  %s$ gpc %s%s\n' "$bold" "$*" "$reset"
	gpc balancer "$@" >"$WORK/out" 2>&1 || { sed 's/^/    /' "$WORK/out"; echo "error: the demo ends here: gpc $1 failed" >&2; exit 1; }
	sed 's/^/    /' "$WORK/out"
	echo
}
client() { in_ns client /usr/bin/python3 "$RIG_ROOT/tests/e2e/client.py" "$@"; }
weight_of() { sed -nE "s/.*name: $1,.*weight: ([0-9]+).*/\1/p" web.yaml; }
state_of() { sed -nE "/name: $1,/{s/.*state: ([a-z]+).*/\1/p;t;s/.*/ready/p}" web.yaml; }

# show_share N: N requests; what each backend got beside what its weight makes due.
show_share() {
	client share "$VIP4" 80 "$1" >"$WORK/share" || { cat "$WORK/share"; echo "error: requests failed" >&2; exit 1; }
	tell "$1 requests, each a new TCP connection, all answered:" ""
	for i in 1 2 3; do
		echo "web-$i $(state_of web-$i) $(weight_of web-$i) $(awk -v n=web-$i '$1 == n {print $2}' "$WORK/share")"
	done | awk -v n="$1" '
		{name[NR] = $1; state[NR] = $2; weight[NR] = $3; got[NR] = $4; if ($2 == "ready") total += $3}
		END {
			printf "    %-8s %-6s %6s %8s %8s\n", "backend", "state", "weight", "due", "got"
			for (i = 1; i <= NR; i++) {
				due = state[i] == "ready" ? sprintf("%.1f %%", 100 * weight[i] / total) : "-"
				bar = sprintf("%*s", 40 * got[i] / n, ""); gsub(/ /, "#", bar)
				printf "    %-8s %-6s %6d %8s %8d  %5.1f %% %s\n", name[i], state[i], weight[i], due, got[i], 100 * got[i] / n, bar
			}
			print ""
		}'
}

started=$SECONDS
chapter "gpc: one YAML file, one compiled image, one word that flips it live"
tell "Building a small data centre out of network namespaces:" ""
cat <<'PICTURE'
      client 10.77.0.100         balancer 10.77.0.1         web-1   web-2   web-3
            |                         wan0                 10.77.0.11  .12  .13
            '--------------------------+----------------------+-------+------'
        wants http://192.0.2.10    gpc runs here        each answers with its own name
PICTURE
rig_up 3
cp "$RIG_ROOT/examples/web.yaml" "$WORK/web.yaml"
cd "$WORK" || exit 1

chapter "1. The intent"
sed 's/^/    /' web.yaml
echo
tell "Nobody answers at 192.0.2.10 yet:"
if CLIENT_TIMEOUT=1 client share "$VIP4" 80 1 1 >/dev/null 2>&1; then echo "error: somebody does" >&2; exit 1; fi
tell "  connection failed, as it should" ""

chapter "2. Compile: no root, no kernel, the same bytes on every machine"
run compile -f web.yaml -o web.gpi
run inspect web.gpi endpoint

chapter "3. Apply: load, verify, flip"
run apply web.yaml
show_share 3000

chapter "4. Drain a backend in the middle of a download"
client download "$VIP4" 80 /slow/24000000 >"$WORK/download" &
download=$!
wait_for "the download to start" grep -q first "$WORK/download"
victim=$(awk '{print $2; exit}' "$WORK/download")
tell "A download of 24 MB has begun; $victim serves it. Now $victim is to go:" ""
cp web.yaml before.yaml
sed -i -E "/name: $victim,/s/(weight: [0-9]+)/\1, state: drain/" web.yaml
diff before.yaml web.yaml | sed -nE 's/^([<>]) */    \1 /p' | tr '<>' '-+'
echo
run apply web.yaml
show_share 1000
if kill -0 "$download" 2>/dev/null; then tell "... and the download from $victim is still running. Waiting for its end:"; fi
wait "$download" || { cat "$WORK/download"; echo "error: the download broke" >&2; exit 1; }
tell "  $(awk '$1 == "complete" {print $2 " bytes, all from " $3 ", not one lost"}' "$WORK/download")"

chapter "5. What runs, and what was done"
run status
run log
run show 2

chapter "6. That was a mistake? Roll back"
run rollback
cp before.yaml web.yaml
show_share 1000
run verify
tell "gpc has no daemon: between these commands no process of it was alive, and traffic went on."
tell "Took $((SECONDS - started)) s. Everything is being removed again; see README.md for your own machine."
rig_finished=yes
