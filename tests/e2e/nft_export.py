# SPDX-License-Identifier: MIT
"""The ingress chain of one interface of a plane as an nftables ruleset for the forward hook.

A translation of its own: prefixes become sorted ranges by arithmetic on integers, rules become nft rules
one by one, and the kernel's conntrack stands for SEMANTICS 5.4. What it cannot say (listeners, VLAN tags,
fragments, rates) must not be in the plane.
"""
import ipaddress

from policy_oracle import ICMP, TYPES, as_list, parse_protocol, prefix_of

FLAG_MASK = "(syn | ack | fin | rst)"


def merged(ranges):
    out = []
    for first, last in sorted(ranges):
        if out and first <= out[-1][1] + 1:
            out[-1] = (out[-1][0], max(out[-1][1], last))
        else:
            out.append((first, last))
    return out


def without(ranges, holes):
    for low, high in holes:
        left = []
        for first, last in ranges:
            if high < first or low > last:
                left.append((first, last))
                continue
            if first < low:
                left.append((first, low - 1))
            if high < last:
                left.append((high + 1, last))
        ranges = left
    return ranges


def segment_ranges(plane, name, version):
    segment = plane.segments[name]
    held = selector_ranges(plane, segment["cidrs"], version)
    return without(held, selector_ranges(plane, segment.get("except", []), version))


def selector_ranges(plane, selector, version):
    ranges = []
    for item in as_list(selector):
        if isinstance(item, dict):
            wanted = item["labels"].items()
            for name, segment in plane.segments.items():
                if wanted <= segment.get("labels", {}).items():
                    ranges += segment_ranges(plane, name, version)
        elif item in plane.segments:
            ranges += segment_ranges(plane, item, version)
        elif prefix_of(item).version == version:
            ranges.append((int(prefix_of(item)[0]), int(prefix_of(item)[-1])))
    return merged(ranges)


def address_match(plane, rule, version):
    """The words that match both ends in this family; None if no packet of it can."""
    family = "ip" if version == 4 else "ip6"
    kind = ipaddress.IPv4Address if version == 4 else ipaddress.IPv6Address
    words = "meta nfproto %s" % ("ipv4" if version == 4 else "ipv6")
    for key, side in (("from", "saddr"), ("to", "daddr")):
        if key not in rule:
            continue
        ranges = selector_ranges(plane, rule[key], version)
        if not ranges:
            return None
        texts = ["%s-%s" % (kind(a), kind(b)) if a != b else str(kind(a)) for a, b in ranges]
        words += " %s %s { %s }" % (family, side, ", ".join(texts))
    return words


def port_match(item):
    if item == "any":
        return ""
    if item.startswith("proto/"):
        return "meta l4proto %d" % parse_protocol(item)
    name, _, rest = item.partition("/")
    protocol = parse_protocol(name)
    if not rest:
        return "meta l4proto %d" % protocol
    if protocol in ICMP:
        kind, _, code = rest.partition("/")
        number = TYPES[protocol][kind] if kind in TYPES[protocol] else int(kind)
        return "meta l4proto %d @th,0,8 %d" % (protocol, number) + (" @th,8,8 %s" % code if code else "")
    return "meta l4proto %d th dport %s" % (protocol, rest)


def packet_match(match, version):
    words = ""
    if "tcp-flags" in match:
        wanted = match["tcp-flags"]
        if wanted == "syn":
            words += " tcp flags & (syn | ack) == syn"
        else:
            words += " tcp flags & %s == %s" % (FLAG_MASK, " | ".join(as_list(wanted)))
    if "dscp" in match:
        words += " %s dscp %s" % ("ip" if version == 4 else "ip6", match["dscp"])
    return words


def nft_rules(plane, rule, verdict):
    for version in (4, 6):
        ends = address_match(plane, rule, version)
        if ends is None:
            continue
        for item in as_list(rule.get("ports", "any")):
            yield " ".join((ends, port_match(item), packet_match(rule.get("match", {}), version), verdict)).strip()


VERDICTS = {"allow": "accept", "deny": "drop", "reject": "goto rejecting", "pass": "return"}


def policy_chain(plane, policy, name, mid_stream):
    """Mid-stream an allow is what the default says (5.4)."""
    default = VERDICTS[policy.get("default", "deny")]
    yield "\tchain %s {" % name
    for rule in plane.policy_rules(policy):
        if rule["action"] in ("log", "mark"):
            continue
        verdict = VERDICTS[rule["action"]]
        if mid_stream and rule["action"] == "allow":
            verdict = default
        for line in nft_rules(plane, rule, verdict):
            yield "\t\t" + line
    yield "\t\t" + default
    yield "\t}"


def ruleset(plane, interface):
    policies = [p for p in plane.chain(interface, "ingress") if p.get("mode", "enforce") == "enforce"]
    stateful = bool(policies) and policies[0].get("stateful", "true") == "true"
    lines = ["table inet filter {",
             "\tchain rejecting {",
             "\t\tmeta l4proto tcp tcp flags & rst == rst drop",
             "\t\tmeta l4proto tcp reject with tcp reset",
             "\t\treject with icmpx type port-unreachable",
             "\t}"]
    chains = {}
    for mid_stream in (False, True) if stateful else (False,):
        chains[mid_stream] = []
        for n, policy in enumerate(policies):
            name = "%s%d" % ("mid" if mid_stream else "policy", n)
            chains[mid_stream].append(name)
            lines += policy_chain(plane, policy, name, mid_stream)
    lines.append("\tchain protect {")
    for item in plane.protect:
        if plane.stands_on(item, interface) and item.get("direction", "ingress") == "ingress":
            lines += ["\t\t" + line for line in nft_rules(plane, item, "accept")]
    lines += ["\t}", "\tchain arriving {", "\t\tjump protect"]
    if stateful:
        lines.append("\t\tct state established,related accept")
        lines += ["\t\tmeta l4proto tcp ct state invalid jump %s" % name for name in chains[True]]
        lines.append("\t\tmeta l4proto tcp ct state invalid accept")
    lines += ["\t\tjump %s" % name for name in chains[False]]
    lines += ["\t}", "\tchain forward {", "\t\ttype filter hook forward priority filter; policy accept;",
              "\t\tiifname \"%s\" jump arriving" % interface, "\t}", "}"]
    return "\n".join(lines) + "\n"
