# SPDX-License-Identifier: MIT
"""Cases of `forward: nat` (SEMANTICS 6.2, 4.4) and `pass`, for the plane nat.yaml.

What comes out is never what came in with bytes changed: it is the same packet built once more, between other ends
and with one hop less unless the stack sends it, every checksum summed up over all of it.
"""
import collections
import ipaddress
import struct

import slow
from packet_case import (ACK, CLIENT, DEST, ENDPOINT, FIN, HOP, HOP_MAC, ICMP, ICMP6, MTU, OUT_MAC, PAD, ROUTE, ROUTING,
                         RST, SCTP, SOURCE, SYN, TCP, UDP, case, checksum, error, ethernet, fragment_header, icmp, ip,
                         pseudo, tcp, too_big, udp, vip)

PLANE = "nat.yaml"
PORT = {TCP: 80, UDP: 53}
NAMES = {TCP: "tcp", UDP: "udp"}
SNAT_FIRST, SNAT_PORTS, PORT_DRAW = 1024, 31744, 17       # docs/design-notes.md: ports of `snat`
ROUTER = {4: "192.0.2.99", 6: "2001:db8:99::1"}


class Ends(collections.namedtuple("Ends", "source sport destination dport")):
    def back(self):
        return Ends(self.destination, self.dport, self.source, self.sport)


class Packet:
    """All of a packet but its ends."""

    def __init__(self, family, protocol, hops=63, l4=None, **how):
        self.family, self.protocol, self.hops, self.l4, self.how = family, protocol, hops, l4 or {}, how

    def body(self, ends):
        make = tcp if self.protocol == TCP else udp
        return make(ends.source, ends.destination, ends.sport, ends.dport, **self.l4)

    def head(self, ends, protocol, body, spent=0, **how):
        hops = {"ttl" if self.family == 4 else "hops": self.hops - spent}
        return ip(self.family, ends.source, ends.destination, protocol, body, **hops, **self.how, **how)

    def between(self, ends, spent=0):
        return self.head(ends, self.protocol, self.body(ends), spent)

    def fragments(self, ends, ident, spent=0):
        """First and last; 24 bytes are in the first."""
        body = self.body(ends)
        if self.family == 4:
            cuts = [{"ident": ident, "fragment": 0x2000}, {"ident": ident, "fragment": 3}]
        else:
            cuts = [{"extensions": [fragment_header(0, 1, ident)]}, {"extensions": [fragment_header(3, 0, ident)]}]
        return [self.head(ends, self.protocol, part, spent, **cut) for part, cut in zip((body[:24], body[24:]), cuts)]


class Nat:
    """A pair of listeners of nat.yaml, TCP and UDP."""

    def __init__(self, name, family, n, port=None, snat=False):
        self.name, self.family, self.n, self.port, self.snat = name, family, n, port, snat

    @property
    def vip(self):
        return vip(self.family, self.n)

    def asked(self, protocol, sport=40000):
        return Ends(CLIENT[self.family], sport, self.vip, PORT[protocol])

    def there(self, protocol, sport=40000):
        """Between whom it goes on: the client, or the balancer with a port of the flow's own, and the endpoint."""
        asked, to = self.asked(protocol, sport), (ENDPOINT[self.family], self.port or PORT[protocol])
        if not self.snat:
            return Ends(asked.source, sport, *to)
        drawn = slow.flow_hash(bytes(range(16)), ipaddress.ip_address(asked.source), ipaddress.ip_address(self.vip),
                               protocol, sport, asked.dport, PORT_DRAW) >> 32
        return Ends(SOURCE[self.family], SNAT_FIRST + (drawn * SNAT_PORTS >> 32), *to)

    def opening(self, protocol):
        l4 = {"flags": SYN} if protocol == TCP else {"payload": b"first"}
        return ethernet(Packet(self.family, protocol, l4=l4).between(self.asked(protocol)))


NATS = [Nat("nat v4", 4, 20), Nat("nat v4, another port", 4, 21, port=8080), Nat("snat v4", 4, 22, snat=True),
        Nat("nat v6", 6, 20), Nat("nat v6, another port", 6, 21, port=8080), Nat("snat v6", 6, 22, snat=True)]


