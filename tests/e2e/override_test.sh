#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# drain, undrain, weight: overrides over the intent under real connections, their journal, their end without
# any process, apply and reboot in between, SIGKILL on the way.
. "$(dirname "$0")/rig.bash"
rig_up 3
plane dsr 46 1 2 3 >"$WORK/plane.yaml"
plane dsr 46 1 2 3:1:drain >"$WORK/drained.yaml"
plane dsr 46 1 3 >"$WORK/two.yaml"
must gpc balancer apply "$WORK/plane.yaml"

# each TYPE EXPRESSION: of each object `o` of a type among the JSON lines on stdin, a line of its texts.
each() {
	/usr/bin/python3 -c 'import json, sys
for o in map(json.loads, sys.stdin):
	if o["type"] == sys.argv[1]: print(*(x for x in eval(sys.argv[2]) if x not in (None, "")))' "$@"
}
# overridden: the live overrides as "OBJECT WHAT" lines; ended NAME: how the last one of web/NAME ended.
overridden() {
	gpc balancer drain --json |
		each override '["/".join(filter(None, (o["backend"], o["endpoint"]))), o["override"], o.get("weight")]'
}
ended() { gpc balancer drain -v --json | each override "[o['endpoint'] == '$1' and str(o.get('end')) or '']" | grep . | tail -n 1; }

# ---- drain and undrain ---------------------------------------------------------------------------

check "nothing is overridden" gpc balancer drain
check_said "it says so" "nothing is overridden"
flows_open live "$VIP4" 30
check "drain an endpoint" gpc balancer drain web/backend2 --for 30m --reason "disk is slow"
check_said "it says what is left" "2 of 3 endpoints of web take new flows"
check "open connections stay" flows_live live
check "new v4 connections avoid it" all_answer "$VIP4" 40 backend1 backend3
check "new v6 connections avoid it" all_answer "$VIP6" 40 backend1 backend3
check_equal "it is listed" "$(overridden)" "web/backend2 drain"

check "status shows it" gpc balancer status
check_said "with its reason" "disk is slow"
check_said "and what is left" " min "
check "status --json" gpc balancer status --json
check_equal "three layers apart: intent, override, observed" \
	"$(each endpoint '["%s %s %s %s %s" % (o["state"], o["state_override"]["override"], o["state_override"]["reason"],
		o["observed"], o["takes_new"])] if o["name"] == "backend2" else []' <"$WORK/out" | grep .)" \
	"ready drain disk is slow unknown False"

check "apply in between" gpc balancer apply "$WORK/drained.yaml"
check "both hold: the intent's drain and the override" all_answer "$VIP4" 60 backend1
check_exit "what the intent drains is refused" 4 gpc balancer drain web/backend3
check_said "with its place" "drained.yaml:"
check_exit "and not undrained" 4 gpc balancer undrain web/backend3
check_exit "nor given a weight" 4 gpc balancer weight web/backend3 5
check "rollback" gpc balancer rollback
check "the override holds" all_answer "$VIP4" 40 backend1 backend3
check "open connections stay" flows_live live

check "undrain" gpc balancer undrain web/backend2
check "all answer" all_answer "$VIP4" 60 backend1 backend2 backend3
check_equal "the journal says how it ended" "$(ended backend2)" undrained
check "undrain again" gpc balancer undrain web/backend2
check_said "is no error" "was not overridden"

# ---- its end needs nobody ------------------------------------------------------------------------

check "drain for 3 seconds" gpc balancer drain web/backend1 --for 3s
check "it is avoided" all_answer "$VIP4" 60 backend2 backend3
wait_for "the end" all_answer "$VIP4" 60 backend1 backend2 backend3
check_equal "no gpc has touched the maps since" "$(ended backend1)" None
check "the next command writes it down" gpc balancer drain web/backend3 --for 1h
check_equal "as ended by time" "$(ended backend1)" time

# ---- detach and reboot ---------------------------------------------------------------------------

check "detach" gpc balancer detach
check_equal "the override outlives it" "$(overridden)" "web/backend3 drain"
check "restore" gpc balancer restore
check "it holds from the first packet on" all_answer "$VIP4" 60 backend1 backend2
check "an apply without backend2" gpc balancer apply "$WORK/two.yaml"
check "goes on with it" all_answer "$VIP4" 40 backend1
must gpc balancer apply "$WORK/plane.yaml"
must gpc balancer drain web/backend2
check "an apply that takes its object away" gpc balancer apply "$WORK/two.yaml"
check_said "says that it ends" "web/backend2"
check_equal "and journals it" "$(ended backend2)" gone
must gpc balancer apply "$WORK/plane.yaml"
must gpc balancer undrain web/backend3
check "the object came back without it" all_answer "$VIP4" 60 backend1 backend2 backend3

