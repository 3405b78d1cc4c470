#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A second reader of images, written from schemas/image.v1.md and SEMANTICS 1, 2, 6 alone.

  image_check.py GPC [INTENT.yaml...]      compiles with GPC and checks what comes out: random planes,
                                           against the objects they were made of, and the given intents
  image_check.py --image FILE.gpi...       checks files as they are

Recomputed, not believed: both digests, every stable id, the order and place of all tables and names, every
Maglev slot, pools, who finds which listener by which prefix, protocol, port and interface, where each key stands
in its perfect hash, padding."""
import hashlib
import json
import os
import struct
import subprocess
import sys
import tempfile

import slow
from image_file import (ALLOW, BUILTINS, DENY, DSR, HAS_V4, HAS_V6, IS_BUILTIN, IS_DEFAULT, IS_PROTECT, KEEP, KIND,
                        MAINT, NAT, NONE, PADDING, PASS, PASSED, PLANE, POOLS, READY, RECORDS, REJECT, SECTION,
                        SECTION_SLOTS, SECTIONS, STATEFUL, U64, Image, Wrong, expect)
from image_lookup import Lookup, check_lookup, is_empty
from image_meaning import check_meaning
from image_planes import Random, random_plane, reordered

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
    kinds = "interface", "backend", "endpoint", "listener", "policy", "invariant"
    expected = {o.id: (kind, image.name(o.name)) for kind in kinds for o in getattr(image, kind)}
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
    kinds = ("listener", "endpoint", "backend", "interface", "policy", "rule", "invariant")
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
    for kind in ("interface", "backend", "listener", "invariant"):
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
            expect(e.quic_length <= 15 and not any(e.quic_id[e.quic_length:]), "QUIC id of", image.name(e.name))
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
    fields = "action exceed flags mark log_sample log_rate rate_cost rate_burst rate_entries expires"
    rest = dict.fromkeys(fields.split(), 0)
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


def check_invariants(image):
    words = [w.value for w in image.invariant_words]
    if not image.invariant:
        expect(not words, "words of no invariant")
        return
    at, starts = 2, ([], [])
    for kind, record in ((0, 8), (1, 3)):
        for _ in range(words[kind]):
            starts[kind].append(at)
            at += 1 + record * words[at]
    for invariant in image.invariant:
        for first, count in ((invariant.boxes, invariant.box_count), (invariant.allowed, invariant.allowed_count)):
            expect(first == at, "boxes of invariant", image.name(invariant.name))
            for box in range(at, at + 3 * count, 3):
                expect(words[box] in starts[0] and words[box + 1] in starts[0] and words[box + 2] in starts[1],
                       "a box of invariant", image.name(invariant.name))
            at += 3 * count
    expect(at == len(words), "words behind the invariants")


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
    expect(image.classifier or not any(image.tries), "tries that nobody asks")
    expect(bool(image.flags & STATEFUL) == any(c.flags & 1 for c in image.chain), "the plane's mark of stateful chains")


def usable(image, backend, forward, v6):
    """The endpoints that a listener's packets of one family can be forwarded to, and that take new flows."""
    for e in image.endpoint[backend.first_endpoint:backend.first_endpoint + backend.endpoints]:
        reach = {DSR: True, NAT: e.flags & (HAS_V6 if v6 else HAS_V4)}.get(forward, not v6 or e.flags & HAS_V6)
        if e.state == READY and e.weight and reach:
            yield e


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
        expect(len({p.backend for p in image.pool[at:end]}) == end - at, "a backend twice in the pools of", name)
        for p in image.pool[at:end]:
            over = NONE if p.failover == NONE else image.pool[p.failover].backend
            expect(over == image.backend[p.backend].failover, "failover of", name)
        expect(bool(listener.flags & POOLS) == (end - at > 1), "mark of the pools of", name)
        at = end
    expect(at == len(image.pool), "pools of nobody")


TABLE_FIELDS = [f + v for v in "46" for f in ("offset", "size", "first", "table")]


def check_tables(image, has):
    computed, seen, owner = {}, set(), {}
    for index, listener in enumerate(image.listener):
        if listener.forward == PASSED:
            tables = [getattr(listener, f) for f in TABLE_FIELDS]
            expect(tables == [NONE, 0, 0, NONE] * 2, "table of a listener that passes")
            continue
        end = listener.first_pool + listener.pools
        while end < len(image.pool) and image.pool[end].total == 0:
            end += 1
        owner.update((at, index) for at in range(listener.first_pool, end))
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


def check_image(image):
    check_envelope(image)
    check_directory(image)
    check_hashes(image)
    check_names(image)
    check_objects(image)
    check_rules(image)
    check_chains(image)
    check_pools(image)
    check_invariants(image)
    lookup = Lookup(image)
    check_tables(image, lookup.families)
    check_lookup(image, lookup)
    check_positions(image)
    return lookup


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


def check_random(gpc, seed, folder):
    r = Random(seed)
    plane = random_plane(r)
    image = compiled(gpc, written(plane, folder, "gpc.yaml"), folder)
    check_meaning(image, check_image(image), plane)
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
