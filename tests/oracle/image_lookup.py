# SPDX-License-Identifier: MIT
"""What the VIP entries of an image say, by schemas/image.v1.md: who finds which listener."""
import ipaddress
import struct

from image_file import ADDRESS, CHOICE, EXACT, KIND, NONE, PORTS, SOLE, XDP, expect

V4 = bytes(10) + b"\xff\xff"


def swapped(port):
    return struct.unpack(">H", struct.pack("<H", port))[0]


def bits(mask):
    return [i for i in range(64) if mask >> i & 1]


def is_empty(v):
    return not v.interfaces


def run_of(image, at):
    """listener -> interface mask, of one run of choices."""
    result = {}
    while True:
        choice = image.vip_choice[at]
        expect(choice.listener not in result, "a listener twice in one run of choices")
        expect(choice.last in (0, 1), "mark of the last choice")
        expect(choice.interfaces and not choice.interfaces & union(result), "interfaces of listeners that share a key")
        result[choice.listener] = choice.interfaces
        at += 1
        if choice.last:
            return result


def takers_of(image, record):
    """listener -> interface mask, of an entry or interval; empty: nobody, or several."""
    if not record.flags & CHOICE:
        return {} if record.listener == NONE else {record.listener: record.interfaces}
    return run_of(image, record.listener)


def union(takers):
    result = 0
    for mask in takers.values():
        result |= mask
    return result


def intervals(image, vip):
    """(first port, last port, listener -> interface mask) of an entry of kind PORTS."""
    records = image.vip_ports[vip.listener:vip.listener + vip.interfaces]
    expect(len(records) == vip.interfaces <= 8193, "intervals of an entry")
    firsts = [r.first for r in records]
    expect(firsts[0] == 0 and firsts == sorted(set(firsts)), "order of intervals")
    expect([r.last for r in records] == [0] * (len(records) - 1) + [1], "mark of the last interval")
    for r, end in zip(records, firsts[1:] + [65536]):
        takers = takers_of(image, r)
        expect(r.flags in (0, CHOICE) and union(takers) == r.interfaces, "an interval from port", r.first)
        yield r.first, end - 1, takers


def merged(claims):
    """Claims of one kind, key, interface and listener whose ports touch become one."""
    result = []
    for claim in sorted(claims):
        *key, first, last = claim
        if result and result[-1][:-2] == tuple(key) and result[-1][-1] + 1 == first:
            result[-1] = (*key, result[-1][-2], last)
        else:
            result.append(claim)
    return result


class Lookup:
    """claims: [(kind, address, length, protocol, interface, listener name, first port, last port)], merged
    soles: {(address, length, protocol): {interface: listener name or None}}
    addresses: {(address, length): ({interfaces}, ping, forwards, GUE port)}"""

    def __init__(self, image):
        self.image = image
        self.soles, self.addresses, self.families = {}, {}, [[False, False] for _ in image.listener]
        claims, keys, self.lengths = [], set(), (set(), set())
        for v in image.vip:
            if is_empty(v):
                expect(not any(v.address) and v.port == v.protocol == v.flags == v.listener == 0,
                       "an empty slot is not zero")
                continue
            key = v.address, v.port, v.protocol, v.flags & KIND
            expect(key not in keys and v.flags <= (KIND | CHOICE), "a key twice in the VIP table, or flags")
            keys.add(key)
            length = self.length_of(v)
            if v.flags & KIND == ADDRESS:
                self.add_address(v, length)
            elif v.flags & KIND == SOLE:
                self.add_sole(v, length)
            else:
                claims += self.claims_of(v, length)
        self.claims = merged(claims)

    def length_of(self, v):
        length = 128 if v.flags & KIND == EXACT else v.port
        behind = (1 << max(0, 128 - length)) - 1
        expect(length <= 128 and int.from_bytes(v.address, "big") & behind == 0, "bits behind a prefix")
        self.lengths[not (v.address.startswith(V4) and length >= 96)].add(length)
        return length

    def add_address(self, v, length):
        expect(v.protocol == 0 and not v.flags & CHOICE and not v.listener & 0xFC, "shape of an address entry")
        says = v.listener & 3, v.listener >> 8 & 0xFF, swapped(v.listener >> 16)
        self.addresses[v.address, length] = set(bits(v.interfaces)), *says

    def add_sole(self, v, length):
        takers = takers_of(self.image, v)
        expect(union(takers) in (0, v.interfaces), "interfaces of a sole entry")
        one = {i: self.name(index) for index, mask in takers.items() for i in bits(mask)}
        self.soles[v.address, length, v.protocol] = {i: one.get(i) for i in bits(v.interfaces)}

    def claims_of(self, v, length):
        kind, exact = v.flags & KIND, swapped(v.port)
        parts = intervals(self.image, v) if kind == PORTS else [(exact, exact, takers_of(self.image, v))]
        expect(kind == PORTS or not v.flags & CHOICE or union(parts[0][2]) == v.interfaces, "interfaces of a VIP entry")
        for first, last, takers in parts:
            for index, mask in takers.items():
                listener = self.image.listener[index]
                expect(swapped(listener.port) <= first and last <= swapped(listener.port_last)
                       and listener.protocol == v.protocol, "ports of listener", self.name(index))
                self.families[index][not v.address.startswith(V4)] = True
                for i in bits(mask):
                    yield kind, v.address, length, v.protocol, i, self.name(index), first, last

    def name(self, index):
        return self.image.name(self.image.listener[index].name)


def covers(outer, inner):
    """Does one (address, length) hold the other? IPv6 prefixes do not hold IPv4."""
    (a, n), (b, m) = outer, inner
    if n > m or (a.startswith(V4) and n >= 96) != (b.startswith(V4) and m >= 96):
        return False
    return int.from_bytes(a, "big") >> 128 - n == int.from_bytes(b, "big") >> 128 - n


def check_lookup(image, lookup):
    """What must hold among the entries of any image."""
    found = {(claim[1], claim[2]): set() for claim in lookup.claims}
    own = {claim[1:4] for claim in lookup.claims}
    for _, address, length, _, i, _, _, _ in lookup.claims:
        expect(i < len(image.interface) and image.interface[i].hooks & XDP and image.interface[i].role == 0,
               "a listener on an interface that cannot have it")
        found[address, length].add(i)
    expect({key: says[0] for key, says in lookup.addresses.items()} == found, "address entries")
    expect(set(lookup.soles) == own, "sole entries")
    for family, wanted in enumerate(lookup.lengths):
        written = image.vip_lengths[16 * family:][:16]
        got = [n - 1 for n in written if n]
        expect(got == sorted(wanted, reverse=True) and not any(written[len(got):]), "lengths of prefixes", got)
    check_soles(lookup)


def check_soles(lookup):
    takers = {}
    for _, address, length, protocol, i, name, _, _ in lookup.claims:
        takers.setdefault((address, length, protocol), {}).setdefault(i, set()).add(name)
    for (address, length, protocol), by_interface in lookup.soles.items():
        for i, name in by_interface.items():
            for (a, n, p), others in takers.items():
                if name and p == protocol and covers((a, n), (address, length)):
                    expect(others.get(i, {name}) == {name}, "sole listener of", ipaddress.ip_address(address), length)
