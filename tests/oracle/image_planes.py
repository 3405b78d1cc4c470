# SPDX-License-Identifier: MIT
"""Random planes of balancing, as dictionaries. The same seed, the same plane.

Listeners of one group of addresses agree in `ping` and `gue-port`, as they must; they share prefixes, ports and
interfaces as often as the language lets them."""
import random

PROTOCOLS = ("TCP", "UDP", "SCTP")
ANY = (0, 65535)
GROUPS = 3
TIMEOUTS = "syn established closing closed udp-new udp icmp other".split()


class Random(random.Random):
    def chance(self, percent):
        return self.randrange(100) < percent

    def shuffled(self, items):
        return self.sample(items, len(items))

    def some(self, given, key, percent, *values):
        """given[key] is one of the values, sometimes."""
        if self.chance(percent):
            given[key] = self.choice(values)


def reordered(r, value):
    """The same plane: keys and lists in another order. No list of these planes has one."""
    if isinstance(value, dict):
        return {key: reordered(r, value[key]) for key in r.shuffled(list(value))}
    return [reordered(r, item) for item in r.shuffled(value)] if isinstance(value, list) else value


def random_interfaces(r):
    kinds = [{"hooks": ["xdp"]}, {"mode": "any", "hooks": ["xdp", "tc-egress"]}, {"mode": "generic"},
             {"hooks": ["tc-ingress"]}, {"role": "decap"}]
    first = [{"name": "wan0"}]
    return first + [{"name": "if%d%s" % (n, r.choice(("", "*"))), **r.choice(kinds)} for n in range(r.randrange(6))]


def has_listeners(interface):
    return interface.get("role") != "decap" and "xdp" in interface.get("hooks", ["xdp"])


# ---- backends ------------------------------------------------------------------------------------

def random_endpoint(r, n, k):
    e = {"name": "%s%d" % (r.choice("eEx"), k), "address": "10.1.%d.%d" % (n, k + 1)}
    v6 = "2001:db8:e:%x::%x" % (n, k + 1)
    if k == 0 or r.chance(40):
        e["address"] = [e["address"], v6]
    elif r.chance(10):
        e["address"] = v6
    r.some(e, "weight", 50, 0, 1, 3, 100, 65535)
    r.some(e, "state", 25, "ready", "drain", "maint")
    return e


def random_backend(r, n, kind, id_length):
    """Of one of three kinds: plain; "port": its endpoints may have ports; "quic": they have server ids."""
    endpoints = [random_endpoint(r, n, k) for k in range(r.choice((1, 2, 5, 9)))]
    ids = r.sample(range(256 ** min(id_length, 2)), len(endpoints))
    for e, quic_id in zip(endpoints, ids):
        if kind == "port":
            r.some(e, "port", 70, 1, 8080, 65535)
        if kind == "quic":
            e["quic-id"] = (n.to_bytes(1, "big") * id_length + quic_id.to_bytes(2, "big"))[-id_length:].hex()
    b = {"name": "%s-%d" % (r.choice(("pool", "Pool", "a")), n), "endpoints": r.shuffled(endpoints)}
    r.some(b, "table-size", 50, 11, 101, 251, 1021)
    r.some(b, "next-hop", 20, "auto", "fib", "10.9.9.1", "2001:db8::9")
    r.some(b, "min-healthy", 30, "0%", "50%", "33.33%", "0.5%", "100%")
    r.some(b, "rebalance", 20, "fresh", "minimal")
    return b


def random_backends(r):
    """kind -> backends. Failover leads onward within the kind, at most 4 deep; with server ids nowhere."""
    result, n, id_length = {"plain": [], "port": [], "quic": []}, 0, r.choice((1, 2, 5, 15))
    for kind, count in (("plain", r.choice((1, 3, 8))), ("port", r.choice((0, 2))), ("quic", r.choice((0, 1)))):
        mine = result[kind]
        for _ in range(count):
            mine.append(random_backend(r, n, kind, id_length))
            n += 1
        deep = [0] * count
        for at in range(1, count):
            to = r.randrange(at)
            if r.chance(40) and deep[to] < 4:
                mine[at]["failover"] = mine[to]["name"]
                deep[at] = deep[to] + 1
    return result


# ---- listeners -----------------------------------------------------------------------------------

def group_addresses(group):
    """(text, prefix length counted in 128 bits); only the first group has the widest prefixes."""
    v4, v6 = "203.%d.113" % group, "2001:db8:ff%02x:" % group
    wide = [("203.0.0.0/16", 112), ("2001:db8:ff00::/40", 40)] if group == 0 else []
    return wide + [("%s.%d" % (v4, n), 128) for n in range(1, 7)] + [("%s:%x" % (v6, n), 128) for n in range(1, 7)] + [
        (v4 + ".0/24", 120), (v4 + ".0/28", 124), (v4 + ".4/30", 126), (v6 + ":/64", 64), (v6 + ":/124", 124)]


def random_ports(r, alone):
    if alone or r.chance(50):
        port = r.choice((80, 443, 53, 1, 65535, r.randrange(1, 65536)))
        return port, port
    if r.chance(25):
        return ANY
    first = r.choice((1, 53, 80, 400, 1024, r.randrange(1, 65536)))
    return first, min(65535, first + r.choice((1, 27, 60, 1000, 65535)))


def ports_text(ports):
    return "any" if ports == ANY else ports[0] if ports[0] == ports[1] else "%d-%d" % ports


def agree(mine, other):
    """May two listeners with the same prefix, protocol and interface have these ports?"""
    (a, b), (c, d) = mine, other
    return b < c or d < a or mine != other and ((a <= c and d <= b) or (c <= a and b <= d))