def routed(packet, tail=b""):
    return HOP_MAC + OUT_MAC + struct.pack(">H", 0x0800 if packet[0] >> 4 == 4 else 0x86DD) + packet + tail


# ---- to the endpoint, and back ----------------------------------------------------------------------

def both_ways(nat, name, packet, tags=0, tail=b""):
    """A packet of the client's, and one like it of the endpoint's, to XDP and to TC."""
    protocol = packet.protocol
    asked, there, opening = nat.asked(protocol), nat.there(protocol), ("wan0", nat.opening(protocol))
    case(f"{nat.name}: {name}", ethernet(packet.between(asked), tags) + tail, "forward", "forwarded",
         routed(packet.between(there, 1), tail), plane=PLANE)
    for device in ("wan0", "lan0"):
        case(f"{nat.name}, reply by {device}: {name}", ethernet(packet.between(there.back()), tags) + tail, "forward",
             "translated", routed(packet.between(asked.back(), 1), tail), device=device, before=[opening], plane=PLANE)


def plain_cases(nat):
    def segment(**how):
        l4 = {key: how.pop(key) for key in ("flags", "payload", "options") if key in how and key != "options"}
        l4.update({"options": how.pop("options_tcp", b"")})
        return Packet(nat.family, TCP, l4=l4, **how)

    def datagram(payload=b"question", summed=True, **how):
        return Packet(nat.family, UDP, l4={"payload": payload, "summed": summed}, **how)

    both_ways(nat, "syn", segment(flags=SYN, options_tcp=b"\2\4\5\xb4"))
    both_ways(nat, "ack with data", segment(payload=b"hello"))
    both_ways(nat, "fin with an odd number of bytes", segment(flags=FIN | ACK, payload=b"a" * 333))
    both_ways(nat, "rst", segment(flags=RST))
    both_ways(nat, "tcp, one tag", segment(payload=b"hello"), tags=1)
    both_ways(nat, "tcp, two tags", segment(payload=b"hello"), tags=2)
    both_ways(nat, "udp", datagram())
    both_ways(nat, "udp, nothing in it", datagram(b""))
    both_ways(nat, "udp, two tags", datagram(), tags=2)
    both_ways(nat, "all of tos", segment(payload=b"hello", tos=0xFF))
    both_ways(nat, "udp, congestion experienced", datagram(tos=3))
    both_ways(nat, "the last hop but one", segment(hops=2))
    both_ways(nat, "255 hops", datagram(hops=255))
    both_ways(nat, "udp whose checksum comes out as 0", datagram(zero_sum(nat)))
    if nat.family == 4:
        both_ways(nat, "no DF, an identification", segment(payload=b"hello", fragment=0, ident=0xBEEF))
        both_ways(nat, "options", segment(payload=b"hello", options=b"\x94\4\0\0\1\1\1\0"))
        both_ways(nat, "udp, 40 bytes of options, a tag", datagram(options=b"\1" * 40), tags=1)
        both_ways(nat, "udp without a checksum", datagram(summed=False))
        case(f"{nat.name}: padding behind it", ethernet(segment().between(nat.asked(TCP))) + b"\0" * 6, "forward",
             "forwarded", routed(segment().between(nat.there(TCP), 1), b"\0" * 6), plane=PLANE)
    else:
        both_ways(nat, "flow label", segment(payload=b"hello", label=0x12345))
        both_ways(nat, "hop-by-hop, routing, destination options",
                  segment(payload=b"hello", extensions=[(HOP, PAD), (ROUTING, ROUTE), (DEST, PAD)]))
        both_ways(nat, "udp behind six extension headers", datagram(extensions=[(HOP, PAD)] + [(DEST, PAD)] * 5))
        both_ways(nat, "atomic fragment", segment(payload=b"hello", extensions=[fragment_header(0, 0, 7)]))


def zero_sum(nat):
    """A payload with which the datagram to the endpoint sums up to a checksum of 0, written as ffff."""
    there = nat.there(UDP)
    head = struct.pack(">HHHH", there.sport, there.dport, 10, 0)
    return struct.pack(">H", checksum(pseudo(there.source, there.destination, UDP, 10) + head))


