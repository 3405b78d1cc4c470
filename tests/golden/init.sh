#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# gpc init: what every template writes is in the canonical layout, compiles without a warning and passes
# its own tests, as it stands and with every parameter chosen otherwise; what is refused writes nothing.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

gpc=$(realpath "$1")
top=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
passed=0 failed=0

ok() { # NAME CMD...
	local name=$1
	shift
	if "$@" >out 2>&1; then passed=$((passed + 1)); else
		failed=$((failed + 1))
		echo "FAILED $name"
		cat out
	fi
}
gives() { # NAME STATUS REGEX CMD...
	local name=$1 wanted=$2 regex=$3 status=0
	shift 3
	"$@" >out 2>&1 || status=$?
	if [ "$status" -eq "$wanted" ] && grep -qE -- "$regex" out; then passed=$((passed + 1)); else
		failed=$((failed + 1))
		echo "FAILED $name: exit $status instead of $wanted, or no '$regex' in:"
		cat out
	fi
}

# A value that is none of the defaults, for each type.
other() { # TYPE N
	case $1 in
	address) echo "172.20.$2.99" ;;
	prefix) echo "172.21.$2.0/26" ;;
	port) echo $((30000 + $2)) ;;
	count) echo $((4096 + $2)) ;;
	weight) echo 3 ;;
	rate) echo "$((20 + $2))/s" ;;
	duration) echo "$((20 + $2))m" ;;
	percent) echo "12.5%" ;;
	name) echo another ;;
	interface) echo "eth$2" ;;
	*) echo "unknown type $1" >&2 ;;
	esac
}

sound() { # NAME FOLDER
	ok "$1 compiles without a warning" "$gpc" check --strict -f "$2/gpc.yaml"
	ok "$1 is in the canonical layout" find "$2" -name '*.yaml' -exec "$gpc" fmt --check {} +
	gives "$1 passes its own tests" 0 '^[1-9][0-9]* tests?: [1-9][0-9]* passed, 0 failed' "$gpc" test -f "$2/gpc.yaml"
	for overlay in "$2"/overlays/*.yaml; do
		[ -e "$overlay" ] || continue
		gives "$1 passes its tests under $(basename "$overlay")" 0 ' 0 failed' \
			"$gpc" test -f "$2/gpc.yaml" -e "$(basename "$overlay" .yaml)"
	done
}

templates=$("$gpc" init --list | awk '{print $1}')
gives "all templates are listed" 0 '^7$' wc -l < <(ls "$top/examples/templates")
for template in $templates; do
	ok "$template is written" "$gpc" init "$template" -o "$template"
	sound "$template" "$template"
	sets=() wanted=() n=0
	while read -r name type; do
		n=$((n + 1))
		sets+=(--set "$name=$(other "$type" "$n")")
		wanted+=("$(other "$type" "$n")")
	done < <("$gpc" init "$template" --parameters --json |
		sed -nE 's/.*"type":"parameter","name":"([^"]+)","value_type":"([^"]+)".*/\1 \2/p')
	ok "$template has parameters" [ "$n" -gt 2 ]
	ok "$template is written with other values" "$gpc" init "$template" "${sets[@]}" -o "$template-other"
	for value in "${wanted[@]}"; do
		ok "$template has $value" grep -qF -- "$value" "$template-other/gpc.yaml"
	done
	sound "$template with other values" "$template-other"
done

ok "patterns and names" "$gpc" init three-tier --set 'lan=eth*' --set 'wan=up0' -o patterns
sound "three-tier on other devices" patterns
gives "they stand in interfaces, policies and tests" 0 '^(3|4|5|6|7)$' grep -cE 'eth\*|in: eth0' patterns/gpc.yaml

for value in no y 0x10 1e3 123 '#a' "a'b"; do
	ok "an interface may be called $value" "$gpc" init web --set "wan=$value" -o "called-$value"
	sound "web on $value" "called-$value"
done
ok "other YAML readers see the same names" /usr/bin/python3 -c '
import sys, yaml
for name in sys.argv[1:]:
    text = open("called-" + name + "/gpc.yaml").read()
    assert next(yaml.safe_load_all(text))["interfaces"][0]["name"] == name, name
' no y 0x10 1e3 123 '#a' "a'b"

cp web/gpc.yaml before
gives "a file that is there is not replaced" 4 "gpc.yaml' is there already" "$gpc" init canary -o web
ok "it is as it was" cmp before web/gpc.yaml
ok "but with --force" "$gpc" init canary -o web --force
gives "it is another one now" 0 '^# canary' head -1 web/gpc.yaml
ln -s before link.yaml
mkdir links
ln -s ../before links/gpc.yaml
gives "a symbolic link is not followed" 1 'cannot write' "$gpc" init web -o links --force
ok "what it points to is as it was" cmp before <("$gpc" init web -o fresh >/dev/null 2>&1 && cat fresh/gpc.yaml)

gives "an unknown template" 64 "did you mean 'canary'" "$gpc" init canry -o no
gives "an unknown parameter" 64 "did you mean 'port'" "$gpc" init canary --set prot=80 -o no
gives "a value of another type" 64 "wants a port, not '70000'" "$gpc" init canary --set port=70000 -o no
gives "its grammar is named" 64 "number from 1 to 65535" "$gpc" init canary --set port=0080 -o no
gives "an address of the other family" 64 "wants an address" "$gpc" init canary --set vip=2001:db8::1 -o no
gives "a prefix with host bits" 64 "wants a prefix" "$gpc" init three-tier --set web=10.0.1.1/24 -o no
for value in '~' null '${name}' é; do
	gives "an interface cannot be called $value" 64 "wants an interface, not '" "$gpc" init web --set "wan=$value" -o no
done
gives "nor a plane null" 64 "wants a name" "$gpc" init web --set name=null -o no
gives "an empty folder is none" 64 "-o is empty" "$gpc" init web -o ''
gives "no value" 64 "is no NAME=VALUE" "$gpc" init canary --set port -o no
gives "twice" 64 "given twice" "$gpc" init canary --set port=80 --set port=81 -o no
gives "no template" 64 "gpc init --list" "$gpc" init
gives "values that make no plane" 3 'error\[' "$gpc" init udp-game --set first-port=30 --set last-port=20 -o no
ok "nothing was written" [ ! -e no ]
gives "JSON ends with a result" 0 '"type":"result"' "$gpc" init canary --json -o json
gives "and names the file" 0 '"type":"file","file":"json2/gpc.yaml"' "$gpc" init canary --json -o json2

echo "golden/init: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
