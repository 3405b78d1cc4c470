# SPDX-License-Identifier: MIT
"""An image against the plane that it was made of: SEMANTICS 2, 6 for the objects of image_planes.py."""
import ipaddress

import slow
from image_file import BUILTINS, EXACT, FIB, NONE, POOLS, PORTS, STATEFUL, expect
from image_lookup import covers, merged, swapped
from image_planes import ANY, TIMEOUTS, has_listeners

PROTOCOLS = {"TCP": 6, "UDP": 17, "SCTP": 132}
FORWARDS = {"ipip": 1, "dsr": 2, "gue": 3, "nat": 4, "pass": 5}
PINGS = ("reply", "pass", "drop")
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
HAS_WIDE, HAS_NAT = 16, 32


def seconds(text):
    return int(text[:-1]) * UNITS[text[-1]]


def per_second(text):
    count, unit = text.split("/")
    return int(count) // UNITS[unit]


def prefix_of(text):
    """(16 bytes, length of 128)"""
    network = ipaddress.ip_network(text)
    return slow.mapped(network.network_address), network.prefixlen + (96 if network.version == 4 else 0)


def ports_of(listener):
    text = str(listener["port"])
    if text == "any":
        return ANY
    first, _, last = text.partition("-")
    return int(first), int(last or first)


# ---- lookups -------------------------------------------------------------------------------------

class Way:
    """One address of a listener."""

    def __init__(self, listener, address, interfaces):
        self.name, self.interfaces = listener["name"], interfaces
        self.protocol, self.ports = PROTOCOLS[listener["protocol"]], ports_of(listener)
        self.prefix = prefix_of(address)
        self.exact = self.prefix[1] == 128 and self.ports[0] == self.ports[1]
        self.says = (PINGS.index(listener.get("ping", "reply")), 1 << FORWARDS[listener.get("forward", "ipip")],
                     listener.get("gue-port", 6080) if listener.get("forward") == "gue" else 0)


def ways_of(plane):
    names = sorted(i["name"] for i in plane["interfaces"])
    can = {i["name"] for i in plane["interfaces"] if has_listeners(i)}
    return [Way(o, address, {names.index(i) for i in can & set(o.get("interfaces", names))})
            for o in plane["listeners"] for address in o["address"]]


def claims_of(ways):
    """The narrowest of the ways of each prefix, protocol and interface, port by port."""
    groups = {}
    for way in ways:
        for i in way.interfaces:
            key = EXACT if way.exact else PORTS, *way.prefix, way.protocol, i
            groups.setdefault(key, []).append(way)
    for key, group in groups.items():
        edges = sorted({edge for way in group for edge in (way.ports[0], way.ports[1] + 1)})
        for first, end in zip(edges, edges[1:]):
            takers = [way for way in group if way.ports[0] <= first and end - 1 <= way.ports[1]]
            if takers:
                best = min(takers, key=lambda way: (way.ports == ANY, way.ports[1] - way.ports[0]))
                yield *key, best.name, first, end - 1


def soles_of(ways):
    result = {}
    for prefix, protocol in {(way.prefix, way.protocol) for way in ways}:
        names = {}
        for way in ways:
            if way.protocol == protocol and covers(way.prefix, prefix):
                for i in way.interfaces:
                    names.setdefault(i, set()).add(way.name)
        one = {i: min(some) for i, some in names.items() if len(some) == 1}
        result[(*prefix, protocol)] = one or dict.fromkeys(names)
    return result


def addresses_of(ways):
    result = {}
    for way in ways:
        interfaces, _, forwards, port = result.get(way.prefix, (set(), 0, 0, 0))
        ping, forward, gue_port = way.says
        result[way.prefix] = interfaces | way.interfaces, ping, forwards | forward, port or gue_port
    return result


def check_lookup(lookup, plane):
    ways = ways_of(plane)
    expected = merged(claims_of(ways))
    more, less = set(lookup.claims) - set(expected), set(expected) - set(lookup.claims)
    expect(lookup.claims == expected, "who finds a listener; too much:", sorted(more)[:3], "missing", sorted(less)[:3])
    wanted = soles_of(ways)
    expect(lookup.soles == wanted, "sole listeners",
           [(k, lookup.soles.get(k), w) for k, w in wanted.items() if lookup.soles.get(k) != w][:2])
    expect(lookup.addresses == addresses_of(ways), "addresses of listeners")


# ---- listeners -----------------------------------------------------------------------------------

