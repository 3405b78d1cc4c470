# SPDX-License-Identifier: MIT
"""Random planes with policies, and packets that meet their rules. The same seed, the same plane.

A plane is a plain dictionary as the YAML would read it, every scalar a string; plane_text() writes it.
Its addresses lie close together and its ports are few, so that rules meet and shadow one another.
"""
import functools
import ipaddress
import random

import yaml

from policy_oracle import FLAGS, Packet

INTERFACES = ("wan0", "lan*", "dmz1")
DEVICES = ("wan0", "lan7", "dmz1")
PORTS = (0, 1, 22, 53, 80, 443, 1023, 1024, 5432, 65535)


class Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data):
        return True


def plane_text(plane):
    return yaml.dump(plane, Dumper=Dumper, default_flow_style=None, sort_keys=False, width=200)


def prefix(r):
    if r.random() < 0.65:
        return prefix4(r)
    base = r.choice((0x20010DB8 << 96, 0x20010DB8 << 96, 0xFD77 << 112))
    number = base | r.randrange(4) << 64 | r.randrange(4)
    return text_of(ipaddress.IPv6Address(number), r.choice((32, 48, 63, 64, 64, 126, 127, 128, 128)))


def prefix4(r):
    number = r.choice((0x0A000000, 0x0A000000, 0xC6336400, 0xCB007100)) | r.randrange(4) << 6 | r.randrange(8)
    return text_of(ipaddress.IPv4Address(number), r.choice((8, 16, 24, 25, 26, 28, 29, 30, 31, 32, 32)))


def text_of(address, length):
    network = ipaddress.ip_network((address, length), strict=False)
    if network.num_addresses == 1 and int(address) % 2:
        return str(address)
    return str(network)


def subtract(ranges, hole):
    """Of sorted (first, last) pairs what does not lie in the hole."""
    left = []
    for first, last in ranges:
        if hole[0] > last or hole[1] < first:
            left.append((first, last))
            continue
        if first < hole[0]:
            left.append((first, hole[0] - 1))
        if last > hole[1]:
            left.append((hole[1] + 1, last))
    return left


def is_empty(segment, segments):
    """Does an `except` of prefixes and of segments (taken whole, which is too much) leave nothing?"""
    for version in (4, 6):
        holes = []
        for item in segment.get("except", []):
            texts = segments[item]["cidrs"] if item in segments else [item]
            holes += [ipaddress.ip_network(t) for t in texts]
        for text in segment["cidrs"]:
            network = ipaddress.ip_network(text)
            left = [(int(network[0]), int(network[-1]))] if network.version == version else []
            for hole in holes:
                if hole.version == version:
                    left = subtract(left, (int(hole[0]), int(hole[-1])))
            if left:
                return False
    return True


def random_segments(r):
    segments = {}
    for n in range(r.randint(1, 10)):
        name = "s%d" % n
        segment = {"name": name, "cidrs": [prefix(r) for _ in range(r.randint(1, 4))]}
        if r.random() < 0.15:
            segment["cidrs"] = ["0.0.0.0/0", "::/0"]
        if r.random() < 0.4:
            choices = list(segments) + [prefix(r) for _ in range(3)]
            segment["except"] = r.sample(choices, r.randint(1, min(3, len(choices))))
            if is_empty(segment, segments):
                del segment["except"]
        if r.random() < 0.6:
            segment["labels"] = {key: r.choice(("a", "b")) for key in r.sample(("role", "env", "site"), r.randint(1, 3))}
        segments[name] = segment
    return segments


def random_selector(r, segments):
    draw = r.random()
    labelled = [s for s in segments.values() if "labels" in s]
    if draw < 0.2 and labelled:
        labels = r.choice(labelled)["labels"]
        return {"labels": {k: labels[k] for k in r.sample(sorted(labels), r.randint(1, len(labels)))}}
    if draw < 0.5:
        return r.choice(sorted(segments))
    if draw < 0.7:
        return prefix(r)
    return [r.choice(sorted(segments)) if r.random() < 0.6 else prefix(r) for _ in range(r.randint(1, 3))]


def port_item(r):
    draw = r.random()
    name = r.choice(("tcp", "tcp", "udp", "sctp"))
    if draw < 0.4:
        return "%s/%d" % (name, r.choice(PORTS))
    if draw < 0.6:
        low, high = sorted((r.choice(PORTS), r.choice(PORTS)))
        return "%s/%d-%d" % (name, low, high)
    if draw < 0.7:
        return name
    return r.choice(("any", "icmp", "icmp6", "icmp/echo-request", "icmp/8/0", "icmp/3", "icmp6/echo-request", "icmp6/1/4",
                     "icmp/destination-unreachable/3", "proto/gre", "proto/50", "proto/tcp", "proto/132", "icmp/255"))


