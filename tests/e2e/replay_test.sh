#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# gpc replay: captures of every form give the same sums, flows live by their time stamps, the kernel says
# what user space says; what two images do differently; lists of flows; captures that are damaged.
. "$(dirname "$0")/rig.bash"

root=$WORK/project
mkdir "$root"
cd "$root" || exit 1
cat >edge.yaml <<'END'
apiVersion: gpc/v1
kind: Plane
metadata: {name: edge}
defaults: {on-fail: pass}
interfaces: [{name: wan0, hooks: [xdp, tc-egress]}]
backends:
  - {name: web, endpoints: [{name: web-1, address: 10.0.0.1}]}
listeners:
  - {name: https, address: 203.0.113.10, protocol: TCP, port: 443, backend: web}
rules:
  - {name: ssh, action: allow, ports: [tcp/22]}
  - {name: web, action: allow, to: {listeners: "*"}}
  - {name: dns, action: allow, ports: [udp/53], rate: {limit: 2/s}}
policies:
  - {name: in, interfaces: [wan0], direction: ingress, rules: [ssh, web, dns]}
END
sed -e 's/ssh, web, dns/web, dns/' -e '/name: ssh/d' -e 's/name: web-1, address: 10.0.0.1/name: web-2, address: 10.0.0.2/' edge.yaml >new.yaml
{
	echo "1.0 tcp 8.8.8.8 4000 203.0.113.10 443"
	echo "1.1 tcp 8.8.8.8 4000 203.0.113.10 443 A payload 100"
	echo "1.2 tcp 9.9.9.9 1000 198.51.100.1 22"
	echo "1.3 tcp 198.51.100.1 22 9.9.9.9 1000 SA out"
	for i in 4 5 6; do echo "1.$i tcp 9.9.9.9 1000 198.51.100.1 22 A payload $i"; done
	for i in 1 2 3 4 5; do echo "2.$i udp 9.9.9.9 100$i 198.51.100.1 53"; done
	for i in 1 2 3; do echo "20$i udp 9.9.9.9 200$i 198.51.100.1 53"; done
	echo "210 tcp 2001:db8::1 1 2001:db8::2 80"
	echo "211 icmp 9.9.9.9 198.51.100.1 8"
} >lines
capture() { /usr/bin/python3 "$RIG_ROOT/tests/e2e/capture.py" "$@"; }
sums() { # ARGS...: counts by verdict, reason, rule, endpoint, without those that depend on lengths
	"$GPC" replay --json "$@" 2>/dev/null | /usr/bin/python3 -c '
import json, sys
for line in sys.stdin:
    o = json.loads(line)
    if o["type"] in ("verdict", "reason", "rule", "listener", "endpoint") and o["packets"] + o.get("known_packets", 0):
        print(o["type"], o.get(o["type"]), o["packets"], o.get("known_packets", 0))' | LC_ALL=C sort
}

capture pcap base.pcap <lines
sums --pcap base.pcap --mac 02:aa:bb:cc:dd:ee edge.yaml >base
check "sums of a capture" diff base - <<'END'
endpoint web-1 2 0
listener https 2 0
reason counted 1 0
reason forwarded 2 0
reason no-listener 9 0
reason policy 2 0
reason rate 3 0
rule default 2 0
rule dns 8 0
rule ssh 1 4
rule web 1 1
verdict drop 5 0
verdict forward 2 0
verdict pass 10 0
END
for form in pcap-ns pcap-big pcapng pcap/sll pcapng/sll2 pcap/ethernet/74; do
	capture "$form" other.pcap <lines
	sums --pcap other.pcap --mac 02:aa:bb:cc:dd:ee edge.yaml >other
	check "the same from $form" diff base other
done
grep -v out lines | capture pcap/raw other.pcap
sums --pcap other.pcap edge.yaml >other
check "raw IP, only what arrives" diff <(sed -e 's/pass 10/pass 9/' -e '/counted/d' -e 's/ssh 1 4/ssh 1 3/' base) other
check "from standard input" bash -c '"$0" replay --pcap - --mac 02:aa:bb:cc:dd:ee edge.yaml <base.pcap' "$GPC"
check_said "as text" "in/ssh"
check_exit "two sources are exit 64" 64 "$GPC" replay --pcap base.pcap --flows lines edge.yaml
check_exit "a device of nobody is exit 64" 64 "$GPC" replay --pcap base.pcap --in eth7 edge.yaml