def check_listener(image, record, o):
    name, forward = o["name"], o.get("forward", "ipip")
    first, last = ports_of(o)
    expect((swapped(record.port), swapped(record.port_last)) == (first, last), "ports of", name)
    expect(record.forward == FORWARDS[forward] and record.protocol == PROTOCOLS[o["protocol"]], "forward of", name)
    affinity = o.get("affinity")
    hash_kind = ("5-tuple", "source-ip", "source-ip-port", "destination-port").index(o.get("hash", "5-tuple"))
    expect(record.hash == (1 if affinity == "source-ip" else hash_kind), "hash of", name)
    expect(record.affinity == (None, "source-ip", "quic-cid").index(affinity), "affinity of", name)
    timeout = seconds(o.get("affinity-timeout", "10m")) if affinity == "source-ip" else 0
    expect(record.affinity_timeout == timeout, "affinity timeout of", name)
    expect(record.outer_dscp == {"copy": 255}.get(o.get("outer-dscp", "copy"), o.get("outer-dscp")), "DSCP of", name)
    expect(swapped(record.gue_port) == (o.get("gue-port", 6080) if forward == "gue" else 0), "GUE port of", name)
    expect(record.ping == PINGS.index(o.get("ping", "reply")), "ping of", name)
    flags = (o.get("stable", False) | (o.get("snat") == "auto") << 1 | o.get("mss-clamp", False) << 2
             | o.get("syn-cookies", False) << 3)
    expect(record.flags & 15 == flags, "flags of", name)
    check_rate(record, o.get("rate"), name)


def check_rate(record, rate, name):
    got = record.flags >> 5, record.rate_exceed, record.rate_cost, record.rate_burst, record.rate_entries
    if not rate:
        expect(not any(got), "rate of", name)
        return
    limit = per_second(rate["limit"])
    cost, by_source = 10 ** 9 // limit, rate.get("per") == "source-ip"
    exceed = ("allow", "deny", "reject").index(rate.get("exceed", "deny")) + 1
    burst, entries = rate.get("burst", max(1, limit)) * cost, rate.get("entries", 65536) if by_source else 1
    expect(got == (1 | by_source << 1, exceed, cost, burst, entries), "rate of", name, got)