def random_match(r, tcp):
    match = {}
    if tcp and r.random() < 0.5:
        match["tcp-flags"] = r.choice(("syn", ["syn"], ["ack"], ["syn", "ack"], ["fin", "ack"], ["rst"]))
    if r.random() < 0.2:
        match["vlan"] = r.choice(("none", "1", "4094"))
    if r.random() < 0.2:
        match["dscp"] = r.choice(("0", "46", "63"))
    if r.random() < 0.2:
        match["fragments"] = r.choice(("none", "first", "any"))
    return match


def random_rule(r, name, segments, listeners, matches):
    rule = {"name": name}
    if r.random() < 0.7:
        rule["from"] = random_selector(r, segments)
    if listeners and r.random() < 0.15:
        rule["to"] = {"listeners": r.choice(("*", "l*", listeners[0]["name"], [listeners[-1]["name"], "l1*"]))}
        if isinstance(rule["to"]["listeners"], list) and not any(l["name"].startswith("l1") for l in listeners):
            rule["to"]["listeners"] = [listeners[-1]["name"]]
    elif r.random() < 0.7:
        rule["to"] = random_selector(r, segments)
    if r.random() < 0.7:
        rule["ports"] = [port_item(r) for _ in range(r.randint(1, 3))]
    rule["action"] = r.choice(("allow", "allow", "allow", "deny", "deny", "reject", "log", "mark"))
    if rule["action"] == "mark":
        rule["mark"] = "7"
    if matches and r.random() < 0.3:
        rule["match"] = dict(r.choice(matches))
        if "tcp-flags" in rule["match"]:
            rule["ports"] = r.choice((["tcp"], ["tcp/443"], ["tcp/0-1023"]))
        if not rule["match"]:
            del rule["match"]
    if rule["action"] == "allow" and r.random() < 0.1:
        rule["rate"] = {"limit": "1000/s"}
    return rule


def random_policies(r, rules):
    policies = []
    for direction in ("ingress", "egress"):
        stateful = r.choice(("true", "false"))
        for n in range(r.choice((0, 1, 1, 2, 3)) if direction == "egress" else r.randint(1, 4)):
            policy = {"name": "p%s%d" % (direction[0], n),
                      "interfaces": r.choice((["*"], ["wan0"], ["lan*"], ["wan0", "lan*"], list(INTERFACES))),
                      "direction": direction,
                      "stateful": stateful,
                      "default": r.choice(("deny", "allow", "pass", "pass", "reject")),
                      "rules": r.sample(sorted(rules), r.randint(0, len(rules)))}
            if r.random() < 0.3:
                policy["mode"] = "audit"
            if r.random() < 0.5:
                policy["priority"] = str(r.choice((1, 50, 100, 200)))
            ranked = ["priority" in rules[name] for name in policy["rules"]]
            if any(ranked):     # on all rules of a policy, or on none
                half = r.random() < 0.5
                policy["rules"] = [n for n, has in zip(policy["rules"], ranked) if has == half]
            policies.append(policy)
    return policies


def random_plane(seed, matches=True):
    r = random.Random(seed)
    segments = random_segments(r)
    listeners = [{"name": "l%d" % n, "address": ["192.0.2.%d" % n, "2001:db8:ff::%x" % n],
                  "protocol": r.choice(("TCP", "UDP")), "port": str(r.choice((53, 80, 443))), "forward": "dsr",
                  "backend": "web"} for n in range(r.choice((0, 0, 1, 3, 12)))]
    kinds = [random_match(r, True) for _ in range(3)] if matches else []
    rules = {}
    for n in range(r.randint(1, 25)):
        rule = random_rule(r, "r%d" % n, segments, listeners, kinds)
        if n % 3 == 2 and r.random() < 0.5:
            rule["priority"] = str(r.randrange(4))
        rules[rule["name"]] = rule
    protect = []
    for n in range(r.choice((0, 0, 1, 2))):
        item = {"name": "k%d" % n, "from": random_selector(r, segments), "to": random_selector(r, segments),
                "direction": r.choice(("ingress", "egress"))}
        if r.random() < 0.8:
            item["ports"] = [r.choice(("tcp/22", "udp/53", "tcp", "tcp/0-1023"))]
        if r.random() < 0.5:
            item["interfaces"] = [r.choice(INTERFACES)]
        protect.append(item)
    plane = {"apiVersion": "gpc/v1", "kind": "Plane", "metadata": {"name": "random-%d" % seed},
             "defaults": {"on-fail": "pass", "pickup": "never"},
             "interfaces": [{"name": i, "mode": "any", "hooks": ["xdp", "tc-ingress", "tc-egress"]} for i in INTERFACES],
             "segments": list(segments.values()), "rules": list(rules.values()),
             "policies": random_policies(r, rules)}
    if protect:
        plane["protect"] = protect
    if listeners:
        plane["backends"] = [{"name": "web", "endpoints": [{"name": "e", "address": ["10.9.9.9", "fd99::9"]}]}]
        plane["listeners"] = listeners
    return plane