def known_cases(nat):
    """The same flow goes on as it began; others do not concern it."""
    for protocol in (TCP, UDP):
        later = Packet(nat.family, protocol, l4={"payload": b"more"})
        case(f"{nat.name}: {NAMES[protocol]}, a known flow", ethernet(later.between(nat.asked(protocol))), "forward", "forwarded",
             routed(later.between(nat.there(protocol), 1)), before=[nat.opening(protocol)], plane=PLANE)
        there = nat.there(protocol)
        for what, ends in (("no flow", there.back()),):
            frame = ethernet(later.between(ends))
            for device in ("wan0", "lan0"):
                case(f"{nat.name}: {NAMES[protocol]}, a reply by {device}, {what}", frame, "pass",
                     "no-listener" if device == "wan0" else "counted", device=device, plane=PLANE)
        for what, ends in (("another port", there.back()._replace(dport=there.sport ^ 1)),
                           ("another sender", there.back()._replace(source="10.0.1.2" if nat.family == 4 else "fd00:1::2"))):
            case(f"{nat.name}: {NAMES[protocol]}, a reply to {what}", ethernet(later.between(ends)), "pass", "no-listener",
                 before=[nat.opening(protocol)], plane=PLANE)


# ---- what does not fit, and what has no hops left ----------------------------------------------------

def size_cases(nat):
    head = (20 if nat.family == 4 else 40) + 20
    fits = Packet(nat.family, TCP, l4={"payload": b"a" * (MTU - head)})
    more = Packet(nat.family, TCP, l4={"payload": b"a" * (MTU - head + 1)})
    both_ways(nat, "as large as the way takes", fits)
    both_ways(nat, "as large as the way takes, two tags", fits, tags=2)
    far = ethernet(Packet(nat.family, TCP, l4={"payload": b"a" * (MTU - head + 300)}).between(nat.there(TCP).back()))
    for device in ("wan0", "lan0"):
        case(f"{nat.name}: a reply by {device} 300 bytes too large", far, "answer", "too-big",
             error(nat.family, far, 0, *((3, 4) if nat.family == 4 else (2, 0)), MTU, source=ENDPOINT[nat.family]),
             device=device, before=[("wan0", nat.opening(TCP))], plane=PLANE)
    for tags in (0, 1, 2):
        frame = ethernet(more.between(nat.asked(TCP)), tags)
        case(f"{nat.name}: a byte too large, {tags} tags", frame, "answer", "too-big",
             too_big(nat.family, frame, tags, MTU), plane=PLANE)
        frame = ethernet(more.between(nat.there(TCP).back()), tags)
        for device in ("wan0", "lan0"):
            case(f"{nat.name}: a reply by {device} a byte too large, {tags} tags", frame, "answer", "too-big",
                 error(nat.family, frame, tags, *((3, 4) if nat.family == 4 else (2, 0)), MTU, source=ENDPOINT[nat.family]),
                 device=device, before=[("wan0", nat.opening(TCP))], plane=PLANE)
    if nat.family == 4:      # the stack cuts it: it gets the translated packet, with all its hops
        cut = Packet(4, TCP, l4={"payload": b"a" * (MTU - head + 1)}, fragment=0, ident=9)
        case(f"{nat.name}: too large without DF", ethernet(cut.between(nat.asked(TCP)), 1), "pass", "forwarded",
             ethernet(cut.between(nat.there(TCP)), 1), plane=PLANE)
        case(f"{nat.name}: a reply too large without DF", ethernet(cut.between(nat.there(TCP).back())), "pass", "translated",
             ethernet(cut.between(nat.asked(TCP).back())), before=[nat.opening(TCP)], plane=PLANE)