def random_balancing(r, listener, kind, backends):
    """What listeners with a backend have."""
    if kind == "quic":
        listener["affinity"] = "quic-cid"
    elif r.chance(20):
        listener["affinity"] = "source-ip"
        r.some(listener, "hash", 30, "source-ip")
        r.some(listener, "affinity-timeout", 50, "10s", "2h")
    else:
        r.some(listener, "hash", 40, "5-tuple", "source-ip", "source-ip-port", "destination-port")
    if listener["protocol"] == "UDP":
        r.some(listener, "stable", 50, True, False)
    if listener.get("forward", "ipip") in ("ipip", "gue"):
        r.some(listener, "outer-dscp", 30, "copy", 0, 46, 63)
    if kind != "quic" and r.chance(40):
        chosen = r.sample(backends, r.randrange(1, len(backends) + 1))
        listener["split"] = [{"backend": b["name"], "weight": r.choice((1, 2, 9, 100, 65535))} for b in chosen]
        if len(chosen) > 1:
            listener["split"][0]["weight"] = r.choice((0, 1))
    else:
        listener["backend"] = r.choice(backends)["name"]


def random_forward(r, listener, kind, gue_port):
    modes = {"port": ["nat"], "quic": ["ipip", "dsr", "gue"], "pass": ["pass"]}.get(kind, ["ipip", "dsr", "gue", "nat"])
    forward = r.choice(modes)
    if forward != "ipip" or r.chance(50):
        listener["forward"] = forward
    if forward == "gue" and gue_port != 6080:
        listener["gue-port"] = gue_port
    if forward == "nat":
        r.some(listener, "snat", 50, "none", "auto")
    if forward in ("nat", "pass") and listener["protocol"] == "TCP":
        r.some(listener, "syn-cookies", 40, True, False)
        if forward == "nat":
            r.some(listener, "mss-clamp", 40, True, False)


def random_rate(r):
    rate = {"limit": r.choice(("1/s", "1000/s", "60/m", "250000/s"))}
    r.some(rate, "burst", 50, 1, 10, 5000)
    r.some(rate, "per", 50, "rule", "source-ip")
    r.some(rate, "exceed", 50, "deny", "reject", "allow")
    if rate.get("per") == "source-ip":
        r.some(rate, "entries", 50, 1024, 65536)
    return rate


def random_listener(r, backends, habits):
    group = r.randrange(GROUPS)
    ping, gue_port = habits[group]
    kind = r.choice([kind for kind in backends if backends[kind]] + ["plain", "plain", "pass"])
    ports = random_ports(r, kind == "port")
    protocol = "UDP" if kind == "quic" else r.choice(PROTOCOLS if kind == "pass" else PROTOCOLS[:2])
    addresses = r.sample(group_addresses(group), r.choice((1, 1, 2, 4)))
    listener = {"name": "%s_%d" % (r.choice(("web", "Web", "dns")), r.randrange(10 ** 6)), "protocol": protocol,
                "address": [text for text, _ in addresses], "port": ports_text(ports)}
    if ping != "reply":
        listener["ping"] = ping
    random_forward(r, listener, kind, gue_port)
    if kind != "pass":
        random_balancing(r, listener, kind, backends[kind])
    if r.chance(15):
        listener["rate"] = random_rate(r)
    return listener, ports


def random_listeners(r, interfaces, backends, count):
    habits = [(r.choice(("reply", "pass", "drop")), r.choice((6080, 6081, 1))) for _ in range(GROUPS)]
    edge = [i["name"] for i in interfaces if has_listeners(i)]
    taken, result = {}, []
    for _ in range(count):
        listener, ports = random_listener(r, backends, habits)
        on = [i["name"] for i in interfaces]
        if r.chance(60):
            on = sorted({r.choice(edge), *r.sample(on, r.randrange(len(on)))})
            listener["interfaces"] = on
        keys = [(a, listener["protocol"], i) for a in listener["address"] for i in on]
        if all(agree(ports, other) for key in keys for other in taken.get(key, ())) and not any(
                listener["name"] == other["name"] for other in result):
            result.append(listener)
            for key in keys:
                taken.setdefault(key, []).append(ports)
    return result


# ---- planes --------------------------------------------------------------------------------------

def random_defaults(r):
    result = {"hash-seed": r.randbytes(16).hex(), "malformed": r.choice(("drop", "pass")),
              "non-ip": r.choice(("drop", "pass")), "on-fail": r.choice(("drop", "pass")),
              "flows": r.choice((4096, "64Ki", "1Mi"))}
    r.some(result, "fragments", 60, "first-l3-hash", "drop", "pass")
    r.some(result, "flow-inserts", 40, "1000/s", "60000/m")
    r.some(result, "pickup", 40, "never", "always", "90s")
    if r.chance(50):
        result["timeouts"] = {key: r.choice(("1s", "2m", "7d")) for key in r.sample(TIMEOUTS, r.randrange(1, 9))}
    if r.chance(40):
        result["builtin"] = {key: r.choice(("allow", "deny", "rules")) for key in r.sample(("nd", "ra", "mld"), 2)}
    return result


def random_plane(r):
    interfaces, backends = random_interfaces(r), random_backends(r)
    plane = {"apiVersion": "gpc/v1", "kind": "Plane", "metadata": {"name": "plane-%d" % r.randrange(1000)},
             "interfaces": interfaces, "backends": [b for kind in backends.values() for b in kind],
             "listeners": random_listeners(r, interfaces, backends, r.choice((1, 5, 60, 200)))}
    if r.chance(50):
        plane["defaults"] = random_defaults(r)
    return plane
