#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A second reader of images, written from schemas/image.v1.md and SEMANTICS 1, 2, 6 alone.

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
PLANE = struct.Struct("<IIQQQIIQIIIIII8II5s3sII4s8I32s32sQII16s")
SECTION = struct.Struct("<IIII")
SECTIONS = ("words", "chain", "policy", "classifier", "rule", "vip_disp", "vip", "vip_choice", "vip_ports",
            "listener", "pool", "endpoint", "ep_disp", "ep_index", "quic_disp", "quic", "maglev", "table", "backend",
            "interface", "names")
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
    "vip_ports": ("<QIHBB", "interfaces listener first flags last"),
    "listener": ("<Q4I4IBBHHHBBBBHHIIIIIBBHQQII24s",
                 "id offset4 size4 first4 table4 offset6 size6 first6 table6 forward protocol port port_last flags hash "
                 "affinity outer_dscp quic_length gue_port pools first_pool pad0 backend name affinity_timeout ping "
                 "rate_exceed pad1 rate_cost rate_burst rate_entries pad2 pad3"),
    "pool": ("<4I4IIIII16s", "offset4 size4 first4 table4 offset6 size6 first6 table6 until total backend failover pad0"),
    "endpoint": ("<Q16s4sHBBIIHBBI16s", "id address6 address4 weight state flags backend name port quic_length pad0 "
                                        "by_name quic_id"),
    "quic_disp": ("<I", "value"),
    "quic": ("<16sIIQ", "id backend endpoint pad0"),
    "ep_disp": ("<I", "value"),
    "ep_index": ("<I", "value"),
    "table": ("<IIII", "offset size backend endpoints"),
    "backend": ("<Q16sIIIIBBHI16s", "id next_hop_address first_endpoint endpoints table_size name next_hop rebalance "
                                    "min_healthy failover pad0"),
    "interface": ("<QIBBBB16s", "id name mode role hooks pattern pad0"),
}
PADDING = {"pad0", "pad1", "pad2", "pad3"}
IPIP, DSR, GUE, NAT, PASSED = 1, 2, 3, 4, 5
READY, DRAIN, MAINT = 0, 1, 2
HAS_V4, HAS_V6, KEEP, FIB = 1, 2, 4, 8
EXACT, PORTS, SOLE, ADDRESS = 0, 1, 2, 3
KIND, CHOICE = 3, 4
POOLS = 16
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
        self.tries, pad3, self.vip_lengths = plane[28:36], plane[36], plane[37]
        self.quic_seed, self.quic_buckets, self.quic_slots, pad4 = plane[38:]
        self.plane_pad = pad1 + pad2 + pad3 + pad4
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