def hop_cases(nat):
    exceeded = (11, 0) if nat.family == 4 else (3, 0)
    for hops in (0, 1):
        for protocol, tags in ((TCP, 0), (UDP, 0), (UDP, 2)):
            packet = Packet(nat.family, protocol, hops=hops, l4={"payload": b"x" * 200})
            name = f"{NAMES[protocol]}, {hops} hops left, {tags} tags"
            frame = ethernet(packet.between(nat.asked(protocol)), tags)
            case(f"{nat.name}: {name}", frame, "answer", "ttl", error(nat.family, frame, tags, *exceeded, 0), plane=PLANE)
            frame = ethernet(packet.between(nat.there(protocol).back()), tags)
            for device in ("wan0", "lan0"):
                case(f"{nat.name}: a reply by {device}, {name}", frame, "answer", "ttl",
                     error(nat.family, frame, tags, *exceeded, 0, source=ENDPOINT[nat.family]), device=device,
                     before=[("wan0", nat.opening(protocol))], plane=PLANE)


# ---- fragments ---------------------------------------------------------------------------------------

def fragment_cases(nat, ident):
    packet = Packet(nat.family, UDP, l4={"payload": b"a" * 40})
    asked, there = nat.asked(UDP), nat.there(UDP)
    first, last = packet.fragments(asked, ident)
    first_there, last_there = packet.fragments(there, ident, 1)
    case(f"{nat.name}: first fragment", ethernet(first), "forward", "forwarded", routed(first_there), plane=PLANE)
    case(f"{nat.name}: later fragment", ethernet(last), "forward", "forwarded", routed(last_there),
         before=[ethernet(first)], plane=PLANE)
    case(f"{nat.name}: later fragment, two tags", ethernet(last, 2), "forward", "forwarded", routed(last_there),
         before=[ethernet(first, 2)], plane=PLANE)
    stray = packet.fragments(asked, ident + 1)[1]
    case(f"{nat.name}: later fragment without its first", ethernet(stray), "drop", "fragment", plane=PLANE)
    opening = ("wan0", nat.opening(UDP))
    for number, device in enumerate(("wan0", "lan0")):
        first, last = packet.fragments(there.back(), ident + 2 + number)
        first_back, last_back = packet.fragments(asked.back(), ident + 2 + number, 1)
        case(f"{nat.name}: later fragment of a reply by {device} without its first", ethernet(last), "drop",
             "fragment", device=device, before=[opening], plane=PLANE)
        case(f"{nat.name}: first fragment of a reply by {device}", ethernet(first), "forward", "translated",
             routed(first_back), device=device, before=[opening], plane=PLANE)
        case(f"{nat.name}: later fragment of a reply by {device}, tagged", ethernet(last, 1), "forward", "translated",
             routed(last_back), device=device, before=[opening, (device, ethernet(first, 1))], plane=PLANE)


# ---- ICMP errors -------------------------------------------------------------------------------------

KINDS = {4: ((3, 4, 1400, "fragmentation needed"), (3, 3, 0, "port unreachable"), (11, 0, 0, "time exceeded"),
             (12, 0, 0, "parameter problem")),
         6: ((2, 0, 1400, "packet too big"), (1, 4, 0, "port unreachable"), (3, 0, 0, "time exceeded"),
             (4, 0, 0, "parameter problem"))}


def error_packet(family, source, destination, kind, quoted, hops=63):
    body = icmp(source, destination, kind[0], kind[1], kind[2], quoted)
    return ip(family, source, destination, ICMP if family == 4 else ICMP6, body, **{"ttl" if family == 4 else "hops": hops})


