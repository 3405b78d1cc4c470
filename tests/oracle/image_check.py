#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A second reader of images, written from schemas/image.v1.md and SEMANTICS 1, 6.1, 6.4 alone.

  image_check.py GPC [INTENT.yaml...]      compiles with GPC and checks what comes out: random planes,
                                           against the objects they were made of, and the given intents
  image_check.py --image FILE.gpi...       checks files as they are

Recomputed, not believed: both digests, every stable id, the order and place of all tables and names, every
Maglev slot, the set of (address, port, protocol, interfaces) that finds a listener, where each key stands
in its perfect hash, padding."""
import hashlib
import ipaddress
import json
import os
import random
import struct
import subprocess
import sys
import tempfile

import slow

HEAD = struct.Struct("<IHHIIIIIIIIII32s32s144s")
HEAD_FIELDS = ("magic version head_size abi flags size decision_offset decision_size provenance_offset "
               "provenance_size link_offset link_size pad0 decision_digest file_digest pad1").split()
PLANE = struct.Struct("<IIQQQIIQIIIIII8II5s3sII4s8I32s")
SECTION = struct.Struct("<IIII")
SECTIONS = ("words", "chain", "policy", "classifier", "rule", "vip_disp", "vip", "vip_choice", "listener", "endpoint", "ep_disp", "ep_index", "maglev", "table",
            "backend", "interface", "names")
SECTION_SLOTS = 24
NONE = 0xFFFFFFFF
U64 = (1 << 64) - 1

RECORDS = {     # layout, fields
    "words": ("<I", "value"),
    "chain": ("<QHHBBBB8HII24s", "stamp tag interface direction flags policies pad0 policy0 policy1 policy2 policy3 "
                                 "policy4 policy5 policy6 policy7 protect protect_base pad1"),
    "policy": ("<QIIIIIIBBH28s", "id name first_rule rules decide log mark mode fallback priority pad0"),
    "classifier": ("<28I16s", "flags groups source_map destination_map source_vector destination_vector "
                              "vector_shift cells cell_count protocol source_port destination_port source_stride l4 "
                              "bits bit_words none match match_stride ranges range_match residual residuals boxes "
                              "specs l4_classes loads bytes pad0"),
    "rule": ("<QIIBBHIIIQQIIQ", "id name policy action exceed flags mark log_sample log_rate rate_cost rate_burst "
                                "rate_entries pad0 expires"),
    "vip_disp": ("<I", "value"),
    "vip": ("<16sHBBIQ", "address port protocol flags listener interfaces"),
    "vip_choice": ("<QII", "interfaces listener last"),
    "listener": ("<Q4I4IBB2sIIIQ", "id offset4 size4 first4 table4 offset6 size6 first6 table6 forward protocol port "
                                   "backend name pad0 pad1"),
    "endpoint": ("<Q16s4sHBBII24s", "id address6 address4 weight state flags backend name pad0"),
    "ep_disp": ("<I", "value"),
    "ep_index": ("<I", "value"),
    "table": ("<IIII", "offset size backend endpoints"),
    "backend": ("<Q16sIIIIB7s16s", "id next_hop_address first_endpoint endpoints table_size name next_hop pad0 pad1"),
    "interface": ("<QIBBBB16s", "id name mode role hooks pattern pad0"),
}
PADDING = {"pad0", "pad1"}
IPIP, DSR = 1, 2
READY, DRAIN, MAINT = 0, 1, 2
HAS_V4, HAS_V6, KEEP, FIB = 1, 2, 4, 8
CHOICE, ADDRESS = 1, 2
XDP = 1
PASS, ALLOW, DENY, REJECT = 0, 1, 2, 3
BUILTINS = ("arp", "nd", "ra", "mld", "icmp-error")
IS_DEFAULT, IS_PROTECT, IS_BUILTIN = 8, 16, 32
STATEFUL = 8


class Wrong(Exception):
    pass


def expect(condition, *what):
    if not condition:
        raise Wrong(" ".join(map(str, what)))


class Record:
    def __init__(self, fields, values):
        self.__dict__.update(zip(fields, values))


class Image:
    def __init__(self, data):
        self.data = data
        expect(len(data) >= HEAD.size, "shorter than its head")
        self.head = Record(HEAD_FIELDS, HEAD.unpack_from(data))
        plane = PLANE.unpack_from(data, self.head.decision_offset)
        (self.format, self.flags, seed0, seed1, self.vip_seed, self.vip_buckets, self.vip_slots, self.ep_seed,
         self.ep_buckets, self.ep_slots, self.name_at, self.pad0, self.flows, self.flow_inserts) = plane[:14]
        self.seed = struct.pack("<QQ", seed0, seed1)
        self.timeouts = plane[14:22]
        self.pickup, self.builtin, pad1, self.protects, self.epoch, pad2 = plane[22:28]
        self.tries, pad3 = plane[28:36], plane[36]
        self.plane_pad = pad1 + pad2 + pad3
        at = self.head.decision_offset + PLANE.size
        self.directory = [SECTION.unpack_from(data, at + i * SECTION.size) for i in range(SECTION_SLOTS)]
        self.sections = dict(zip(SECTIONS, self.directory))
        for name, (layout, fields) in RECORDS.items():
            setattr(self, name, self.records(name, struct.Struct(layout), fields.split()))

    def records(self, name, layout, fields):
        offset, size, count, entry_size = self.sections[name]
        expect(entry_size == layout.size, "section", name, "has records of", entry_size, "bytes")
        expect(size == count * entry_size and offset + size <= len(self.data), "section", name, "does not fit")
        return [Record(fields, layout.unpack_from(self.data, offset + i * layout.size)) for i in range(count)]

    def decision(self):
        return self.data[self.head.decision_offset:self.head.decision_offset + self.head.decision_size]

    def name(self, at):
        offset, size, _, _ = self.sections["names"]
        expect(at < size, "name outside of its section")
        end = self.data.index(0, offset + at)
        expect(end < offset + size, "name without end")
        return self.data[offset + at:end].decode()

    def slots(self, offset, size):
        start, length, _, _ = self.sections["maglev"]
        expect(start <= offset and offset + 2 * size <= start + length, "table outside of its section")
        return struct.unpack_from("<%dH" % size, self.data, offset)


# ---- the envelope --------------------------------------------------------------------------------

def padded(size, unit):
    return -(-size // unit) * unit


def link_size(listeners, endpoints, rules):
    return padded(64 + 1024 * 32 + padded(listeners, 4) * 16 + padded(endpoints, 2) * 32 + padded(rules, 4) * 16, 4096)


def check_envelope(image):
    h, data = image.head, image.data
    expect(h.magic == 0x31495047 and h.version == 1 and h.head_size == 256, "not an image of version 1")
    expect(h.flags == 0 and h.pad0 == 0 and not any(h.pad1), "padding of the head is not zero")
    expect(h.size == len(data), "size is", h.size, "of", len(data))
    decision_end = h.decision_offset + h.decision_size
    provenance_end = h.provenance_offset + h.provenance_size
    expect(h.decision_offset == 256, "the decision part is not in its place")
    expect(h.provenance_offset == padded(decision_end, 128), "the provenance is not in its place")
    expect(h.link_offset == padded(provenance_end, 4096), "the link part is not in its place")
    expect(h.link_offset + h.link_size == h.size, "the link part is not the last")
    expect(h.link_size == link_size(len(image.listener), len(image.endpoint), len(image.rule)),
           "size of the link part")
    expect(not any(data[h.link_offset:]), "the link part of a file is not zero")
    expect(not any(data[decision_end:h.provenance_offset]), "padding before the provenance")
    expect(not any(data[provenance_end:h.link_offset]), "padding before the link part")
    expect(hashlib.sha256(image.decision()).digest() == h.decision_digest, "decision digest")
    blank = data[:80] + bytes(32) + data[112:]
    expect(hashlib.sha256(blank).digest() == h.file_digest, "file digest")
    check_provenance(image, data[h.provenance_offset:provenance_end])


def check_provenance(image, text):
    """Every object once, by id; sources by path."""
    provenance = json.loads(text)
    expect(provenance["sources"] == sorted(provenance["sources"]), "order of the sources")
    ids = [int(key, 16) for key in provenance["objects"]]
    expect(ids == sorted(ids), "order of the objects in the provenance")
    expected = {o.id: (kind, image.name(o.name)) for kind in ("interface", "backend", "endpoint", "listener", "policy")
                for o in getattr(image, kind)}
    expected.update((o.id, ("protect", image.name(o.name))) for o in image.rule if o.flags & IS_PROTECT)
    expected.update((o.id, None) for o in image.rule if o.policy != NONE)
    objects = provenance["objects"].items()
    got = {int(key, 16): (o["kind"], o["name"]) if isinstance(o, dict) else None for key, o in objects}
    expect(got == expected, "objects of the provenance")
    for key, o in objects:
        source, line, column = o["at"] if isinstance(o, dict) else o
        expect(0 <= source < len(provenance["sources"]) and min(line, column) >= 1, "place of", key)


def check_directory(image):
    h = image.head
    end = h.decision_offset + PLANE.size + SECTION_SLOTS * SECTION.size
    expect(image.format == 1 and image.pad0 == 0 and not any(image.plane_pad), "padding of the plane")
    for i, (offset, size, count, entry_size) in enumerate(image.directory):
        if i >= len(SECTIONS):
            expect((offset, size, count, entry_size) == (0, 0, 0, 0), "section", i, "is not known")
            continue
        expect(offset == padded(end, 128), "section", SECTIONS[i], "is not in its place")
        expect(not any(image.data[end:offset]), "padding before section", SECTIONS[i])
        end = offset + size
        expect(size == count * entry_size, "size of section", SECTIONS[i])
    expect(end == h.decision_offset + h.decision_size, "the sections do not end with the decision part")
    for name in RECORDS:
        for record in getattr(image, name):
            for field in PADDING & set(record.__dict__):
                value = getattr(record, field)
                expect(not any(value) if isinstance(value, bytes) else value == 0, "padding in section", name)


def rotated(x, n):
    return (x << n | x >> 64 - n) & U64


def mixed(seed, a, b, c):
    """The hash of the perfect hashes."""
    x = a ^ seed
    x = (x ^ x >> 32) * 0x9E3779B97F4A7C15 & U64
    h = x ^ rotated((b + c) * 0xC2B2AE3D27D4EB4F & U64, 31) ^ c
    h = (h ^ h >> 29) * 0xD6E8FEB86659FD93 & U64
    return h ^ h >> 32


def place(h, buckets, slot_mask):
    return (h & NONE ^ buckets[h >> 32 & len(buckets) - 1].value) & slot_mask


def check_positions(image):
    for at, v in enumerate(image.vip):
        if any(v.address):
            first, last = struct.unpack("<QQ", v.address)
            h = mixed(image.vip_seed, last, first, v.port << 8 | v.protocol)
            expect(place(h, image.vip_disp, image.vip_slots) == at, "VIP entry", at, "is not where its key leads")
    for at, slot in enumerate(image.ep_index):
        if slot.value:
            h = mixed(image.ep_seed, image.endpoint[slot.value - 1].id, 0, 0)
            expect(place(h, image.ep_disp, image.ep_slots) == at, "endpoint", slot.value - 1,
                   "is not where its id leads")


def check_hashes(image):
    for buckets, slots, mask, slot_mask, name in (
            (image.vip_disp, image.vip, image.vip_buckets, image.vip_slots, "vip"),
            (image.ep_disp, image.ep_index, image.ep_buckets, image.ep_slots, "endpoint")):
        expect(len(buckets) == mask + 1 and mask & (mask + 1) == 0, "buckets of the hash of", name)
        expect(len(slots) == slot_mask + 1 and slot_mask & (slot_mask + 1) == 0, "slots of the hash of", name)
    indexes = sorted(slot.value for slot in image.ep_index if slot.value)
    expect(indexes == list(range(1, len(image.endpoint) + 1)), "an endpoint is not in its hash once")


def check_names(image):
    kinds = ("listener", "endpoint", "backend", "interface", "policy", "rule")
    order = [image.name_at] + [o.name for kind in kinds for o in getattr(image, kind)]
    at = 0
    for name in order:
        expect(name == at, "names are not one after another")
        text = image.name(at)
        expect(1 <= len(text) <= 63 and all("!" <= c <= "~" for c in text), "a name with other characters")
        at += len(text) + 1
    expect(at == image.sections["names"][1], "names that belong to nobody")


# ---- objects -------------------------------------------------------------------------------------

def check_objects(image):
    for kind in ("interface", "backend", "listener"):
        names = [image.name(o.name).encode() for o in getattr(image, kind)]
        expect(names == sorted(set(names)), kind, "names are not in order")
        for o, name in zip(getattr(image, kind), names):
            expect(o.id == slow.stable_id(kind, name.decode()), "id of", kind, name)
    at = 0
    for index, b in enumerate(image.backend):
        expect(b.first_endpoint == at, "endpoints of backend", index, "are not where they belong")
        mine = image.endpoint[at:at + b.endpoints]
        at += b.endpoints
        expect([e.id for e in mine] == sorted({e.id for e in mine}), "endpoints of backend", index, "are not by id")
        for e in mine:
            name = image.name(e.name)
            expect(e.backend == index, "backend of endpoint", name)
            expect(e.id == slow.stable_id("endpoint", image.name(b.name), name), "id of endpoint", name)
            expect(bool(e.flags & KEEP) == (e.state != MAINT), "keep of endpoint", name)
            expect(bool(e.flags & HAS_V4) == any(e.address4), "v4 address of endpoint", name)
            expect(bool(e.flags & HAS_V6) == any(e.address6), "v6 address of endpoint", name)
    expect(at == len(image.endpoint), "endpoints without a backend")


def bare(rule, **given):
    """Has the rule nothing but what is given, its id, name and policy?"""
    rest = dict.fromkeys("action exceed flags mark log_sample log_rate rate_cost rate_burst rate_entries expires".split(), 0)
    return all(getattr(rule, key) == value for key, value in {**rest, **given}.items())


def check_rules(image):
    rules = iter(image.rule)
    for kind, name in enumerate(BUILTINS):
        rule = next(rules)
        action = (ALLOW, DENY, PASS)[image.builtin[kind]]
        expect(image.name(rule.name) == name and bare(rule, action=action, flags=IS_BUILTIN), "built-in", name)
        expect(rule.policy == NONE and rule.id == slow.stable_id("builtin", name), "built-in", name)
    for _ in range(image.protects):
        rule = next(rules)
        name = image.name(rule.name)
        expect(bare(rule, action=ALLOW, flags=IS_PROTECT), "protect", name)
        expect(rule.policy == NONE and rule.id == slow.stable_id("protect", name), "protect", name)
    at = len(BUILTINS) + image.protects
    for index, policy in enumerate(image.policy):
        owner = image.name(policy.name)
        expect(policy.id == slow.stable_id("policy", owner) and policy.first_rule == at, "policy", owner)
        expect(policy.mode in (0, 1) and policy.fallback in (PASS, ALLOW, DENY, REJECT), "policy", owner)
        for position in range(policy.rules + 1):
            rule = next(rules)
            name = image.name(rule.name)
            expect(rule.policy == index and rule.id == slow.stable_id("policy-rule", owner, name), "rule", name)
            if position == policy.rules:
                expect(name == "default" and bare(rule, action=policy.fallback, flags=IS_DEFAULT), "default of", owner)
        at += policy.rules + 1
    expect(next(rules, None) is None, "rules that nobody has")
    names = [image.name(p.name).encode() for p in image.policy]
    expect(names == sorted(set(names)), "policy names are not in order")


def check_chains(image):
    tags, chains, taken = [], {}, 0
    for interface in image.interface:
        tag = interface.id & 0xFFFF
        while tag in (0, *tags):
            tag = tag + 1 & 0xFFFF
        tags.append(tag)
    for policy in image.policy:
        for classifier in (policy.decide, policy.log, policy.mark):
            expect(classifier in (NONE, taken), "classifiers of policy", image.name(policy.name))
            taken += classifier != NONE
    for chain in image.chain:
        place = chain.interface, chain.direction
        expect(not chains or place > max(chains), "order of the chains")
        expect(chain.tag == tags[chain.interface] and chain.stamp, "tag or stamp of chain", place)
        expect(chain.flags in (0, 1, 3, 5, 7), "flags of chain", place)
        policies = [getattr(chain, "policy%d" % n) for n in range(8)]
        expect(all(p < len(image.policy) for p in policies[:chain.policies]), "policies of chain", place)
        expect(not any(policies[chain.policies:]), "policies of chain", place)
        priorities = [image.policy[p].priority for p in policies[:chain.policies]]
        expect(priorities == sorted(priorities), "order of the policies of chain", place)
        earlier = {c.protect for c in chains.values() if c.direction == chain.direction}
        expect(chain.protect in {NONE, taken} | earlier, "classifier of `protect` of chain", place)
        expect(chain.protect_base == (chain.protect != NONE) * len(BUILTINS), "base of `protect` of chain", place)
        taken += chain.protect == taken
        chains[place] = chain
    expect(taken == len(image.classifier), "classifiers that nobody asks")
    expect(bool(image.flags & STATEFUL) == any(c.flags & 1 for c in image.chain), "the plane's mark of stateful chains")


def usable(image, listener, v6):
    backend = image.backend[listener.backend]
    for e in image.endpoint[backend.first_endpoint:backend.first_endpoint + backend.endpoints]:
        if e.state == READY and e.weight and (listener.forward == DSR or not v6 or e.flags & HAS_V6):
            yield e


def families(image, index):
    """v4, v6: does the listener have addresses of the family, by the VIP table."""
    found = [False, False]
    for v in image.vip:
        if v.protocol and index in listeners_of(image, v):
            found[not v.address.startswith(bytes(10) + b"\xff\xff")] = True
    return found


def listeners_of(image, vip):
    """listener -> interface mask, of one VIP entry."""
    if not vip.flags & CHOICE:
        return {vip.listener: vip.interfaces}
    result, at = {}, vip.listener
    while True:
        choice = image.vip_choice[at]
        expect(choice.listener not in result, "a listener twice in one run of choices")
        expect(choice.last in (0, 1), "mark of the last choice")
        result[choice.listener] = choice.interfaces
        at += 1
        if choice.last:
            expect(len(result) > 1, "a run of one choice")
            return result


def check_tables(image):
    computed = {}
    seen = set()
    for index, listener in enumerate(image.listener):
        has = families(image, index)
        for v6 in (False, True):
            suffix = "6" if v6 else "4"
            offset, size, first, table = (getattr(listener, f + suffix) for f in ("offset", "size", "first", "table"))
            name = image.name(listener.name) + ", v" + suffix
            if not has[v6]:
                expect((offset, size, first, table) == (NONE, 0, 0, NONE), "table of a family without address:", name)
                continue
            pool = list(usable(image, listener, v6))
            backend = image.backend[listener.backend]
            if not pool:
                expect((offset, size, first, table) == (0, 0, backend.first_endpoint, NONE), "an empty table:", name)
                continue
            expect(size == backend.table_size and first == backend.first_endpoint, "shape of the table of", name)
            key = tuple((e.id, e.weight) for e in pool), size
            if key not in computed:
                computed[key] = slow.maglev(list(key[0]), size)
            got = [image.endpoint[first + v].id for v in image.slots(offset, size)]
            expect(got == computed[key], "slots of", name)
            t = image.table[table]
            expect((t.offset, t.size, t.backend) == (offset, size, listener.backend), "table record of", name)
            expect(t.endpoints == len(set(got)), "endpoints of the table of", name)
            seen.add(table)
    expect(seen == set(range(len(image.table))), "tables that no listener has")
    expect([t.backend for t in image.table] == sorted(t.backend for t in image.table), "order of the tables")
    at = image.sections["maglev"][0]
    for t in image.table:
        expect(t.offset == at, "tables are not one after another")
        at += 2 * t.size
    expect(at == sum(image.sections["maglev"][:2]), "slots of no table")


# ---- lookups -------------------------------------------------------------------------------------

def vip_set(image):
    """(address, port, protocol, interface, listener name) for everything that finds a listener."""
    found, addresses = set(), set()
    keys = set()
    for v in image.vip:
        if not any(v.address):
            expect(v.port == v.protocol == v.flags == v.listener == v.interfaces == 0, "an empty slot is not zero")
            continue
        port = struct.unpack(">H", struct.pack("<H", v.port))[0]
        expect((v.address, port, v.protocol) not in keys, "a key twice in the VIP table")
        expect(v.flags in (0, CHOICE, ADDRESS), "flags of a VIP entry")
        keys.add((v.address, port, v.protocol))
        if v.flags & ADDRESS:
            expect(port == 0 and v.protocol == 0 and v.listener == NONE, "shape of an address entry")
            addresses |= {(v.address, i) for i in range(64) if v.interfaces >> i & 1}
            continue
        union = 0
        for index, interfaces in listeners_of(image, v).items():
            listener = image.listener[index]
            expect(union & interfaces == 0 and interfaces, "interfaces of listeners that share a key")
            union |= interfaces
            expect(struct.unpack(">H", listener.port)[0] == port and listener.protocol == v.protocol,
                   "port of listener", index)
            found |= {(v.address, port, v.protocol, i, image.name(listener.name))
                      for i in range(64) if interfaces >> i & 1}
        expect(union == v.interfaces, "interfaces of a VIP entry")
    expect(addresses == {(address, i) for address, _, _, i, _ in found}, "address entries")
    for _, _, _, i, _ in found:
        expect(i < len(image.interface) and image.interface[i].hooks & XDP and image.interface[i].role == 0,
               "a listener on an interface that cannot have it")
    return found


def check_image(image):
    check_envelope(image)
    check_directory(image)
    check_hashes(image)
    check_names(image)
    check_objects(image)
    check_rules(image)
    check_chains(image)
    check_tables(image)
    vip_set(image)
    check_positions(image)


# ---- random planes -------------------------------------------------------------------------------

class Random(random.Random):
    def chance(self, percent):
        return self.randrange(100) < percent

    def shuffled(self, items):
        return self.sample(items, len(items))


def random_interfaces(r):
    kinds = [{"hooks": ["xdp"]}, {"mode": "any", "hooks": ["xdp", "tc-egress"]}, {"mode": "generic"},
             {"hooks": ["tc-ingress"]}, {"role": "decap"}]
    first = [{"name": "wan0"}]
    return first + [{"name": "if%d%s" % (n, r.choice(("", "*"))), **r.choice(kinds)} for n in range(r.randrange(6))]


def random_backend(r, n):
    endpoints = [{"name": "e%d" % k, "address": "10.1.%d.%d" % (n, k + 1)} for k in range(r.choice((1, 2, 5, 9)))]
    for k, e in enumerate(endpoints):
        if k == 0 or r.chance(40):
            e["address"] = [e["address"], "2001:db8:e:%x::%x" % (n, k + 1)]
        if r.chance(50):
            e["weight"] = r.choice((0, 1, 3, 100, 65535))
        if r.chance(25):
            e["state"] = r.choice(("ready", "drain", "maint"))
    b = {"name": "pool-%d" % n, "endpoints": r.shuffled(endpoints)}
    if r.chance(50):
        b["table-size"] = r.choice((11, 101, 251, 1021))
    if r.chance(20):
        b["next-hop"] = r.choice(("auto", "fib", "10.9.9.1", "2001:db8::9"))
    return b


def random_listeners(r, interfaces, backends, count):
    pool = ["203.0.113.%d" % n for n in range(10)] + ["2001:db8:ff::%x" % n for n in range(10)]
    edge = [i["name"] for i in interfaces if i.get("role") != "decap" and "xdp" in i.get("hooks", ["xdp"])]
    taken, result = set(), []
    for n in range(count):
        listener = {"name": "web_%d" % r.randrange(10 ** 6), "address": r.sample(pool, r.choice((1, 1, 2, 4))),
                    "protocol": r.choice(("TCP", "UDP")), "port": r.choice((80, 443, 53, 1, 65535, r.randrange(1, 65536))),
                    "backend": r.choice(backends)["name"]}
        if r.chance(50):
            listener["forward"] = r.choice(("ipip", "dsr"))
        on = [i["name"] for i in interfaces]
        if r.chance(60):
            on = sorted({r.choice(edge), *r.sample(on, r.randrange(len(on)))})
            listener["interfaces"] = on
        keys = {(a, listener["protocol"], listener["port"], i) for a in listener["address"] for i in on}
        if keys & taken or listener["name"] in [x["name"] for x in result]:
            continue
        taken |= keys
        result.append(listener)
    return result


def random_plane(r):
    interfaces = random_interfaces(r)
    backends = [random_backend(r, n) for n in range(r.choice((1, 3, 8)))]
    plane = {"apiVersion": "gpc/v1", "kind": "Plane", "metadata": {"name": "plane-%d" % r.randrange(1000)},
             "interfaces": interfaces, "backends": backends,
             "listeners": random_listeners(r, interfaces, backends, r.choice((1, 5, 60, 200)))}
    if r.chance(50):
        plane["defaults"] = {"hash-seed": r.randbytes(16).hex(), "malformed": r.choice(("drop", "pass")),
                             "non-ip": r.choice(("drop", "pass")), "on-fail": r.choice(("drop", "pass")),
                             "flows": r.choice((4096, "64Ki", "1Mi"))}
    return plane


# ---- an image against its objects ----------------------------------------------------------------

def expected_set(plane):
    names = sorted(i["name"] for i in plane["interfaces"])
    can = {i["name"] for i in plane["interfaces"] if i.get("role") != "decap" and "xdp" in i.get("hooks", ["xdp"])}
    for listener in plane["listeners"]:
        port, protocol = listener["port"], {"TCP": 6, "UDP": 17}[listener["protocol"]]
        for address in listener["address"]:
            for i in can & set(listener.get("interfaces", names)):
                yield (slow.mapped(ipaddress.ip_address(address)), port, protocol, names.index(i), listener["name"])


def check_defaults(image, plane):
    d = plane.get("defaults", {})
    expect(image.name(image.name_at) == plane["metadata"]["name"], "name of the plane")
    seed = bytes.fromhex(d["hash-seed"]) if d else slow.default_seed(plane["metadata"]["name"])
    expect(image.seed == seed, "hash seed")
    flags = (d.get("malformed", "drop") == "drop") | (d.get("non-ip") == "drop") << 1 | (d.get("on-fail") == "drop") << 2
    expect(image.flags & ~STATEFUL == flags, "flags", image.flags, "want", flags)
    flows = {"64Ki": 65536, "1Mi": 1 << 20}.get(d.get("flows"), d.get("flows", 1 << 20))
    expect(image.flows == flows and image.flow_inserts == flows // 60, "flows", image.flows, image.flow_inserts)
    expect(image.timeouts == (60, 7440, 120, 10, 30, 180, 30, 600), "timeouts")


def check_endpoints(image, plane):
    for b in image.backend:
        written = next(x for x in plane["backends"] if x["name"] == image.name(b.name))
        expect(b.endpoints == len(written["endpoints"]), "number of endpoints")
        size = written.get("table-size") or next(s for s in (251, 509, 1021) if s >= 100 * b.endpoints)
        expect(b.table_size == size, "table size of", written["name"])
        check_next_hop(image, b, written.get("next-hop", "auto"))
        for e in image.endpoint[b.first_endpoint:b.first_endpoint + b.endpoints]:
            w = next(x for x in written["endpoints"] if x["name"] == image.name(e.name))
            expect(e.weight == w.get("weight", 1), "weight of", w["name"])
            expect(e.state == ("ready", "drain", "maint").index(w.get("state", "ready")), "state of", w["name"])
            texts = w["address"] if isinstance(w["address"], list) else [w["address"]]
            addresses = {a.version: a.packed for a in map(ipaddress.ip_address, texts)}
            expect(e.address4 == addresses.get(4, bytes(4)), "v4 address of", w["name"])
            expect(e.address6 == addresses.get(6, bytes(16)), "v6 address of", w["name"])
            expect(bool(e.flags & FIB) == (written.get("next-hop") == "fib"), "fib flag of", w["name"])


def check_next_hop(image, b, written):
    kinds = {"auto": 0, "fib": 1}
    address = bytes(16) if written in kinds else slow.mapped(ipaddress.ip_address(written))
    expect(b.next_hop == kinds.get(written, 2) and b.next_hop_address == address, "next hop of", image.name(b.name))


def check_plane(image, plane):
    check_image(image)
    check_defaults(image, plane)
    check_endpoints(image, plane)
    by_name = {image.name(o.name): o for o in image.listener}
    expect(set(by_name) == {o["name"] for o in plane["listeners"]}, "listeners")
    for o in plane["listeners"]:
        record = by_name[o["name"]]
        expect(record.forward == (DSR if o.get("forward") == "dsr" else IPIP), "forward of", o["name"])
        expect(image.name(image.backend[record.backend].name) == o["backend"], "backend of", o["name"])
    for i in image.interface:
        o = next(x for x in plane["interfaces"] if x["name"] == image.name(i.name))
        hooks = {"xdp": 1, "tc-ingress": 2, "tc-egress": 4}
        expect(i.mode == ("native", "generic", "any").index(o.get("mode", "native")), "mode of", o["name"])
        expect(i.role == (o.get("role") == "decap"), "role of", o["name"])
        expect(i.hooks == sum(hooks[h] for h in o.get("hooks", ["xdp"])), "hooks of", o["name"])
        expect(i.pattern == o["name"].endswith("*"), "pattern of", o["name"])
    expect(vip_set(image) == set(expected_set(plane)), "what finds a listener")


# ---- running -------------------------------------------------------------------------------------

def compiled(gpc, intent, folder, *options):
    out = os.path.join(folder, "plane.gpi")
    run = subprocess.run([gpc, "compile", "-f", intent, *options, "-o", out], stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True, check=False)
    expect(run.returncode == 0, "gpc compile", intent, "exits", run.returncode, "\n" + run.stdout)
    with open(out, "rb") as f:
        return Image(f.read())


def written(plane, folder, name):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as f:
        json.dump(plane, f)
    return path


def reordered(r, value):
    """The same plane: keys and lists in another order. No list of this issue's language has one."""
    if isinstance(value, dict):
        return {key: reordered(r, value[key]) for key in r.shuffled(list(value))}
    return [reordered(r, item) for item in r.shuffled(value)] if isinstance(value, list) else value