# ---- packets -------------------------------------------------------------------------------------

@functools.lru_cache(maxsize=None)
def network_of(text):
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        return None


def prefixes_of(value):
    """Every text in it that is an address or a prefix."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [n for item in value for n in prefixes_of(item)]
    network = network_of(value)
    return [network] if network else []


def corner(r, network):
    first, last = int(network[0]), int(network[-1])
    number = r.choice((first, last, first - 1, last + 1, r.randint(first, last), r.randint(first, last)))
    top = 2 ** network.max_prefixlen - 1
    address = type(network[0])(max(0, min(number, top)))
    mapped = getattr(address, "ipv4_mapped", None)
    return network[0] if mapped else address


class Aims:
    """The prefixes of both ends of each rule; all of the plane's where a rule names none."""

    def __init__(self, plane):
        self.plane = plane
        self.every = prefixes_of([plane.get(section, []) for section in ("segments", "rules", "listeners")])
        self.every = self.every or [ipaddress.ip_network("10.0.0.0/8")]
        self.rules = [(self.networks(rule.get("from", [])), self.networks(rule.get("to", [])))
                      for rule in plane.get("rules", [])] or [(self.every, self.every)]

    def networks(self, selector):
        return [n for one in (selector if isinstance(selector, list) else [selector]) for n in self.selected(one)] \
            or self.every

    def selected(self, item):
        if isinstance(item, dict) and "labels" in item:
            wanted = item["labels"].items()
            return prefixes_of([s for s in self.plane["segments"] if wanted <= s.get("labels", {}).items()])
        if isinstance(item, dict):
            return prefixes_of(self.plane["listeners"])
        return prefixes_of(item) or prefixes_of([s for s in self.plane["segments"] if s["name"] == item])

    def ends(self, r):
        sources, destinations = r.choice(self.rules) if r.random() < 0.7 else (self.every, self.every)
        source = r.choice(sources)
        same = [n for n in destinations if n.version == source.version]
        return corner(r, source), corner(r, r.choice(same or [n for n in self.every if n.version == source.version]))


def random_packet(r, aims, stated_only=False):
    """`stated_only`: nothing but what the shortest form of a line says (a whole, untagged packet)."""
    source, destination = aims.ends(r)
    version = source.version
    if version == 6 and not stated_only and r.random() < 0.05:
        source = ipaddress.ip_address(r.choice(("::", "fe80::1", "febf::1", "fec0::1")))
    protocol = r.choice((6, 6, 6, 17, 17, 132, 1 if version == 4 else 58, 1 if version == 4 else 58, 47, 50))
    if stated_only and protocol in (47, 50, 132):
        protocol = 17
    more = {}
    if protocol in (6, 17, 132):
        near = r.choice(PORTS) + r.choice((0, 0, 0, 1, -1))
        more = {"sport": r.choice((40000, 40000, 22, 53)), "dport": max(0, min(65535, near))}
    elif protocol in (1, 58):
        types = (0, 3, 5, 8, 8, 11, 255) if protocol == 1 else (1, 2, 3, 128, 128, 128, 129, 130, 133, 134, 136)
        more = {"icmp": (r.choice(types), r.choice((0, 0, 3, 4)))}
    if not stated_only:
        more["vlan"] = r.choice((None, None, None, 1, 2, 4094))
        more["dscp"] = r.choice((0, 0, 0, 46, 63))
        more["fragment"] = r.choice(("none", "none", "none", "none", "first"))
    if protocol == 6 and not stated_only and r.random() < 0.2:
        more["flags"] = [f for f in FLAGS if r.random() < 0.4]
    return Packet(protocol, source, destination, **more)


def random_packets(seed, plane, count, stated_only=False):
    r, aims = random.Random(seed), Aims(plane)
    return [random_packet(r, aims, stated_only) for _ in range(count)]