def error_cases(nat):
    """From the endpoint's side about what was sent there, and from the client's about what came back."""
    family, head = nat.family, 20 if nat.family == 4 else 40
    sender = SOURCE[family] if nat.snat else ROUTER[family]

    def from_endpoint(name, kind, protocol, size, tags=0, device="wan0", hops=63, l4=None, reason="translated"):
        quoted = Packet(family, protocol, l4=l4 or {"payload": b"x" * 32})
        there, asked = nat.there(protocol), nat.asked(protocol)
        frame = ethernet(error_packet(family, ROUTER[family], there.source, kind, quoted.between(there)[:head + size], hops), tags)
        out = routed(error_packet(family, nat.vip, asked.source, kind, quoted.between(asked)[:head + size], hops - 1))
        case(f"{nat.name}, error from the endpoint's side by {device}: {name}", frame,
             "drop" if reason == "ttl" else "forward", reason, None if reason == "ttl" else out, device=device,
             before=[("wan0", nat.opening(protocol))], plane=PLANE)

    def from_client(name, kind, protocol, size, tags=0, hops=63, l4=None, reason="forwarded"):
        quoted = Packet(family, protocol, l4=l4 or {"payload": b"x" * 32})
        there, asked = nat.there(protocol), nat.asked(protocol)
        frame = ethernet(error_packet(family, ROUTER[family], nat.vip, kind, quoted.between(asked.back())[:head + size], hops), tags)
        out = routed(error_packet(family, sender, there.destination, kind, quoted.between(there.back())[:head + size], hops - 1))
        case(f"{nat.name}, error from the client's side: {name}", frame, "drop" if reason == "ttl" else "forward",
             reason, None if reason == "ttl" else out, before=[nat.opening(protocol)], plane=PLANE)

    for kind in KINDS[family]:
        for make in (from_endpoint, from_client):
            make(f"{kind[3]}, 8 bytes of tcp", kind, TCP, 8)
    for make in (from_endpoint, from_client):
        make("tcp with its checksum, tagged", KINDS[family][1], TCP, 28, tags=1)
        make("udp, as a whole", KINDS[family][1], UDP, 40)
        make("udp, two tags", KINDS[family][0], UDP, 8, tags=2)
        make("an odd number of bytes", KINDS[family][1], UDP, 13)
        make("no hop left", KINDS[family][1], TCP, 8, hops=1, reason="ttl")
        if family == 4:
            make("udp without a checksum", KINDS[4][1], UDP, 20, l4={"payload": b"x" * 32, "summed": False})
    from_endpoint("tcp with its checksum", KINDS[family][1], TCP, 28, device="lan0")
    from_endpoint("udp, tagged", KINDS[family][0], UDP, 20, device="lan0", tags=1)
    frame = ethernet(error_packet(family, ROUTER[family], nat.vip, KINDS[family][1],
                                  Packet(family, TCP).between(nat.asked(TCP).back())[:head + 8]))
    case(f"{nat.name}, error from the client's side: no flow", frame, "pass", "no-listener", plane=PLANE)
    other = nat.there(TCP)._replace(sport=nat.there(TCP).sport ^ 1)
    frame = ethernet(error_packet(family, ROUTER[family], other.source, KINDS[family][1],
                                  Packet(family, TCP).between(other)[:head + 8]))
    case(f"{nat.name}, error from the endpoint's side: of another flow", frame, "pass", "no-listener",
         before=[nat.opening(TCP)], plane=PLANE)


# ---- MSS ---------------------------------------------------------------------------------------------

def clamp_cases(nat):
    """A listener with `mss-clamp`: what both ends say that they take becomes what the way takes."""
    most = MTU - (40 if nat.family == 4 else 60)

    def option(mss):
        return b"\1\1\2\4" + struct.pack(">H", mss) + b"\4\2"

    for mss in (536, most, most + 1, 65535):
        for flags, name in ((SYN, "syn"), (SYN | ACK, "syn and ack")):
            came = Packet(nat.family, TCP, l4={"flags": flags, "options": option(mss)})
            goes = Packet(nat.family, TCP, l4={"flags": flags, "options": option(min(mss, most))})
            if flags == SYN:
                case(f"{nat.name}: {name}, mss {mss}", ethernet(came.between(nat.asked(TCP))), "forward", "forwarded",
                     routed(goes.between(nat.there(TCP), 1)), plane=PLANE)
                continue
            for device in ("wan0", "lan0"):
                case(f"{nat.name}, reply by {device}: {name}, mss {mss}", ethernet(came.between(nat.there(TCP).back())),
                     "forward", "translated", routed(goes.between(nat.asked(TCP).back(), 1)), device=device,
                     before=[("wan0", nat.opening(TCP))], plane=PLANE)
    came = Packet(nat.family, TCP, l4={"options": option(9000)})
    case(f"{nat.name}: no syn, mss 9000", ethernet(came.between(nat.asked(TCP))), "forward", "forwarded",
         routed(came.between(nat.there(TCP), 1)), plane=PLANE)


