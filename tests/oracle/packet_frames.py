# SPDX-License-Identifier: MIT
"""Frames for the packet oracle: valid, nearly valid and broken ones, repeatable by their seed.

A frame is put together from parts, so that each kind of damage meets all others; then some are cut,
padded, or get single bytes changed."""
import ipaddress
import random
import struct

TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58
SHORTEST = 14   # what a test run of an XDP program accepts


def checksum(data):
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Source:
    def __init__(self, facts, seed):
        self.facts = facts
        self.random = random.Random(seed)
        self.mine = bytes.fromhex(facts["mac"].replace(":", ""))

    def chance(self, percent):
        return self.random.randrange(100) < percent

    def number(self, bits):
        return self.random.getrandbits(bits)

    def bytes(self, count):
        return self.random.randbytes(count)

    # ---- L4

    def tcp(self, source_port, port):
        options = self.bytes(4 * self.random.choice((0, 0, 0, 3, 5, 10)))
        offset = 5 + len(options) // 4
        if self.chance(3):
            offset = self.random.randrange(16)
        flags = self.random.choice((0x02, 0x10, 0x18, 0x11, 0x04, 0x12, self.number(8)))
        head = struct.pack(">HHIIBBHHH", source_port, port, self.number(32), self.number(32), offset << 4, flags,
                           self.number(16), self.number(16), 0)
        return head + options + self.bytes(self.random.choice((0, 0, 1, 7, 100, 400)))

    def udp(self, source_port, port):
        data = self.bytes(self.random.choice((0, 1, 8, 33, 512)))
        length = self.random.randrange(65536) if self.chance(3) else 8 + len(data)
        return struct.pack(">HHHH", source_port, port, length, self.number(16)) + data

    def l4(self, protocol, port):
        source_port = self.random.choice((40000, 0, 65535, self.number(16)))
        if protocol == TCP:
            return self.tcp(source_port, port)
        if protocol == UDP:
            return self.udp(source_port, port)
        if protocol in (ICMP, ICMP6):
            return bytes([self.random.choice((8, 0, 128, 129, 135, 11)), 0]) + self.bytes(30)
        return self.bytes(self.random.randrange(8, 60))

    # ---- IP

    def v4(self, destination, protocol, payload):
        options = self.bytes(4 * self.random.choice((0, 0, 0, 0, 1, 3, 10)))
        ihl = 5 + len(options) // 4
        total = 20 + len(options) + len(payload)
        version = 4
        flags = self.random.choice((0, 0x4000, 0x4000, 0x8000))
        if self.chance(6):
            flags |= 0x2000
        if self.chance(5):
            flags |= self.random.choice((1, 2, self.number(13)))
        if self.chance(3):
            ihl = self.random.randrange(16)
        if self.chance(2):
            version = self.random.randrange(16)
        if self.chance(4):
            total = self.random.choice((0, 19, 20, total + 1, max(total - self.random.randrange(60), 0), self.number(16)))
        head = struct.pack(">BBHHHBBH4s4s", version << 4 | ihl, self.number(8), total & 0xFFFF, self.number(16), flags,
                           self.random.choice((64, 1, 0, 255)), protocol, 0, self.bytes(4), destination.packed)
        head = head[:10] + struct.pack(">H", self.number(16) if self.chance(2) else checksum(head)) + head[12:]
        return head + options + payload

    def extension(self, kind, following):
        if kind == 44:
            field = self.random.choice((0, 0, 0, 1, 8, 9, self.number(16)))
            return struct.pack(">BBHI", following, self.number(8), field, self.number(32))
        if kind == 51:
            units = self.random.choice((1, 4, 4, 0, 5))
            return struct.pack(">BBH", following, units, 0) + self.bytes((units + 2) * 4 - 4)
        units = self.random.choice((0, 0, 1, 2))
        data = bytearray(self.bytes(units * 8 + 6))
        if kind == 43:
            data[0] = self.random.choice((0, 2, 2, 4, 4, 4))
        return bytes([following, units]) + bytes(data)

    def chain(self):
        if self.chance(55):
            return []
        kinds = [self.random.choice((60, 60, 43, 51, 44)) for _ in range(self.random.choice((1, 1, 2, 3, 5, 6, 7)))]
        while kinds.count(44) > 1:      # two fragment headers in one packet have no agreed meaning
            kinds.remove(44)
        if self.chance(35):
            kinds.insert(0, 0)
        if self.chance(3):
            kinds.insert(self.random.randrange(len(kinds) + 1), 0)
        return kinds

    def v6(self, destination, protocol, payload):
        kinds = self.chain()
        following = protocol
        for kind in reversed(kinds):
            payload = self.extension(kind, following) + payload
            following = kind
        length = len(payload)
        version = 6
        if self.chance(2):
            version = self.random.randrange(16)
        if self.chance(4):
            length = self.random.choice((0, length + 1, max(length - self.random.randrange(60), 0), self.number(16)))
        return struct.pack(">IHBB16s16s", version << 28 | self.number(28), length & 0xFFFF, following,
                           self.random.choice((64, 255, 0)), b"\x20\x01" + self.bytes(14), destination.packed) + payload

    # ---- whole packets

    def target(self):
        """(address, protocol, port): of a listener, or one thing about it is wrong."""
        listener = self.random.choice(self.facts["listeners"])
        address = ipaddress.ip_address(self.random.choice(listener["addresses"]))
        protocol, port = listener["protocol"], listener["port"]
        if self.chance(12):
            port = self.random.choice((port ^ 1, 0, self.number(16)))
        if self.chance(8):
            protocol = self.random.choice((TCP, UDP, ICMP, ICMP6, 132, 47, 50, 59))
        if self.chance(8):
            address = address + self.random.choice((1, -1, 256))
        return address, protocol, port

    def ip(self):
        """(bytes, version meant)."""
        address, protocol, port = self.target()
        payload = self.l4(protocol, port)
        if address.version == 4:
            return self.v4(address, protocol, payload), 4
        return self.v6(address, protocol, payload), 6

    def ethernet(self, ip, kind):
        tags = b"".join(struct.pack(">HH", self.random.choice((0x8100, 0x88A8)), self.number(16))
                        for _ in range(self.random.choice((0,) * 10 + (1, 1, 2, 2, 3))))
        if self.chance(2):
            kind = self.random.choice((0x0800, 0x86DD, 0x0806, 0x88CC, 0x8847, 46))
        return self.mine + b"\x02\x00\x00\x00\x00\xfe" + tags + struct.pack(">H", kind) + ip

    def damaged(self, frame):
        if self.chance(10):
            frame = frame + bytes(max(0, 60 - len(frame)))
        if self.chance(5):
            frame = frame + self.bytes(self.random.randrange(1, 20))
        if self.chance(12):
            frame = frame[:self.random.randrange(len(frame) + 1)]
        if frame and self.chance(10):
            frame = bytearray(frame)
            for _ in range(self.random.choice((1, 1, 2, 4))):
                frame[self.random.randrange(len(frame))] = self.number(8)
            frame = bytes(frame)
        return frame if len(frame) >= SHORTEST else frame + bytes(SHORTEST - len(frame))

    def edge(self):
        ip, version = self.ip()
        return self.damaged(self.ethernet(ip, 0x0800 if version == 4 else 0x86DD))

    def decap(self):
        inner, version = self.ip()
        protocol = 4 if version == 4 else 41
        if self.chance(3):
            protocol = self.random.choice((4, 41, 47))
        if self.chance(50):
            outer, kind = self.v4(ipaddress.ip_address("192.0.2.99"), protocol, inner), 0x0800
        else:
            outer, kind = self.v6(ipaddress.ip_address("2001:db8::99"), protocol, inner), 0x86DD
        return self.damaged(self.ethernet(outer, kind))