# The clock of the kernel cannot be set: no rates here, and nothing that waits.
grep -v -e udp -e out lines | capture pcap real.pcap
sums --pcap real.pcap edge.yaml >user
sums --kernel --pcap real.pcap edge.yaml >kernel
check "something was replayed" grep -q 'verdict pass' user
check "the kernel says the same" diff user kernel

check "two images" "$GPC" replay --pcap base.pcap --mac 02:aa:bb:cc:dd:ee --compare new.yaml edge.yaml
cp "$WORK/out" compared
check "what differs, most first" diff <(sed -n '/treated differently/,$p' compared) - <<'END'
6 packets, 439 B, treated differently
1 packet treated alike, but by another rule
by rule
  3 packets, 177 B: pass, in/ssh -> drop (mid-stream), in/default
      packet 5: tcp 9.9.9.9:1000 -> 198.51.100.1:22 flags ack
  2 packets, 208 B: forward to web-1, in/web -> forward to web-2, in/web
      packet 1: tcp 8.8.8.8:4000 -> 203.0.113.10:443
  1 packet, 54 B: pass, in/ssh -> drop, in/default
      packet 3: tcp 9.9.9.9:1000 -> 198.51.100.1:22
by flow
  4 packets, 231 B
      packet 3: tcp 9.9.9.9:1000 -> 198.51.100.1:22
      edge.yaml: pass, in/ssh
      new.yaml: drop, in/default
  2 packets, 208 B
      packet 1: tcp 8.8.8.8:4000 -> 203.0.113.10:443
      edge.yaml: forward to web-1, in/web
      new.yaml: forward to web-2, in/web
END
check "the same image" "$GPC" replay --pcap base.pcap --compare edge.yaml edge.yaml
check_said "differs in nothing" "no packet is treated differently"

cat >flows <<'END'
# recorded by hand
tcp 9.9.9.9:1000 -> 198.51.100.1:22 packets 7 bytes 900
tcp 8.8.8.8:4000 -> 203.0.113.10:443 bytes 60 in wan0   # in time
{"type":"event","device":"wan0","hook":"xdp","protocol":"udp","protocol_number":17,"source":"9.9.9.9","source_port":5,"destination":"198.51.100.1","destination_port":53,"fragment":null,"dscp":0,"length":100,"packets":3,"more":1}
{"type":"event","device":"wan0","hook":"xdp","protocol":"tcp","source":"9.9.9.9","source_port":5,"destination":"198.51.100.1","destination_port":22,"tcp_flags":"A","length":100,"packets":1}
{"type":"result","exit":0}
END
check "a list of flows" diff <(sums --flows flows --in wan0 edge.yaml) - <<'END'
endpoint web-1 1 0
listener https 1 0
reason forwarded 1 0
reason mid-stream 1 0
reason no-listener 10 0
rule default 1 0
rule dns 3 0
rule ssh 7 0
rule web 1 0
verdict drop 1 0
verdict forward 1 0
verdict pass 10 0
END
check_equal "bytes as written" "$("$GPC" replay --json --flows flows --in wan0 edge.yaml 2>/dev/null | tail -1 |
	cut -d, -f1-4)" '{"type":"result","source":"flows","packets":12,"bytes":1360'
echo "tcp 9.9.9.9 -> 198.51.100.1" >wrong
check_exit "a line that is no flow is exit 3" 3 "$GPC" replay --flows wrong --in wan0 edge.yaml
check_said "and has its place" "wrong:1:"

size=$(stat -c %s base.pcap)
head -c $((size - 10)) base.pcap >torn.pcap
check "a torn capture" "$GPC" replay --json --pcap torn.pcap edge.yaml
check_said "is read as far as it goes" '"packets":16'
check_said "and it is said" '"damage":"truncated dump file'
capture pcap/ethernet/45 short.pcap <lines
check "a capture without headers" "$GPC" replay --json --pcap short.pcap edge.yaml
check_said "leaves those out" '"headless":8'
check_exit "no capture at all is exit 3" 3 "$GPC" replay --pcap lines edge.yaml
rig_done