def check_random(gpc, seed, folder):
    r = Random(seed)
    plane = random_plane(r)
    image = compiled(gpc, written(plane, folder, "gpc.yaml"), folder)
    check_plane(image, plane)
    again = compiled(gpc, written(reordered(r, plane), folder, "other.yaml"), folder)
    expect(image.decision() == again.decision(), "the order in the text reaches the decision part")


def check_intent(gpc, path, folder, *options):
    check_image(compiled(gpc, path, folder, *options))


def check_file(path):
    with open(path, "rb") as f:
        check_image(Image(f.read()))


def attempts(arguments, folder):
    """(name, function, arguments)"""
    if arguments[0] == "--image":
        return [(path, check_file, (path,)) for path in arguments[1:]]
    gpc = arguments[0]
    planes = [("random plane %d" % seed, check_random, (gpc, seed, folder)) for seed in range(150)]
    examples = [(path, check_intent, (gpc, path, folder)) for path in arguments[1:]]
    overlays = [(path + " -e " + env, check_intent, (gpc, path, folder, "-e", env))
                for path in arguments[1:] for env in environments(path)]
    return planes + examples + overlays


def environments(path):
    overlays = os.path.join(os.path.dirname(path), "overlays")
    return sorted(name[:-5] for name in os.listdir(overlays)) if os.path.isdir(overlays) else []


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, function, arguments in attempts(sys.argv[1:], folder):
            try:
                function(*arguments)
                passed += 1
            except (Wrong, ValueError, struct.error, IndexError, StopIteration, KeyError) as fault:
                failed += 1
                print("%s: %s: %s" % (name, type(fault).__name__, fault))
    print("oracle/image_check: %d passed, %d failed" % (passed, failed))
    sys.exit(failed != 0 or passed == 0)


if __name__ == "__main__":
    main()