def every_length(source, limit=121):
    """One frame of each family and protocol, cut at every length."""
    for listener in source.facts["listeners"]:
        for text in listener["addresses"]:
            address = ipaddress.ip_address(text)
            l4 = struct.pack(">HHIIBBHHH", 40000, listener["port"], 1, 0, 0x50, 2, 1000, 0, 0) + bytes(80)
            if listener["protocol"] == UDP:
                l4 = struct.pack(">HHHH", 40000, listener["port"], 100, 0) + bytes(92)
            if address.version == 4:
                ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(l4), 7, 0x4000, 64, listener["protocol"], 0,
                                 b"\x08\x08\x08\x08", address.packed)
                ip = ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:] + l4
            else:
                ip = struct.pack(">IHBB16s16s", 6 << 28, len(l4), listener["protocol"], 64,
                                 b"\x20\x01" + bytes(13) + b"\x01", address.packed) + l4
            frame = source.mine + b"\x02\x00\x00\x00\x00\xfe" + struct.pack(">H", 0x0800 if address.version == 4 else 0x86DD) + ip
            for length in range(SHORTEST, min(limit, len(frame) + 1)):
                yield frame[:length]


def frames(facts, count, seed=1):
    """Yields (role, frame)."""
    source = Source(facts, seed)
    for listener in facts["listeners"]:
        listener["addresses"] = [str(a) for a in listener["addresses"]]
    cut = list(every_length(source))
    for listener in facts["listeners"]:
        listener["addresses"] = [ipaddress.ip_address(a) for a in listener["addresses"]]
    for n in range(count):
        if n < len(cut):
            yield "edge", cut[n]
        elif source.chance(20):
            yield "decap", source.decap()
        else:
            yield "edge", source.edge()
