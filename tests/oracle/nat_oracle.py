#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""nat_oracle.py ROUNDS SEED: packets of `nat` flows for tests/bpf/nat_test.c, one by one.

A line "xdp|tc DEVICE HEX" on stdout asks for a frame to be run; the answer "ACTION HEX" comes on stdin. Each round
is a flow: a packet of the client, a reply, an ICMP error about either. What must come out is built anew from what
SEMANTICS 6.2 and 4.4 say, every checksum summed up over all bytes. Lines with # are for people; exit 1 if
anything came out otherwise.
"""
import ipaddress
import random
import struct
import sys

TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58
TX, REDIRECT, TC_REDIRECT = 3, 4, 7
HERE, NEAR = "here", "near"

# The plane of nat_test.c.
CLIENT = {4: "198.51.100.7", 6: "2001:db8:10::7"}
ENDPOINT = {4: "10.0.1.1", 6: "2001:db8:1::1"}
SOURCE = {4: "10.0.0.254", 6: "2001:db8::fe"}
ROUTER = {4: "192.0.2.77", 6: "2001:db8:77::1"}
VIP = {4: "203.0.113.%s", 6: "2001:db8:ff::%s"}
PORT = {TCP: 80, UDP: 53}
ENDPOINT_PORT = {4: {TCP: 8080, UDP: 8080}, 6: PORT}
HOP = {4: bytes.fromhex("060000000040"), 6: bytes.fromhex("060000000043")}
DEVICE = bytes.fromhex("020000000001")
GATEWAY = {4: bytes.fromhex("06000000cc04"), 6: bytes.fromhex("06000000cc06")}
NEAR_MAC = bytes.fromhex("02000000aa01")
MTU = 1500
SNAT, PLAIN, CLAMP = "2", "1", "3"


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def packed(address):
    return ipaddress.ip_address(address).packed


def pseudo(source, destination, protocol, length):
    if len(source) == 4:
        return source + destination + struct.pack("!BBH", 0, protocol, length)
    return source + destination + struct.pack("!IHBB", length, 0, 0, protocol)


class Packet:
    """An IP packet by its fields; bytes() builds it with right checksums."""

    def __init__(self, family, source, destination, protocol, **fields):
        self.family, self.source, self.destination = family, source, destination
        self.protocol = protocol
        self.sport = self.dport = 0
        self.hops, self.tos, self.id, self.flags = 64, 0, 0, 2
        self.options = b""  # v4 options, v6 extension headers
        self.next = protocol  # v6: of the first header
        self.rest = b""  # TCP: behind the ports and before the checksum is put in; UDP: payload
        self.no_check = False
        self.icmp = (0, 0, b"")  # type, code, second word
        self.__dict__.update(fields)

    def but(self, **fields):
        copy = Packet(0, None, None, 0)
        copy.__dict__.update(self.__dict__)
        copy.__dict__.update(fields)
        return copy

    def l4(self, source, destination):
        if self.protocol == TCP:
            head = struct.pack("!HH", self.sport, self.dport) + self.rest
            at = 16
        elif self.protocol == UDP:
            head = struct.pack("!HHHH", self.sport, self.dport, 8 + len(self.rest), 0) + self.rest
            at = 6
            if self.no_check:
                return head
        else:
            kind, code, word = self.icmp
            head = struct.pack("!BBH", kind, code, 0) + word + self.rest
            at = 2
        before = b"" if self.protocol == ICMP else pseudo(source, destination, self.protocol, len(head))
        check = checksum(before + head)
        if self.protocol == UDP and not check:
            check = 0xffff
        return head[:at] + struct.pack("!H", check) + head[at + 2:]

    def bytes(self):
        source, destination = packed(self.source), packed(self.destination)
        l4 = self.l4(source, destination)
        if self.family == 4:
            size = 20 + len(self.options)
            head = struct.pack("!BBHHHBBH", 0x40 | size // 4, self.tos, size + len(l4), self.id,
                               self.flags << 13, self.hops, self.protocol, 0)
            head += source + destination + self.options
            head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
            return head + l4
        head = struct.pack("!IHBB", 6 << 28 | self.tos << 20 | self.id, len(self.options) + len(l4), self.next,
                           self.hops)
        return head + source + destination + self.options + l4


def frame(packet, destination, source, tags=()):
    head = destination + source
    for tag in tags:
        head += tag
    return head + struct.pack("!H", 0x0800 if packet.family == 4 else 0x86dd) + packet.bytes()


def with_mss(rest, mss):
    """The TCP header behind the ports with its MSS option, the only one that is 2 and 4, set."""
    at = rest.find(b"\x02\x04", 16)
    return rest[:at + 2] + struct.pack("!H", mss) + rest[at + 4:]


class Oracle:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.run = self.wrong = 0
        self.port = 10000

    def ask(self, program, device, sent):
        print(program, device, sent.hex(), flush=True)
        action, out = sys.stdin.readline().split()
        self.run += 1
        return int(action), bytes.fromhex(out)

    def check(self, what, got, want):
        if got == want:
            return
        self.wrong += 1
        if self.wrong < 6:
            print("# %s: action %d, wanted %d\n#   got  %s\n#   want %s" %
                  (what, got[0], want[0], got[1].hex(), want[1].hex()), flush=True)

    # ---- packets ----

    def tcp_rest(self, flags):
        options, r = b"", self.random
        mss = r.choice([536, 1300, 1440, 1460, 1461, 8960])
        if flags & 2:
            options = b"\x01" * r.choice([0, 1, 2, 3]) + b"\x02\x04" + struct.pack("!H", mss)
            options += r.choice([b"", b"\x04\x02", b"\x03\x03\x07"])
        elif r.random() < .3:
            options = b"\x01\x01\x08\x0a" + r.randbytes(8)
        options += b"\0" * (-len(options) % 4)
        payload = b"" if flags & 2 else r.randbytes(r.choice([0, 1, 7, 100, 1001]))
        offset = (20 + len(options)) // 4
        return r.randbytes(8) + bytes([offset << 4, flags]) + r.randbytes(2) + b"\0\0\0\0" + options + payload

    def packet(self, family, protocol, source, sport, destination, dport, flags):
        r = self.random
        fields = dict(sport=sport, dport=dport, hops=r.choice([2, 3, 64, 255]), tos=r.randrange(256),
                      id=r.randrange(65536), flags=r.choice([0, 2]))
        if family == 4:
            fields["options"] = b"\x01" * 4 * r.choice([0, 0, 0, 1, 10])
        elif r.random() < .3:
            fields["options"] = bytes([protocol, 0, 1, 4, 0, 0, 0, 0])
            fields["next"] = 60
        if protocol == TCP:
            fields["rest"] = self.tcp_rest(flags)
        else:
            fields["rest"] = r.randbytes(r.choice([0, 1, 2, 33, 1200]))
            fields["no_check"] = family == 4 and r.random() < .2
            if r.random() < .1:
                fields["rest"] = self.summing_to_zero(family, protocol, source, destination, fields)
        return Packet(family, source, destination, protocol, **fields)

    def summing_to_zero(self, family, protocol, source, destination, fields):
        """A payload whose UDP checksum is 0, and so written as 0xffff, before or after the translation."""
        r = self.random
        ends = [(source, destination, fields["sport"], fields["dport"]),
                (source, ENDPOINT[family], fields["sport"], ENDPOINT_PORT[family][protocol])]
        source, destination, sport, dport = r.choice(ends)
        head = struct.pack("!HHHH", sport, dport, 10, 0)
        check = checksum(pseudo(packed(source), packed(destination), protocol, 10) + head)
        return struct.pack("!H", check)

    def tags(self):
        return [[], [], [b"\x81\0\0\x65"], [b"\x88\xa8\0\x65", b"\x81\0\0\x66"]][self.random.randrange(4)]

    def clamped(self, packet, vip, flags):
        """The largest MSS of a way of MTU bytes, if the listener clamps."""
        if vip != CLAMP or packet.protocol != TCP or not flags & 2:
            return packet
        at = packet.rest.find(b"\x02\x04", 16)
        mss = struct.unpack_from("!H", packet.rest, at + 2)[0]
        return packet.but(rest=with_mss(packet.rest, min(mss, MTU - (40 if packet.family == 4 else 60))))

    def error(self, family, source, destination, about):
        r = self.random
        quote = about.bytes()
        ip = 20 if family == 4 else 40
        quote = quote[:r.choice([ip + len(about.options) + 8, ip + len(about.options) + 28, 400])]
        kinds = [(3, 1), (3, 3), (11, 0)] if family == 4 else [(1, 0), (1, 4), (3, 0), (2, 0)]
        kind, code = r.choice(kinds)
        return Packet(family, source, destination, ICMP if family == 4 else ICMP6, hops=r.choice([2, 64, 255]),
                      icmp=(kind, code, r.randbytes(4)), rest=quote)

    # ---- ways ----

    def out(self, what, sent, want_of):
        """A frame for a listener; want_of() gives the packet from the bytes that came out, or None."""
        tags = self.tags()
        source = self.random.randbytes(6)
        action, got = self.ask("xdp", HERE, frame(sent, DEVICE, bytes([source[0] & 0xfe]) + source[1:], tags))
        want = want_of(got[14 + 4 * len(tags):])
        self.check(what, (action, got), (TX, frame(want, HOP[sent.family], DEVICE, tags)))
        return want

    def back(self, what, sent, want):
        program, device = self.random.choice([("xdp", HERE), ("xdp", NEAR), ("tc", HERE)])
        tags = self.tags()
        got = self.ask(program, device, frame(sent, DEVICE, b"\x06\0\0\0\0\x11", tags))
        action = TC_REDIRECT if program == "tc" else TX if device == NEAR else REDIRECT
        if device != NEAR:
            tags = []
        self.check("%s (%s, %s)" % (what, program, device), got,
                   (action, frame(want, GATEWAY[sent.family], NEAR_MAC, tags)))

    # ---- a flow ----

    def round(self):
        r = self.random
        family, protocol, which = r.choice([4, 6]), r.choice([TCP, UDP]), r.choice([PLAIN, SNAT, CLAMP])
        if which == CLAMP:
            protocol = TCP
        vip, sport = VIP[family] % which, self.port
        self.port = 10000 + (self.port - 9999) % 50000
        client, dport, eport = CLIENT[family], PORT[protocol], ENDPOINT_PORT[family][protocol]
        what = "v%d %s vip %s" % (family, "tcp" if protocol == TCP else "udp", which)
        flags = r.choice([2, 16, 24])

        def translated(packet, sender, port):
            return packet.but(source=sender, sport=port, destination=ENDPOINT[family], dport=eport,
                              hops=packet.hops - 1)

        def as_it_came(packet):
            def want_of(ip):
                at = 20 + len(packet.options) if family == 4 else 40 + len(packet.options)
                port = struct.unpack_from("!H", ip, at)[0] if len(ip) > at + 1 else 0
                if which != SNAT:
                    return self.clamped(translated(packet, client, sport), which, flags)
                if not 1024 <= port < 32768:
                    port = 0
                return translated(packet, SOURCE[family], port)
            return want_of

        first = self.packet(family, protocol, client, sport, vip, dport, flags)
        there = self.out(what, first, as_it_came(first))
        sender, port = there.source, there.sport
        again = self.packet(family, protocol, client, sport, vip, dport, 16)
        self.out(what + ", again", again, lambda ip: translated(again, sender, port))

        flags = 18 if flags == 2 else 16
        reply = self.packet(family, protocol, ENDPOINT[family], eport, sender, port, flags)
        want = reply.but(source=vip, sport=dport, destination=client, dport=sport, hops=reply.hops - 1)
        self.back(what + ", reply", reply, self.clamped(want, which, flags))

        quoted = there.but(hops=r.randrange(256))
        error = self.error(family, ROUTER[family], sender, quoted)
        inner = quoted.but(source=client, sport=sport, destination=vip, dport=dport)
        self.back(what + ", error from the endpoint's side", error, self.about(error, inner, vip, client))

        quoted = want.but(hops=r.randrange(256))
        error = self.error(family, ROUTER[family], vip, quoted)
        inner = quoted.but(source=ENDPOINT[family], sport=eport, destination=sender, dport=port)
        outer = SOURCE[family] if which == SNAT else ROUTER[family]
        wanted = self.about(error, inner, outer, ENDPOINT[family])
        self.out(what + ", error from the client's side", error, lambda ip: wanted)

    @staticmethod
    def about(error, inner, source, destination):
        """The error, quoting `inner` as far as it did."""
        return error.but(source=source, destination=destination, hops=error.hops - 1,
                         rest=inner.bytes()[:len(error.rest)])


def main():
    oracle = Oracle(int(sys.argv[2]))
    for _ in range(int(sys.argv[1])):
        oracle.round()
    print("# nat oracle: %d packets, %d wrong" % (oracle.run, oracle.wrong), flush=True)
    return 1 if oracle.wrong or not oracle.run else 0


sys.exit(main())