def check_split(image, record, o, backends):
    """The pools: those of the split by name, then all that they lead to, each once."""
    if o.get("forward") == "pass":
        return
    split = o.get("split", [{"backend": o.get("backend"), "weight": 1}])
    order = sorted(split, key=lambda item: item["backend"].encode())
    total = sum(item["weight"] for item in order)
    pools, untils = image.pool[record.first_pool:], []
    expect(record.pools == len(order), "split of", o["name"])
    for at, item in enumerate(order):
        untils.append(item["weight"] + (untils[-1] if untils else 0))
        pool = pools[at]
        expect(image.name(image.backend[pool.backend].name) == item["backend"], "split of", o["name"])
        expect((pool.until, pool.total) == (untils[-1], total), "weights of", o["name"], (pool.until, pool.total))
        while pool.failover != NONE:
            written = backends[image.name(image.backend[pool.backend].name)]
            pool = image.pool[pool.failover]
            expect(image.name(image.backend[pool.backend].name) == written["failover"], "failover of", o["name"])
        expect("failover" not in backends[image.name(image.backend[pool.backend].name)], "failover of", o["name"])
    reached = {item["backend"] for item in split}
    for name in list(reached):
        while "failover" in backends[name]:
            name = backends[name]["failover"]
            reached.add(name)
    expect(bool(record.flags & POOLS) == (len(reached) > 1), "pools of", o["name"])
    ids = {len(e.get("quic-id", "")) // 2 for name in reached for e in backends[name]["endpoints"]}
    expect(record.quic_length == (max(ids) if o.get("affinity") == "quic-cid" else 0), "QUIC ids of", o["name"])


def check_listeners(image, plane):
    by_name = {image.name(o.name): o for o in image.listener}
    backends = {b["name"]: b for b in plane["backends"]}
    expect(set(by_name) == {o["name"] for o in plane["listeners"]}, "listeners")
    for o in plane["listeners"]:
        check_listener(image, by_name[o["name"]], o)
        check_split(image, by_name[o["name"]], o, backends)


# ---- the rest ------------------------------------------------------------------------------------

def check_defaults(image, plane):
    d = plane.get("defaults", {})
    expect(image.name(image.name_at) == plane["metadata"]["name"], "name of the plane")
    seed = bytes.fromhex(d["hash-seed"]) if d else slow.default_seed(plane["metadata"]["name"])
    expect(image.seed == seed, "hash seed")
    drops = d.get("malformed", "drop"), d.get("non-ip"), d.get("on-fail")
    flags = sum(1 << bit for bit, what in enumerate(drops) if what == "drop")
    flags |= ("first-l3-hash", "drop", "pass").index(d.get("fragments", "first-l3-hash")) << 6
    if any(way.prefix[1] < 128 or way.ports[0] != way.ports[1] for way in ways_of(plane)):
        flags |= HAS_WIDE
    if any(o.get("forward") == "nat" for o in plane["listeners"]):
        flags |= HAS_NAT
    expect(image.flags & ~STATEFUL == flags, "flags", image.flags, "want", flags)
    flows = {"64Ki": 65536, "1Mi": 1 << 20}.get(d.get("flows"), d.get("flows", 1 << 20))
    inserts = per_second(d["flow-inserts"]) if "flow-inserts" in d else flows // 60
    expect(image.flows == flows and image.flow_inserts == inserts, "flows", image.flows, image.flow_inserts)
    usual = dict(zip(TIMEOUTS, ("60s", "7440s", "120s", "10s", "30s", "180s", "30s", "600s")))
    timeouts = {**usual, **d.get("timeouts", {})}
    expect(image.timeouts == tuple(seconds(timeouts[key]) for key in TIMEOUTS), "timeouts", image.timeouts)
    pickup = d.get("pickup", "5m")
    expect(image.pickup == {"never": 0, "always": NONE}.get(pickup) if pickup in ("never", "always")
           else image.pickup == seconds(pickup), "pickup", image.pickup)
    builtin = [("allow", "deny", "rules").index(d.get("builtin", {}).get(key, "allow")) for key in BUILTINS]
    expect(list(image.builtin) == builtin, "built-ins")


def hundredths(percent):
    whole, _, part = percent.rstrip("%").partition(".")
    return int(whole) * 100 + int(part.ljust(2, "0"))


def check_backends(image, plane):
    for b in image.backend:
        written = next(x for x in plane["backends"] if x["name"] == image.name(b.name))
        name = written["name"]
        expect(b.endpoints == len(written["endpoints"]), "number of endpoints of", name)
        size = written.get("table-size") or next(s for s in (251, 509, 1021) if s >= 100 * b.endpoints)
        expect(b.table_size == size, "table size of", name)
        expect(b.min_healthy == hundredths(written.get("min-healthy", "0%")), "min-healthy of", name)
        expect(b.rebalance == (written.get("rebalance") == "minimal"), "rebalance of", name)
        failover = None if b.failover == NONE else image.name(image.backend[b.failover].name)
        expect(failover == written.get("failover"), "failover of", name)
        kinds, hop = {"auto": 0, "fib": 1}, written.get("next-hop", "auto")
        address = bytes(16) if hop in kinds else slow.mapped(ipaddress.ip_address(hop))
        expect(b.next_hop == kinds.get(hop, 2) and b.next_hop_address == address, "next hop of", name)
        check_endpoints(image, b, written)


def check_endpoints(image, b, backend):
    for e in image.endpoint[b.first_endpoint:b.first_endpoint + b.endpoints]:
        w = next(x for x in backend["endpoints"] if x["name"] == image.name(e.name))
        expect(e.weight == w.get("weight", 1), "weight of", w["name"])
        expect(e.state == ("ready", "drain", "maint").index(w.get("state", "ready")), "state of", w["name"])
        texts = w["address"] if isinstance(w["address"], list) else [w["address"]]
        addresses = {a.version: a.packed for a in map(ipaddress.ip_address, texts)}
        expect(e.address4 == addresses.get(4, bytes(4)), "v4 address of", w["name"])
        expect(e.address6 == addresses.get(6, bytes(16)), "v6 address of", w["name"])
        expect(bool(e.flags & FIB) == (backend.get("next-hop") == "fib"), "fib flag of", w["name"])
        expect(swapped(e.port) == w.get("port", 0), "port of", w["name"])
        quic_id = bytes.fromhex(w.get("quic-id", ""))
        expect(e.quic_length == len(quic_id) and e.quic_id == quic_id.ljust(16, b"\0"), "QUIC id of", w["name"])


def check_interfaces(image, plane):
    hooks = {"xdp": 1, "tc-ingress": 2, "tc-egress": 4}
    for i in image.interface:
        o = next(x for x in plane["interfaces"] if x["name"] == image.name(i.name))
        expect(i.mode == ("native", "generic", "any").index(o.get("mode", "native")), "mode of", o["name"])
        expect(i.role == (o.get("role") == "decap"), "role of", o["name"])
        expect(i.hooks == sum(hooks[h] for h in o.get("hooks", ["xdp"])), "hooks of", o["name"])
        expect(i.pattern == o["name"].endswith("*"), "pattern of", o["name"])


def check_meaning(image, lookup, plane):
    check_defaults(image, plane)
    check_backends(image, plane)
    check_listeners(image, plane)
    check_interfaces(image, plane)
    check_lookup(lookup, plane)
