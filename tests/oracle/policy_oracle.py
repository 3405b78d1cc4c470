#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What the policies of a plane say about a packet, read from the YAML itself and decided rule by rule:
SEMANTICS 4.3, 5.1, 5.2, 5.5 and, for the words of the answer, section 8.

  policy_oracle.py --in DEVICE|--out DEVICE PLANE.yaml... < PACKETS > VERDICTS

A packet is a line, as `gpc explain --batch` reads them:

  tcp 10.0.1.5:40000 -> 10.0.9.3:5432          udp [2001:db8::1]:53 -> [2001:db8::2]:53
  icmp 10.0.1.5 -> 10.0.9.3 type 8 code 0      47 10.0.1.5 -> 10.0.9.3

and behind it, in any order: flags NAME,NAME|none, vlan N, dscp N, fragment first|later. An
unstated TCP packet is a SYN. Each is judged as the first packet that is seen of
its flow, with every bucket full and no pickup.

It reads Plane documents without include, values and overlays; what is written is believed to be valid.
"""
import functools
import ipaddress
import sys

import yaml

PROTOCOLS = {"icmp": 1, "igmp": 2, "ipip": 4, "tcp": 6, "udp": 17, "ipv6": 41, "gre": 47, "esp": 50, "ah": 51,
             "icmp6": 58, "ospf": 89, "vrrp": 112, "sctp": 132}
TYPES = {
    1: {"echo-reply": 0, "destination-unreachable": 3, "redirect": 5, "echo-request": 8, "time-exceeded": 11,
        "parameter-problem": 12},
    58: {"destination-unreachable": 1, "packet-too-big": 2, "time-exceeded": 3, "parameter-problem": 4,
         "echo-request": 128, "echo-reply": 129, "router-solicitation": 133, "router-advertisement": 134,
         "neighbour-solicitation": 135, "neighbour-advertisement": 136, "redirect": 137},
}
FLAGS = ("syn", "ack", "fin", "rst")
WITH_PORTS = (6, 17, 132)
ICMP = (1, 58)


class Packet:
    def __init__(self, protocol, source, destination, sport=None, dport=None, icmp=None, flags=("syn",), vlan=None,
                 dscp=0, fragment="none"):
        self.protocol = protocol
        self.source, self.destination = ipaddress.ip_address(source), ipaddress.ip_address(destination)
        self.sport, self.dport = sport, dport          # None: there are none
        self.icmp = icmp                               # (type, code)
        self.flags = frozenset(flags) if protocol == 6 else frozenset()
        self.vlan, self.dscp, self.fragment = vlan, dscp, fragment
        if fragment == "later":
            self.sport = self.dport = self.icmp = None
            self.flags = frozenset()

    def exchanged(self):
        return Packet(self.protocol, self.destination, self.source, self.dport, self.sport, self.icmp, self.flags,
                      self.vlan, self.dscp, self.fragment)

    def opens(self):
        """Of the packets that rules are asked about: does it open a flow (5.4)?"""
        if self.protocol == 6:
            return self.flags == {"syn"}
        if self.protocol in ICMP:
            return self.icmp is not None and self.icmp[0] == (8 if self.protocol == 1 else 128)
        return True

    def text(self):
        names = {number: name for name, number in PROTOCOLS.items()}
        name = names[self.protocol] if self.protocol in (1, 6, 17, 58, 132) else str(self.protocol)
        ends = []
        for address, port in ((self.source, self.sport), (self.destination, self.dport)):
            if port is None:
                ends.append(str(address))
            else:
                ends.append(("[%s]:%d" if address.version == 6 else "%s:%d") % (address, port))
        line = "%s %s -> %s" % (name, *ends)
        if self.icmp:
            line += " type %d code %d" % self.icmp
        if self.protocol == 6 and self.fragment != "later" and self.flags != {"syn"}:
            line += " flags " + (",".join(f for f in FLAGS if f in self.flags) or "none")
        if self.vlan is not None:
            line += " vlan %d" % self.vlan
        if self.dscp:
            line += " dscp %d" % self.dscp
        if self.fragment != "none":
            line += " fragment " + self.fragment
        return line


def parse_end(text):
    if text.startswith("["):
        address, _, port = text[1:].partition("]")
        return address, int(port[1:]) if port else None
    if text.count(":") == 1:
        address, _, port = text.partition(":")
        return address, int(port)
    return text, None


def parse_protocol(text):
    if text.startswith("proto/"):
        text = text[len("proto/"):]
    return PROTOCOLS[text] if text in PROTOCOLS else int(text)


def parse_packet(line):
    words = line.split()
    protocol = parse_protocol(words[0])
    (source, sport), (destination, dport) = parse_end(words[1]), parse_end(words[3])
    more = dict(zip(words[4::2], words[5::2]))
    flags = more.get("flags", "syn")
    icmp = None
    if protocol in ICMP and "type" in more:
        kind = more["type"]
        icmp = (TYPES[protocol][kind] if kind in TYPES[protocol] else int(kind), int(more.get("code", 0)))
    return Packet(protocol, source, destination, sport, dport, icmp,
                  () if flags == "none" else flags.split(","),
                  int(more["vlan"]) if "vlan" in more else None, int(more.get("dscp", 0)),
                  more.get("fragment", "none"))


# ---- what rules are made of ----------------------------------------------------------------------

def as_list(value):
    return value if isinstance(value, list) else [value]


@functools.lru_cache(maxsize=None)
def prefix_of(text):
    return ipaddress.ip_network(text, strict=False)


def in_prefix(prefix, address):
    return address.version == prefix.version and address in prefix


class Plane:
    def __init__(self, documents):
        self.documents = [d for d in documents if d and d.get("kind") == "Plane"]

        def joined(section):
            return [item for d in self.documents for item in d.get(section) or []]

        self.segments = {s["name"]: s for s in joined("segments")}
        self.rules = {r["name"]: r for r in joined("rules")}
        self.listeners = joined("listeners")
        self.interfaces = [i["name"] for i in joined("interfaces")]
        self.protect = joined("protect")
        self.policies = [(int(p.get("priority", 100)), n, k, p) for n, d in enumerate(self.documents)
                         for k, p in enumerate(d.get("policies") or [])]
        self.policies.sort(key=lambda entry: entry[:3])
        self.builtin = {}
        for d in self.documents:
            self.builtin.update((d.get("defaults") or {}).get("builtin") or {})

    # -- addresses --

    def segment_holds(self, name, address):
        segment = self.segments[name]
        if not any(in_prefix(prefix_of(c), address) for c in as_list(segment.get("cidrs", []))):
            return False
        return not any(self.selected(item, address) for item in as_list(segment.get("except", [])))

    def selected(self, item, address):
        """A name, a prefix, {labels: ...}, or a list of these."""
        if isinstance(item, list):
            return any(self.selected(one, address) for one in item)
        if isinstance(item, dict):
            wanted = item["labels"].items()
            return any(wanted <= (s.get("labels") or {}).items() and self.segment_holds(name, address)
                       for name, s in self.segments.items())
        if item[0].isalpha() and item in self.segments:
            return self.segment_holds(item, address)
        return in_prefix(prefix_of(item), address)

    def named_listeners(self, patterns):
        for listener in self.listeners:
            if any(matches_name(pattern, listener["name"]) for pattern in as_list(patterns)):
                yield listener

    def targeted(self, to, packet, with_ports):
        """`to`, where {listeners: ...} without `ports` speaks of protocol and ports too."""
        if isinstance(to, list):
            return any(self.targeted(one, packet, with_ports) for one in to)
        if isinstance(to, dict) and "listeners" in to:
            for listener in self.named_listeners(to["listeners"]):
                addresses = as_list(listener["address"])
                if any(in_prefix(prefix_of(a), packet.destination) for a in addresses) and (with_ports or to_listener(listener, packet)):
                    return True
            return False
        return self.selected(to, packet.destination)

    # -- rules --

    def rule_matches(self, rule, packet):
        with_ports = "ports" in rule
        if "from" in rule and not self.selected(rule["from"], packet.source):
            return False
        if "to" in rule and not self.targeted(rule["to"], packet, with_ports):
            return False
        if with_ports and not any(port_item_matches(item, packet) for item in as_list(rule["ports"])):
            return False
        return match_holds(rule.get("match") or {}, packet)

    def policy_rules(self, policy):
        rules = [self.rules[name] for name in policy.get("rules") or []]
        if rules and all("priority" in r for r in rules):
            rules.sort(key=lambda r: int(r["priority"]))
        return rules

    def policy_verdict(self, policy, packet, mid_stream):
        """(allow|deny|reject|pass, rule) of a policy by itself. Mid-stream an allow becomes the default."""
        for rule in self.policy_rules(policy):
            if rule["action"] in ("allow", "deny", "reject") and self.rule_matches(rule, packet):
                if rule["action"] == "allow" and mid_stream:
                    break
                return rule["action"], rule["name"]
        return policy.get("default", "deny"), "default"

    def is_mid_stream(self, policy, direction, packet):
        """Of TCP without a flow. Audit and listeners of which only one side is seen take it like a first packet."""
        if packet.protocol != 6 or packet.fragment == "later" or packet.opens():
            return False
        if policy.get("stateful", "true") != "true" or policy.get("mode", "enforce") == "audit":
            return False
        if policy.get("mid-stream", "deny") == "allow":
            return False
        return direction == "egress" or not any(
            to_listener(listener, packet) and any(in_prefix(prefix_of(a), packet.destination)
                                                  for a in as_list(listener["address"]))
            for listener in self.listeners)

    # -- chains --

    def interface_of(self, device):
        if device in self.interfaces:
            return device
        heads = [i for i in self.interfaces if i.endswith("*") and device.startswith(i[:-1])]
        return max(heads, key=len) if heads else None

    def stands_on(self, item, interface):
        names = as_list(item.get("interfaces", "*"))
        return "*" in names or interface in names

    def protected_by(self, interface, direction, packet):
        for item in sorted(self.protect, key=lambda i: i["name"]):
            if not self.stands_on(item, interface):
                continue
            asked = packet if item.get("direction", "ingress") == direction else packet.exchanged()
            if self.rule_matches(item, asked):
                return item["name"]
        return None

    def built_in(self, packet):
        """Of a whole packet; its hop limit is unstated and taken as 255."""
        if packet.protocol != 58 or packet.fragment != "none" or packet.source.version != 6 or not packet.icmp:
            return None
        link_local = packet.source in ipaddress.ip_network("fe80::/10")
        kind = packet.icmp[0]
        if kind in (135, 136):
            return "nd"
        if kind == 133 or (kind == 134 and link_local):
            return "ra"
        if kind in (130, 131, 132, 143) and (link_local or int(packet.source) == 0):
            return "mld"
        return None

    def chain(self, interface, direction):
        return [p for _, _, _, p in self.policies
                if p["direction"] == direction and self.stands_on(p, interface)]

    def decide(self, interface, direction, packet):
        """The words of one line of the batch."""
        built_in = self.built_in(packet)
        action = self.builtin.get(built_in, "allow") if built_in else "rules"
        if action != "rules":
            return action, "builtin", built_in
        protected = self.protected_by(interface, direction, packet)
        if protected:
            return "allow", "protect", protected
        would = None
        for policy in self.chain(interface, direction):
            mid_stream = self.is_mid_stream(policy, direction, packet)
            verdict, rule = self.policy_verdict(policy, packet, mid_stream)
            if policy.get("mode", "enforce") == "audit":
                if verdict in ("deny", "reject") and not would:
                    would = ("pass", policy["name"], rule, "would-" + verdict)
            elif verdict != "pass":
                return verdict, policy["name"], rule
        return would or ("pass", "-", "-")


def matches_name(pattern, name):
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


def to_listener(listener, packet):
    if packet.protocol != PROTOCOLS[listener["protocol"].lower()]:
        return False
    return packet.fragment == "later" or packet.dport == int(listener["port"])


def port_item_matches(item, packet):
    if item == "any":
        return True
    if item.startswith("proto/"):
        return packet.protocol == parse_protocol(item)
    name, _, rest = item.partition("/")
    if packet.protocol != PROTOCOLS[name]:
        return False
    if not rest:
        return True
    if packet.fragment == "later":
        return False
    if packet.protocol in ICMP:
        kind, _, code = rest.partition("/")
        number = TYPES[packet.protocol][kind] if kind in TYPES[packet.protocol] else int(kind)
        return packet.icmp is not None and packet.icmp[0] == number and (not code or packet.icmp[1] == int(code))
    low, _, high = rest.partition("-")
    return packet.dport is not None and int(low) <= packet.dport <= int(high or low)


def match_holds(match, packet):
    if "tcp-flags" in match:
        if packet.protocol != 6 or packet.fragment == "later":
            return False
        wanted = match["tcp-flags"]
        if wanted == "syn":
            if "syn" not in packet.flags or "ack" in packet.flags:
                return False
        elif packet.flags != set(as_list(wanted)):
            return False
    if "vlan" in match:
        wanted = None if match["vlan"] == "none" else int(match["vlan"])
        if packet.vlan != wanted:
            return False
    if "dscp" in match and packet.dscp != int(match["dscp"]):
        return False
    return match.get("fragments", "any") in ("any", packet.fragment)


def load_plane(paths):
    documents = []
    for path in paths:
        with open(path, encoding="utf-8") as source:
            documents += yaml.load_all(source, Loader=yaml.BaseLoader)  # every scalar is text
    return Plane(documents)


def main(arguments):
    if len(arguments) < 3 or arguments[0] not in ("--in", "--out"):
        sys.exit(__doc__)
    plane = load_plane(arguments[2:])
    interface = plane.interface_of(arguments[1])
    direction = "ingress" if arguments[0] == "--in" else "egress"
    for line in sys.stdin:
        print("\t".join(plane.decide(interface, direction, parse_packet(line))))


if __name__ == "__main__":
    main(sys.argv[1:])