def link_size(listeners, endpoints, backends, rules):
    arrays = padded(listeners, 4) * 16 + padded(endpoints, 2) * 32 + padded(backends, 4) * 16 + padded(rules, 4) * 16
    return padded(192 + 1024 * 32 + arrays, 4096)


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
    expect(h.link_size == link_size(len(image.listener), len(image.endpoint), len(image.backend), len(image.rule)),
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
        if not is_empty(v):
            first, last = struct.unpack("<QQ", v.address)
            h = mixed(image.vip_seed, last, first, v.port << 8 | v.protocol | (v.flags & KIND) << 24)
            expect(place(h, image.vip_disp, image.vip_slots) == at, "VIP entry", at, "is not where its key leads")
    for at, slot in enumerate(image.ep_index):
        if slot.value:
            h = mixed(image.ep_seed, image.endpoint[slot.value - 1].id, 0, 0)
            expect(place(h, image.ep_disp, image.ep_slots) == at, "endpoint", slot.value - 1,
                   "is not where its id leads")
    for at, q in enumerate(image.quic):
        if q.endpoint:
            first, last = struct.unpack("<QQ", q.id)
            h = mixed(image.quic_seed, first, last, q.backend)
            expect(place(h, image.quic_disp, image.quic_slots) == at, "QUIC entry", at, "is not where its key leads")


def is_empty(v):
    return not v.interfaces


def check_hashes(image):
    for buckets, slots, mask, slot_mask, name in (
            (image.vip_disp, image.vip, image.vip_buckets, image.vip_slots, "vip"),
            (image.ep_disp, image.ep_index, image.ep_buckets, image.ep_slots, "endpoint"),
            (image.quic_disp, image.quic, image.quic_buckets, image.quic_slots, "quic")):
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
        order = sorted(range(len(mine)), key=lambda n: image.name(mine[n].name).encode())
        expect([e.by_name for e in mine] == order, "order by name of backend", index)
        for e in mine:
            expect(e.quic_length <= 16 and not any(e.quic_id[e.quic_length:]), "QUIC id of endpoint", image.name(e.name))
            expect(any(e.quic_id) <= bool(e.quic_length), "QUIC id of endpoint", image.name(e.name))
        expect(b.failover == NONE or b.failover < len(image.backend) and b.failover != index, "failover of", index)
        expect(b.rebalance in (0, 1) and b.min_healthy <= 10000, "backend", index)
    expect(at == len(image.endpoint), "endpoints without a backend")
    check_quic(image)


def check_quic(image):
    """Every endpoint with an id once, under its backend; an empty slot is zero."""
    found = [(q.endpoint - 1, q.id, q.backend) for q in image.quic if q.endpoint]
    expect(sorted(found) == [(n, e.quic_id, e.backend) for n, e in enumerate(image.endpoint) if e.quic_length],
           "QUIC ids")
    expect(not any(any(q.id) or q.backend for q in image.quic if not q.endpoint), "an empty QUIC slot is not zero")


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


def usable(image, backend, forward, v6):
    """The endpoints that a listener's packets of one family can be forwarded to, and that take new flows."""
    for e in image.endpoint[backend.first_endpoint:backend.first_endpoint + backend.endpoints]:
        reach = {DSR: True, NAT: e.flags & (HAS_V6 if v6 else HAS_V4)}.get(forward, not v6 or e.flags & HAS_V6)
        if e.state == READY and e.weight and reach:
            yield e


def families(image):
    """By listener: has it IPv4, IPv6 addresses, by the VIP table."""
    found = [[False, False] for _ in image.listener]
    for v in image.vip:
        kind = v.flags & KIND
        if is_empty(v) or kind in (SOLE, ADDRESS):
            continue
        for _, _, takers in intervals(image, v) if kind == PORTS else [(0, 0, listeners_of(image, v))]:
            for index in takers:
                found[index][not v.address.startswith(V4)] = True
    return found


V4 = bytes(10) + b"\xff\xff"


def run_of(image, at):
    """listener -> interface mask, of one run of choices."""
    result = {}
    while True:
        choice = image.vip_choice[at]
        expect(choice.listener not in result, "a listener twice in one run of choices")
        expect(choice.last in (0, 1), "mark of the last choice")
        result[choice.listener] = choice.interfaces
        at += 1
        if choice.last:
            return result


def listeners_of(image, record):
    """listener -> interface mask, of one VIP entry or interval; index NONE: nobody, or several."""
    if not record.flags & CHOICE:
        return {} if record.listener == NONE else {record.listener: record.interfaces}
    result = run_of(image, record.listener)
    union = 0
    for mask in result.values():
        expect(mask and not union & mask, "interfaces of listeners that share a key")
        union |= mask
    return result


def intervals(image, vip):
    """(first port, last port, listener -> interface mask) of an entry of kind PORTS."""
    records = image.vip_ports[vip.listener:vip.listener + vip.interfaces]
    expect(len(records) == vip.interfaces <= 8193, "intervals of an entry")
    firsts = [r.first for r in records]
    expect(firsts[0] == 0 and firsts == sorted(set(firsts)), "order of intervals")
    expect([r.last for r in records] == [0] * (len(records) - 1) + [1], "mark of the last interval")
    for r, end in zip(records, firsts[1:] + [65536]):
        expect(r.flags in (0, CHOICE), "flags of an interval")
        yield r.first, end - 1, listeners_of(image, r)


def check_pools(image):
    at = 0
    for listener in image.listener:
        name = image.name(listener.name)
        if listener.forward == PASSED:
            expect((listener.pools, listener.first_pool, listener.backend) == (0, NONE, NONE), "pools of", name)
            continue
        expect(listener.first_pool == at and listener.pools >= 1, "pools of", name)
        end = at + listener.pools
        split = image.pool[at:end]
        total = split[-1].until
        expect([p.backend for p in split] == sorted({p.backend for p in split}), "order of the split of", name)
        expect(all(p.total == total for p in split) and total, "sum of the weights of", name)
        untils = [p.until for p in split]
        expect(untils == sorted(untils), "weights of", name)
        expect(listener.backend == split[0].backend, "first backend of", name)
        expect(all(getattr(listener, f) == getattr(split[0], f) for f in TABLE_FIELDS), "first pool of", name)
        wanted = {p.failover for p in split} - {NONE}
        while end < len(image.pool) and image.pool[end].total == 0:
            expect(image.pool[end].until == 0, "pool that is only failed over to of", name)
            wanted |= {image.pool[end].failover} - {NONE}
            end += 1
        expect(set(range(at + listener.pools, end)) <= wanted <= set(range(at, end)), "failover of", name)
        for p in image.pool[at:end]:
            over = NONE if p.failover == NONE else image.pool[p.failover].backend
            expect(over == image.backend[p.backend].failover, "failover of", name)
        expect(bool(listener.flags & POOLS) == (end - at > 1), "mark of the pools of", name)
        at = end
    expect(at == len(image.pool), "pools of nobody")


TABLE_FIELDS = [f + v for v in "46" for f in ("offset", "size", "first", "table")]


def check_tables(image):
    computed, seen, owner = {}, set(), {}
    for index, listener in enumerate(image.listener):
        if listener.forward == PASSED:
            expect([getattr(listener, f) for f in TABLE_FIELDS] == [NONE, 0, 0, NONE] * 2, "table of a listener that passes")
            continue
        end = listener.first_pool + listener.pools
        while end < len(image.pool) and image.pool[end].total == 0:
            end += 1
        owner.update((at, index) for at in range(listener.first_pool, end))
    has = families(image)
    for at, pool in enumerate(image.pool):
        for v6 in (False, True):
            check_table(image, pool, image.listener[owner[at]], v6, has[owner[at]][v6], computed, seen)
    expect(seen == set(range(len(image.table))), "tables that no listener has")
    expect([t.backend for t in image.table] == sorted(t.backend for t in image.table), "order of the tables")
    at = image.sections["maglev"][0]
    for t in image.table:
        expect(t.offset == at, "tables are not one after another")
        at += 2 * t.size
    expect(at == sum(image.sections["maglev"][:2]), "slots of no table")


def check_table(image, pool, listener, v6, wanted, computed, seen):
    offset, size, first, table = (getattr(pool, f) for f in TABLE_FIELDS[4 * v6:][:4])
    name = image.name(listener.name) + ", v" + "46"[v6]
    if not wanted:
        expect((offset, size, first, table) == (NONE, 0, 0, NONE), "table of a family without address:", name)
        return
    backend = image.backend[pool.backend]
    endpoints = list(usable(image, backend, listener.forward, v6))
    if not endpoints:
        expect((offset, size, first, table) == (0, 0, backend.first_endpoint, NONE), "an empty table:", name)
        return
    expect(size == backend.table_size and first == backend.first_endpoint, "shape of the table of", name)
    key = tuple((e.id, e.weight) for e in endpoints), size
    if key not in computed:
        computed[key] = slow.maglev(list(key[0]), size)
    got = [image.endpoint[first + v].id for v in image.slots(offset, size)]
    expect(got == computed[key], "slots of", name)
    t = image.table[table]
    expect((t.offset, t.size, t.backend) == (offset, size, pool.backend), "table record of", name)
    expect(t.endpoints == len(set(got)), "endpoints of the table of", name)
    seen.add(table)


# ---- lookups -------------------------------------------------------------------------------------

def swapped(port):
    return struct.unpack(">H", struct.pack("<H", port))[0]


def vip_set(image):
    """(address, length, first port, last port, protocol, interface, listener name) for all that finds a listener."""
    found, addresses, keys, lengths = set(), set(), set(), (set(), set())
    for v in image.vip:
        if is_empty(v):
            expect(not any(v.address) and v.port == v.protocol == v.flags == v.listener == 0, "an empty slot is not zero")
            continue
        kind = v.flags & KIND
        key = v.address, v.port, v.protocol, kind
        expect(key not in keys and v.flags <= (KIND | CHOICE), "a key twice in the VIP table, or flags")
        keys.add(key)
        length = 128 if kind == EXACT else v.port
        is_v4 = v.address.startswith(V4) and length >= 96
        lengths[not is_v4].add(length)
        expect(length <= 128 and int.from_bytes(v.address, "big") & (1 << 128 - length) - 1 == 0, "bits behind a prefix")
        if kind == ADDRESS:
            expect(v.protocol == 0 and not v.flags & CHOICE, "shape of an address entry")
            addresses |= {(v.address, length, i) for i in range(64) if v.interfaces >> i & 1}
        elif kind != SOLE:
            parts = intervals(image, v) if kind == PORTS else [(swapped(v.port), swapped(v.port), listeners_of(image, v))]
            found |= set(claims(image, v, length, parts))
    check_lengths(image, lengths)
    expect(addresses == {(address, length, i) for address, length, _, _, _, i, _ in found}, "address entries")
    for *_, i, _ in found:
        expect(i < len(image.interface) and image.interface[i].hooks & XDP and image.interface[i].role == 0,
               "a listener on an interface that cannot have it")
    return found


def claims(image, v, length, parts):
    for first, last, takers in parts:
        if v.flags & KIND == EXACT:
            union = 0
            for mask in takers.values():
                union |= mask
            expect(takers and union == v.interfaces, "interfaces of a VIP entry")
        for index, mask in takers.items():
            listener = image.listener[index]
            name = image.name(listener.name)
            low, high = swapped(listener.port), swapped(listener.port_last)
            expect(low <= first and last <= high and listener.protocol == v.protocol, "ports of listener", name)
            yield from ((v.address, length, first, last, v.protocol, i, name) for i in range(64) if mask >> i & 1)


def check_lengths(image, lengths):
    for family, wanted in enumerate(lengths):
        got = [n - 1 for n in image.vip_lengths[16 * family:][:16] if n]
        expect(got == sorted(wanted, reverse=True), "lengths of prefixes", got, "want", wanted)
        expect(not any(image.vip_lengths[16 * family + len(got):][:16 - len(got)]), "lengths behind the last")


def check_image(image):
    check_envelope(image)
    check_directory(image)
    check_hashes(image)
    check_names(image)
    check_objects(image)
    check_rules(image)
    check_chains(image)
    check_pools(image)
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
                yield (slow.mapped(ipaddress.ip_address(address)), 128, port, port, protocol, names.index(i), listener["name"])


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