# ---- pass --------------------------------------------------------------------------------------------

def sctp(sport, dport):
    return struct.pack(">HHII", sport, dport, 0x01020304, 0x05060708) + b"\1\0\0\x14" + b"\0" * 16


def pass_cases(family):
    """To the local stack, byte for byte."""
    to, client, hops = vip(family, 25), CLIENT[family], "ttl" if family == 4 else "hops"

    def local(name, protocol, body, tags=0, tail=b"", before=(), reason="local", **how):
        case(f"pass v{family}: {name}", ethernet(ip(family, client, to, protocol, body, **how), tags) + tail, "pass", reason,
             before=before, plane=PLANE)

    def segment(flags=ACK, payload=b"hello", **how):
        return tcp(client, to, flags=flags, payload=payload, **how)

    syn = ethernet(ip(family, client, to, TCP, segment(SYN, b"")))
    local("syn", TCP, segment(SYN, b"", options=b"\2\4\x23\x28"))
    local("ack of an unknown flow", TCP, segment())
    local("ack of a known flow", TCP, segment(), before=[syn])
    local("rst", TCP, segment(RST, b""), before=[syn])
    local("udp", UDP, udp(client, to, payload=b"question"))
    local("udp, nothing in it", UDP, udp(client, to))
    local("sctp", SCTP, sctp(40000, 5000))
    local("sctp, two tags", SCTP, sctp(40000, 5001), tags=2)
    local("sctp, a closed port", SCTP, sctp(40000, 5002), reason="no-listener")
    local("tcp, a closed port", TCP, tcp(client, to, dport=81), reason="no-listener")
    local("one tag", TCP, segment(), tags=1)
    local("two tags, padding", UDP, udp(client, to, payload=b"question"), tags=2, tail=b"\0" * 7)
    local("all of tos", TCP, segment(), tos=0xFF)
    local("the last hop", TCP, segment(), **{hops: 1})
    local("larger than any way", TCP, segment(payload=b"a" * 1700))
    if family == 4:
        local("options", TCP, segment(), options=b"\x94\4\0\0\1\1\1\0")
        local("udp without a checksum", UDP, udp(client, to, payload=b"question", summed=False))
        local("a wrong checksum", TCP, segment()[:16] + b"\x12\x34" + segment()[18:])
        local("first fragment", UDP, udp(client, to, payload=b"a" * 40)[:24], fragment=0x2000, ident=7000)
        local("later fragment", UDP, b"a" * 24, fragment=3, ident=7001, reason="fragment")
    else:
        local("hop-by-hop, routing, destination options", TCP, segment(), extensions=[(HOP, PAD), (ROUTING, ROUTE), (DEST, PAD)])
        local("sctp behind destination options", SCTP, sctp(40000, 5000), extensions=[(DEST, PAD)])
        local("atomic fragment", TCP, segment(), extensions=[fragment_header(0, 0, 9)])
        local("first fragment", UDP, udp(client, to, payload=b"a" * 40)[:24], extensions=[fragment_header(0, 1, 7000)])
        local("later fragment", UDP, b"a" * 24, extensions=[fragment_header(3, 0, 7001)], reason="fragment")
    head = 20 if family == 4 else 40
    for name, before, reason in (("known", [syn], "builtin"), ("unknown", [], "no-listener")):
        quoted = ip(family, to, client, TCP, tcp(to, client, 80, 40000))[:head + 8]
        case(f"pass v{family}: an error about a flow that is {name}",
             ethernet(error_packet(family, ROUTER[family], to, KINDS[family][1], quoted)), "pass", reason, before=before,
             plane=PLANE)


def write():
    for index, nat in enumerate(NATS):
        plain_cases(nat)
        known_cases(nat)
        size_cases(nat)
        hop_cases(nat)
        fragment_cases(nat, 6000 + 10 * index)
        error_cases(nat)
    clamp_cases(Nat("clamped v4", 4, 23))
    clamp_cases(Nat("clamped v6", 6, 23))
    for family in (4, 6):
        pass_cases(family)
