#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# gpc test: what passes and what fails, in user space and in the kernel, alike in every form of output;
# exit codes; nobody needs root for it but --kernel; nothing of it stays.
. "$(dirname "$0")/rig.bash"

root=$WORK/project
mkdir "$root"
cd "$root" || exit 1
cat >gpc.yaml <<'END'
apiVersion: gpc/v1
kind: Plane
metadata: {name: tested}
interfaces: [{name: wan0, hooks: [xdp]}, {name: "lan*", hooks: [xdp]}]
backends: [{name: web, endpoints: [{name: web-1, address: 10.0.0.1}]}]
listeners: [{name: https, address: 203.0.113.10, protocol: TCP, port: 443, backend: web}]
END
cat >good.yaml <<'END'
apiVersion: gpc/v1
kind: Tests
tests:
  - name: https is balanced
    send: {in: wan0, from: 8.8.8.8, to: 203.0.113.10, dport: 443}
    expect: {verdict: forward, listener: https, backend: web, endpoint: web-1, reason: forwarded}
  - name: so is each of many, on any device
    before: [{in: wan0, from: 8.8.8.8, to: 203.0.113.10, dport: 443, repeat: 3}]
    send: {in: lan7, from: 8.8.8.8, to: 203.0.113.10, dport: 443, tcp-flags: [ack], vlan: 7, repeat: 50}
    expect: {verdict: forward}
  - name: another port is not
    send: {in: wan0, from: 8.8.8.8, to: 203.0.113.10, dport: 80}
    expect: {verdict: pass}
END
cat >wrong.yaml <<'END'
apiVersion: gpc/v1
kind: Tests
tests:
  - name: 'wrong \ # <&"'
    send: {in: wan0, from: 8.8.8.8, to: 203.0.113.10, proto: udp, dport: 443}
    expect: {verdict: drop,
             backend: web, rule: default}
END

run() { # ARGS...: gpc test, as nobody, who may read the project
	setpriv --reuid=65534 --regid=65534 --clear-groups "$GPC" test "$@"
}
chmod 755 "$WORK" "$root"
chmod 644 ./*.yaml

check "all pass, without root" run gpc.yaml good.yaml
check_said "and it says how many" "3 tests: 3 passed, 0 failed"
check "those that passed are named" run -v gpc.yaml good.yaml
check_said "with their places" "good.yaml:4:5: passed: https is balanced"
check_exit "a failing test is exit 4" 4 run gpc.yaml good.yaml wrong.yaml
check_said "the line of the expectation" 'wrong.yaml:6:23: failed: wrong \ # <&": verdict is `pass`, expected `drop`'
check_said "each expectation by itself" 'wrong.yaml:7:23: failed: wrong \ # <&": backend is `-`, expected `web`'
check_said "and the count" "4 tests: 3 passed, 1 failed"
check "a plane without tests" run gpc.yaml
check_said "has none" "0 tests: 0 passed, 0 failed"
sed 's/backend: web/backend: wep/' wrong.yaml >unknown.yaml
check_exit "a name that nobody has is exit 3" 3 run gpc.yaml unknown.yaml
check_said "and has its place" "unknown.yaml:7:23: error[E0383]: no backend \`wep\`"
check_exit "two forms at once are exit 64" 64 run --tap --junit gpc.yaml
check_exit "--kernel without root is exit 5" 5 run --kernel gpc.yaml good.yaml

export GPC_BPFFS=$BPFFS/own
must mkdir "$GPC_BPFFS"
for form in "" --tap --junit --json -v; do
	# shellcheck disable=SC2086
	check_exit "in user space, ${form:-as text}" 4 "$GPC" test $form gpc.yaml good.yaml wrong.yaml
	cp "$WORK/out" "$WORK/user"
	# shellcheck disable=SC2086
	check_exit "in the kernel, ${form:-as text}" 4 "$GPC" test --kernel $form gpc.yaml good.yaml wrong.yaml
	cp "$WORK/out" "$WORK/kernel"
	check "both say the same" diff "$WORK/user" "$WORK/kernel"
done
check_equal "nothing is pinned" "$(find "$GPC_BPFFS" -mindepth 1)" ""

"$GPC" test --tap gpc.yaml good.yaml wrong.yaml >"$WORK/tap"
check "TAP: version, plan, numbers, escaped name" diff <(grep -vE '^ ' "$WORK/tap") - <<'END'
TAP version 14
1..4
ok 1 - https is balanced
ok 2 - so is each of many, on any device
ok 3 - another port is not
not ok 4 - wrong \\ \# <&"
END
"$GPC" test --junit gpc.yaml good.yaml wrong.yaml >"$WORK/junit.xml"
check "JUnit: counts, names and lines" /usr/bin/python3 - "$WORK/junit.xml" <<'END'
import sys, xml.etree.ElementTree as tree
suite = tree.parse(sys.argv[1]).getroot().find("testsuite")
assert suite.attrib["name"] == "tested" and suite.attrib["tests"] == "4" and suite.attrib["failures"] == "1", suite.attrib
cases = suite.findall("testcase")
assert [bool(case.findall("failure")) for case in cases] == [False, False, False, True]
assert cases[3].attrib["name"] == 'wrong \\ # <&"' and cases[3].attrib["line"] == "4", cases[3].attrib
assert "wrong.yaml:6:23: verdict is pass, expected drop" in cases[3].find("failure").text
END
"$GPC" test --json gpc.yaml good.yaml wrong.yaml >"$WORK/json"
check "JSON: one object a test, then the result" /usr/bin/python3 - "$WORK/json" <<'END'
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
assert [line["type"] for line in lines] == ["test"] * 4 + ["result"]
assert [line["passed"] for line in lines[:4]] == [True, True, True, False]
assert lines[0]["seen"]["endpoint"] == "web-1" and lines[0]["line"] == 4
assert lines[3]["failures"][0] == {"key": "verdict", "expected": "drop", "seen": "pass", "file": "wrong.yaml", "line": 6, "column": 23}
assert lines[4]["tests"] == 4 and lines[4]["failed"] == 1 and lines[4]["exit"] == 4
END
rig_done
