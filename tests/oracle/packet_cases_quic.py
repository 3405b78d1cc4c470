# SPDX-License-Identifier: MIT
"""Cases of `affinity: quic-cid` (SEMANTICS 6.3; draft-ietf-quic-load-balancers, plaintext), for the plane quic.yaml: the
server id behind a connection id's first byte says who gets the datagram; where none can be read, or nobody has it,
the flow's hash does."""
import ipaddress

import slow
from packet_case import (CLIENT, DEST, PAD, SYN, TCP, UDP, Mode, case, ethernet, ip, tcp, udp)

PLANE = "quic.yaml"
SIZE, LENGTH = 251, 3
SERVERS = ["alpha", "beta", "gamma", "delta"]       # server i has the id 0a0b0i and the addresses below
SPARE = "omega"                                     # of the backend that is failed over to: 0a0b10
HASHES = bytes(range(16))


def server_id(name):
    return b"\x0a\x0b\x10" if name == SPARE else b"\x0a\x0b" + bytes([SERVERS.index(name)])


def address(family, name):
    n = 32 if name == SPARE else SERVERS.index(name) + 1
    return f"10.0.2.{n}" if family == 4 else f"fd00:2::{n:x}"


class Quic(Mode):
    def __init__(self, family):
        super().__init__(f"quic v{family}", "ipip", family, 30)

    def to(self, name, packet, ports):
        """As sent(), to that server: its outer addresses take the place of the only endpoint's of other planes."""
        return self.sent(packet, ports, address(self.family, name))

    def by_hash(self, sport):
        """Who gets a flow that says nothing; beta is drained, so it is not in the table."""
        takers = {slow.stable_id("endpoint", "quic", name): name for name in SERVERS if name != "beta"}
        table = slow.maglev([(i, 1) for i in takers], SIZE)
        client, to = ipaddress.ip_address(CLIENT[self.family]), ipaddress.ip_address(self.vip)
        return takers[table[slow.slot_of(slow.flow_hash(HASHES, client, to, UDP, sport, 443), SIZE)]]

    def datagram(self, payload, sport=40000, **how):
        client = CLIENT[self.family]
        return ip(self.family, client, self.vip, UDP, udp(client, self.vip, sport, 443, payload=payload), **how)


def short_header(cid, rest=b"\x55" * 20, first=0x40):
    return bytes([first]) + cid + rest


def long_header(cid, length=None, first=0xC0, rest=b"\x08\x66\x66\x66\x66\x66\x66\x66\x66\0\x40\x10"):
    return bytes([first]) + b"\0\0\0\1" + bytes([len(cid) if length is None else length]) + cid + rest


def cid(name, config=0, random=b"\x77" * 4):
    return bytes([config << 5 | 7]) + server_id(name) + random


def other_than(quic, sport):
    """A ready server that the hash would not have chosen."""
    return next(name for name in SERVERS if name not in ("beta", quic.by_hash(sport)))


def named(quic, what, payload, server, sport=40000, tags=0, before=(), **how):
    packet = quic.datagram(payload, sport, **how)
    case(f"{quic.name}: {what}", ethernet(packet, tags), "forward", "forwarded", quic.to(server, packet, (sport, 443)),
         before=before, plane=PLANE)


def quic_cases(quic):
    for i, name in enumerate(SERVERS + [SPARE]):
        named(quic, f"short header, {name}", short_header(cid(name)), name, 41000 + i)
        named(quic, f"long header, {name}", long_header(cid(name)), name, 42000 + i)
    other = other_than(quic, 43000)
    for config in range(7):
        named(quic, f"configuration {config}, short header", short_header(cid(other, config)), other, 43000)
        named(quic, f"configuration {config}, long header", long_header(cid(other, config)), other, 43000)
    hashed = quic.by_hash(43000)
    fallbacks = [
        ("configuration 7, short header", short_header(cid(other, 7))),
        ("configuration 7, long header", long_header(cid(other, 7))),
        ("nobody's server id, short header", short_header(b"\7\x0a\x0b\x0f" + b"\x77" * 4)),
        ("nobody's server id, long header", long_header(b"\7\x0a\x0b\x0f" + b"\x77" * 4)),
        ("long header, a cid of 3 bytes", long_header(cid(other)[:LENGTH])),
        ("long header, no cid", long_header(b"")),
        ("long header, a cid of 21 bytes", long_header(cid(other) + b"\x77" * 13)),
        ("long header, a cid of 255 bytes, cut", long_header(cid(other), 255)),
        ("long header that ends in its cid", long_header(cid(other), rest=b"")[:6 + LENGTH]),
        ("nothing", b""), ("one byte", b"\x40"), ("six bytes", short_header(cid(other))[:6]),
        ("short header, the id of another length", short_header(b"\7\x0b\x0a\0" + b"\x77" * 4)),
    ]
    for what, payload in fallbacks:
        named(quic, what + ": by its hash", payload, hashed, 43000)
    named(quic, "long header, a cid of 4 bytes", long_header(cid(other)[:LENGTH + 1]), other, 43000)
    named(quic, "long header, a cid of 20 bytes", long_header(cid(other, random=b"\x77" * 16)), other, 43000)
    named(quic, "long header, nothing behind its server id", long_header(cid(other), rest=b"")[:6 + 1 + LENGTH], other, 43000)
    named(quic, "short header, nothing but 7 bytes", short_header(cid(other), b"")[:7], other, 43000)
    named(quic, "fixed bit 0", short_header(cid(other), first=0), other, 43000)
    named(quic, "two tags, dscp", short_header(cid(other)), other, 43000, tags=2, tos=0xB8)
    first = ethernet(quic.datagram(short_header(b"\7\x0a\x0b\x0f"), 43000))
    named(quic, "a known flow that names another", short_header(cid(other)), other, 43000, before=[first])
    moved = ethernet(quic.datagram(short_header(cid(other)), 43000))
    named(quic, "a known flow that names nobody", short_header(b"\7\x0a\x0b\x0f" + b"\x77" * 4), other, 43000, before=[moved])
    named(quic, "a drained server keeps its connections from other ports", short_header(cid("beta")), "beta", 44001,
          before=[ethernet(quic.datagram(short_header(cid("beta")), 44000))])
    if quic.family == 4:
        named(quic, "options", short_header(cid(other)), other, 43000, options=b"\1" * 40)
    else:
        named(quic, "destination options", short_header(cid(other)), other, 43000, extensions=[(DEST, PAD)])
    client = CLIENT[quic.family]
    packet = ip(quic.family, client, quic.vip, TCP, tcp(client, quic.vip, dport=443, flags=SYN))
    case(f"{quic.name}: tcp to its port", ethernet(packet), "pass", "no-listener", plane=PLANE)


def write():
    for family in (4, 6):
        quic_cases(Quic(family))