# ---- backend, maint, weight ----------------------------------------------------------------------

flows_open more "$VIP4" 30
check "drain the backend" gpc balancer drain web
check_said "it warns" "nobody of backend 'web' takes new flows"
check "open connections stay" flows_live more
no_new() { CLIENT_TIMEOUT=0.3 share "$VIP4" 1; }
check_exit "there are no new ones" 1 no_new
check_exit "an endpoint of it is not undrained alone" 4 gpc balancer undrain web/backend1
check "undrain the backend" gpc balancer undrain web
check "all answer" all_answer "$VIP4" 60 backend1 backend2 backend3

count() { share "$VIP4" 600 | awk -v b="$1" '$1 == b {print $2}'; }
within() { echo "$1"; [ "$1" -ge "$2" ] && [ "$1" -le "$3" ]; }
must gpc balancer weight web/backend1 0
check "weight 0 takes none" all_answer "$VIP4" 60 backend2 backend3
must gpc balancer weight web/backend1 3
check "three times the weight: 3 of 5" within "$(count backend1)" 290 430
check_equal "one weight is live" "$(overridden)" "web/backend1 weight 3"
must gpc balancer undrain web/backend1

check "maint" gpc balancer drain --maint web/backend1
check "takes no new ones" all_answer "$VIP4" 60 backend2 backend3
picked_anew() { flows_live more; grep -qE "broken [1-9]" "$WORK/out"; }
check "and those that live pick anew" picked_anew
must gpc balancer undrain web/backend1

# ---- refused -------------------------------------------------------------------------------------

check_exit "an unknown backend" 3 gpc balancer drain wbe
check_said "which was meant?" "did you mean 'web'"
check_exit "an unknown endpoint" 3 gpc balancer drain web/backend22
check_said "which was meant?" "did you mean 'backend2'"
check_exit "no time" 64 gpc balancer drain web/backend1 --for soon
check_exit "no object" 64 gpc balancer drain web/
check_exit "a backend has no weight" 64 gpc balancer weight web 5
check_exit "a reason of two lines" 64 gpc balancer drain web --reason $'a\nb'
check_equal "nothing of that was left behind" "$(overridden)" ""

# The greatest ratio would go 10, 20, 30, 20, 10, 1 as these end: one step too many.
for i in 1 2 3; do must gpc balancer weight web/backend$i $((10 * (4 - i))) --for ${i}h; done
must gpc balancer drain web/backend1 --for 30m
check_exit "a fifth end that matters is refused" 4 gpc balancer drain web/backend2 --for 10m
check_said "with the next step" "let it end with another one"
check_equal "and not journaled" "$(overridden | wc -l)" 4
check "without an end of its own it is let" gpc balancer drain web/backend2 --for 30m
for i in 1 2 3; do must gpc balancer undrain web/backend$i; done

# ---- killed on the way ---------------------------------------------------------------------------

killed_at() { # POINT COMMAND...
	local status=0
	GPC=$ARMED GPC_FAILPOINT=$1 gpc balancer "${@:2}" >"$WORK/out" 2>&1 || status=$?
	[ "$status" -eq 137 ]
}
# as_journaled: maps and journal say the same about backend1.
as_journaled() {
	if [ "$(overridden)" ]; then all_answer "$VIP4" 60 backend2 backend3; else all_answer "$VIP4" 60 backend1 backend2 backend3; fi
}
for point in override.journaled states.one override.published; do
	check "drain killed at $point" killed_at $point drain web/backend1
	if [ $point = override.journaled ]; then
		check "status looks at both" gpc balancer status
		check_said "and says that the maps are behind" "is not what the journal of overrides says"
	fi
	check "the next command catches up" gpc balancer undrain web/backend2
	check "what the journal says holds" as_journaled
	[ $point = states.one ] || check "undrain killed at $point" killed_at $point undrain web/backend1
	check "an apply catches up" gpc balancer apply "$WORK/plane.yaml"
	check "what the journal says holds" as_journaled
	must gpc balancer undrain web/backend1
done
check_equal "the plane is as it was applied" "$(gpc balancer verify --exit-code >/dev/null; echo $?)" 0

must gpc balancer drain web/backend1
echo '{"type":"overrides","version":1,"count":0,"sha256":"00"}' >"$WORK/state/balancer/overrides.jsonl"
check_exit "a damaged journal is not taken for one" 1 gpc balancer drain
check_said "what to do" "move it away"
check "an apply goes on" gpc balancer apply "$WORK/plane.yaml"
check_said "and says so" "overrides are left as they are"
check "what holds in the kernel stays" all_answer "$VIP4" 60 backend2 backend3
must rm "$WORK/state/balancer/overrides.jsonl"
check "without the journal nothing is overridden" gpc balancer restore
check "all answer" all_answer "$VIP4" 60 backend1 backend2 backend3
rig_done
