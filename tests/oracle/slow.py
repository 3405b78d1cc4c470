# SPDX-License-Identifier: MIT
"""SipHash, Maglev and stable ids a third time, for the oracles in Python. Slow and from the texts:
SEMANTICS 1, 6.3, 6.4; the SipHash and Maglev papers."""
import hashlib
import struct

WORD = (1 << 64) - 1


def stable_id(kind, *names):
    text = b"\0".join(part.encode() for part in ("gpc/v1", kind, *names))
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "little")


def default_seed(plane_name):
    return hashlib.sha256(b"gpc/v1\0seed\0" + plane_name.encode()).digest()[:16]


def siphash(c, d, key, data):
    def rotate(x, bits):
        return (x << bits | x >> (64 - bits)) & WORD

    def rounds(v, n):
        for _ in range(n):
            v[0] = (v[0] + v[1]) & WORD
            v[2] = (v[2] + v[3]) & WORD
            v[1] = rotate(v[1], 13) ^ v[0]
            v[3] = rotate(v[3], 16) ^ v[2]
            v[0] = rotate(v[0], 32)
            v[2] = (v[2] + v[1]) & WORD
            v[0] = (v[0] + v[3]) & WORD
            v[1] = rotate(v[1], 17) ^ v[2]
            v[3] = rotate(v[3], 21) ^ v[0]
            v[2] = rotate(v[2], 32)

    k0, k1 = struct.unpack("<QQ", key)
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]
    whole = len(data) // 8 * 8
    words = list(struct.unpack("<%dQ" % (whole // 8), data[:whole]))
    words.append(int.from_bytes(data[whole:].ljust(7, b"\0") + bytes([len(data) & 0xFF]), "little"))
    for word in words:
        v[3] ^= word
        rounds(v, c)
        v[0] ^= word
    v[2] ^= 0xFF
    rounds(v, d)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def mapped(address):
    """16 bytes of an ipaddress object; v4 as ::ffff:a.b.c.d."""
    return address.packed if address.version == 6 else bytes(10) + b"\xff\xff" + address.packed


def flow_hash(seed, source, destination, protocol, source_port, destination_port, draw=0):
    data = mapped(source) + mapped(destination) + struct.pack(">BHHB", protocol, source_port, destination_port, draw)
    return siphash(1, 3, seed, data)


def slot_of(hash_value, size):
    return (hash_value & 0xFFFFFFFF) * size >> 32


def maglev(endpoints, size):
    """endpoints: list of (id, weight) in any order. The list of owners, one id per slot."""
    if not endpoints:
        return []
    order = sorted(endpoints)
    greatest = max(weight for _, weight in order)
    lists = {i: ((i & 0xFFFFFFFF) % size, (i >> 32) % (size - 1) + 1) for i, _ in order}
    position = dict.fromkeys(lists, 0)
    credit = dict.fromkeys(lists, 0)
    owners = [None] * size
    free = size
    while True:
        for i, weight in order:
            credit[i] += weight
            if credit[i] < greatest:
                continue
            credit[i] -= greatest
            offset, skip = lists[i]
            while owners[(offset + position[i] * skip) % size] is not None:
                position[i] += 1
            owners[(offset + position[i] * skip) % size] = i
            position[i] += 1
            free -= 1
            if free == 0:
                return owners
