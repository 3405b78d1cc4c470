#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes tests/bpf/cases/packets.txt: frames with what must become of each, byte for byte.

  packet_cases.py > tests/bpf/cases/packets.txt

It knows SEMANTICS, the RFCs and the planes beside that file, and nothing of the programs. One case:

  case NAME
  plane FILE                  of tests/bpf/cases
  before DEVICE BYTES         frames that go first, at most 8; what becomes of them is no matter
  in DEVICE BYTES
  is VERDICT REASON
  out BYTES                   of forward, answer; of pass the frame as it came in unless it stands here

BYTES are hex digits; `61*30` is the byte 61, 30 times. Endpoints are all behind one neighbour of one other
device, so what is forwarded loses its tags. Every backend has one endpoint, but for those of quic.yaml: who gets a
flow is no question. packet_cases_local.py, _nat.py, _quic.py and _rate.py have the cases of their planes. `DEVICE>`
for DEVICE: the frame leaves by it.
"""
import struct
import sys

sys.dont_write_bytecode = True      # no compiled Python in the tree

from packet_case import (CLIENT, DEST, HOP, HOP_MAC, ICMP, ICMP6, IPIP4, IPIP6, MARKED, MODES, MTU, OUT_MAC, PAD,
                         ROUTE, ROUTING, SCTP, SYN, TCP, UDP, Mode, answer_frame, case, datagram, error,
                         ethernet, forwarded, fragment_header, icmp, ip, ipv4, ipv6, lines, segment, short, tcp,
                         too_big, udp, vip, with_sum)
import packet_cases_local
import packet_cases_nat
import packet_cases_quic
import packet_cases_rate


def plain_cases(mode):
    v4 = mode.family == 4
    forwarded("syn", mode, segment(mode, SYN, b"", options_tcp=b"\2\4\5\xb4"))
    forwarded("ack with data", mode, segment(mode))
    forwarded("an odd number of bytes", mode, segment(mode, payload=b"a" * 333))
    forwarded("udp", mode, datagram(mode), (40000, 53))
    forwarded("udp, nothing in it", mode, datagram(mode, b""), (40000, 53))
    forwarded("one tag", mode, segment(mode), tags=1)
    forwarded("two tags", mode, segment(mode), tags=2)
    forwarded("padding behind it", mode, segment(mode, payload=b""), tail=b"\0" * 6)
    for tos, name in ((0xB8, "dscp 46"), (3, "congestion experienced"), (0xFF, "all of tos")):
        forwarded(name, mode, segment(mode, tos=tos))
    if v4:
        forwarded("ttl 1", mode, segment(mode, ttl=1))
        forwarded("no DF: the identification goes on", mode, segment(mode, fragment=0, ident=0xBEEF))
        forwarded("options", mode, segment(mode, options=b"\x94\4\0\0\1\1\1\0"))
        forwarded("options, two tags", mode, segment(mode, options=b"\1" * 40), tags=2)
        forwarded("udp without a checksum", mode, datagram(mode, summed=False), (40000, 53))
        forwarded("udp without a checksum, 701 bytes", mode, datagram(mode, b"a" * 701, summed=False), (40000, 53))
    else:
        forwarded("hop limit 1", mode, segment(mode, hops=1))
        forwarded("flow label", mode, segment(mode, label=0x12345))
        forwarded("destination options", mode, segment(mode, extensions=[(DEST, PAD)]))
        forwarded("hop-by-hop, routing, destination options", mode,
                  segment(mode, extensions=[(HOP, PAD), (ROUTING, ROUTE), (DEST, PAD)]))
        forwarded("six extension headers", mode, segment(mode, extensions=[(HOP, PAD)] + [(DEST, PAD)] * 5), tags=2)
        forwarded("atomic fragment", mode, segment(mode, extensions=[fragment_header(0, 0, 7)]))
        forwarded("udp behind destination options", mode, datagram(mode, extensions=[(DEST, PAD)]), (40000, 53))


def size_cases(mode):
    """As large as the way takes, and one byte more."""
    head = (20 if mode.family == 4 else 40) + 20
    fits = MTU - mode.room() - head
    forwarded("as large as the way takes", mode, segment(mode, payload=b"a" * fits))
    if mode.forward == "dsr":
        return
    for tags in (0, 1, 2):
        frame = ethernet(segment(mode, payload=b"a" * (fits + 1)), tags)
        case(f"{mode.name}: a byte too large, {tags} tags", frame, "answer", "too-big",
             too_big(mode.family, frame, tags, MTU - mode.room()))
    frame = ethernet(datagram(mode, b"a" * (fits + 13)))
    case(f"{mode.name}: udp a byte too large", frame, "answer", "too-big", too_big(mode.family, frame, 0, MTU - mode.room()))
    if mode.family == 4:
        forwarded("too large without DF", mode, segment(mode, payload=b"a" * (fits + 1), fragment=0, ident=9))


def fragments_of(mode, ident, payload, behind=()):
    """(first, middle, last) of a datagram; `behind`: IPv6 headers that are fragmented, too."""
    client = CLIENT[mode.family]
    whole = udp(client, mode.vip, payload=payload)
    if mode.family == 4:
        cuts = [(0, 0x2000), (2, 0x2002), (4, 4)]
        parts = [whole[:16], whole[16:32], whole[32:]]
        return [ipv4(client, mode.vip, UDP, part, ident=ident, fragment=field) for part, (_, field) in zip(parts, cuts)]
    following = UDP
    for kind, body in reversed(behind):
        whole = bytes([following]) + body + whole
        following = kind
    cuts = [(0, 1), (2, 1), (4, 0)]
    ends = [whole[:16], whole[16:32], whole[32:]]
    if behind:
        cuts, ends = [(0, 1), (4, 1), (6, 0)], [whole[:32], whole[32:48], whole[48:]]
    return [ipv6(client, mode.vip, following, part, extensions=[fragment_header(offset, more, ident)])
            for part, (offset, more) in zip(ends, cuts)]


def fragment_cases(mode, ident):
    ports = (40000, 53)
    first, middle, last = fragments_of(mode, ident, b"a" * 40)
    forwarded("first fragment", mode, first, ports)
    forwarded("second fragment", mode, middle, ports, before=[ethernet(first)])
    forwarded("last fragment, tagged", mode, last, ports, tags=1, before=[ethernet(first, 1), ethernet(middle, 1)])
    stray = fragments_of(mode, ident + 1, b"a" * 40)[2]
    forwarded("later fragment without its first", mode, stray, (0, 0))
    for plane, verdict in (("drop.yaml", "drop"), ("pass.yaml", "pass")):
        case(f"{mode.name}: first fragment, {plane}", ethernet(first), verdict, "fragment", plane=plane)
        case(f"{mode.name}: later fragment, {plane}", ethernet(last), verdict, "fragment", plane=plane)
    if mode.family == 6:
        parts = fragments_of(mode, ident + 2, b"a" * 48, behind=[(DEST, PAD)])
        forwarded("first fragment, more headers in it", mode, parts[0], ports)
        forwarded("later fragment, more headers in its first", mode, parts[2], ports, before=[ethernet(parts[0])])


def quote(mode, size=28, protocol=TCP):
    """What the endpoint sent, as a router quotes it."""
    client = CLIENT[mode.family]
    body = tcp(mode.vip, client, 80, 40000) if protocol == TCP else udp(mode.vip, client, 53, 40000)
    return ip(mode.family, mode.vip, client, protocol, body)[:size + (20 if mode.family == 6 else 0)]


def error_cases(mode):
    """Errors about what the endpoint sent go to the endpoint; hashed for the wrapping by their own addresses."""
    router = "192.0.2.99" if mode.family == 4 else "2001:db8:99::1"
    kinds = ((3, 4, 1400, "fragmentation needed"), (3, 3, 0, "port unreachable"), (11, 0, 0, "time exceeded"),
             (12, 0, 0, "parameter problem")) if mode.family == 4 else (
                 (2, 0, 1400, "packet too big"), (1, 4, 0, "port unreachable"), (3, 0, 0, "time exceeded"),
                 (4, 0, 0, "parameter problem"))
    syn = ethernet(segment(mode, SYN, b""))
    for kind, code, rest, name in kinds:
        body = icmp(router, mode.vip, kind, code, rest, quote(mode))
        packet = ip(mode.family, router, mode.vip, ICMP if mode.family == 4 else ICMP6, body)
        forwarded(name, mode, packet, (0, 0), before=[syn])
    body = icmp(router, mode.vip, *kinds[0][:3], quote(mode, protocol=UDP))
    packet = ip(mode.family, router, mode.vip, ICMP if mode.family == 4 else ICMP6, body)
    forwarded("about udp, no entry", mode, packet, (0, 0), tags=1)
    other = "192.0.2.98" if mode.family == 4 else "2001:db8:98::1"
    body = icmp(router, mode.vip, *kinds[1][:3], ip(mode.family, other, CLIENT[mode.family], TCP, tcp(other, CLIENT[mode.family], 80, 1)))
    case(f"{mode.name}: an error about another's packet", ethernet(ip(
        mode.family, router, mode.vip, ICMP if mode.family == 4 else ICMP6, body)), "pass", "no-listener")


def echo(family, to, payload=b"abcdefgh", kind=None, code=0, client=None, **how):
    client = client or CLIENT[family]
    kind = (8 if family == 4 else 128) if kind is None else kind
    return ip(family, client, to, ICMP if family == 4 else ICMP6, icmp(client, to, kind, code, 0x12340001, payload), **how)


def echo_reply(family, frame, tags, to, payload, tos=0, ident=0, fragment=0x4000):
    how = {"tos": tos & 0xFC, "ttl": 64, "ident": ident, "fragment": fragment} if family == 4 else {"tos": tos & 0xFC, "hops": 64}
    body = icmp(to, CLIENT[family], 0 if family == 4 else 129, 0, 0x12340001, payload)
    return answer_frame(frame, tags, ip(family, to, CLIENT[family], ICMP if family == 4 else ICMP6, body, **how))


def ping_cases(family):
    name, to = f"ping v{family}", vip(family, 1)
    for payload in (b"", b"a", b"a" * 56, b"a" * 1400):
        for tags in (0, 2):
            frame = ethernet(echo(family, to, payload), tags)
            case(f"{name}: {len(payload)} bytes, {tags} tags", frame, "answer", "ping",
                 echo_reply(family, frame, tags, to, payload))
    frame = ethernet(echo(family, to, tos=0xBB))
    case(f"{name}: its dscp", frame, "answer", "ping", echo_reply(family, frame, 0, to, b"abcdefgh", tos=0xBB))
    if family == 4:
        frame = ethernet(echo(family, to, fragment=0, ident=77))
        case(f"{name}: its identification and DF", frame, "answer", "ping",
             echo_reply(family, frame, 0, to, b"abcdefgh", ident=77, fragment=0))
        frame = ethernet(echo(family, to, options=b"\7\7\4\0\0\0\0\0"))
        case(f"{name}: options are kept out", frame, "answer", "ping", echo_reply(family, frame, 0, to, b"abcdefgh"))
        frame = ethernet(echo(family, to, ttl=1))
        case(f"{name}: ttl 1", frame, "answer", "ping", echo_reply(family, frame, 0, to, b"abcdefgh"))
    else:
        frame = ethernet(echo(family, to, extensions=[(HOP, PAD), (DEST, PAD)]))
        case(f"{name}: extension headers are kept out", frame, "answer", "ping", echo_reply(family, frame, 0, to, b"abcdefgh"))
        frame = ethernet(echo(family, to, extensions=[fragment_header(0, 0, 3)]), 1)
        case(f"{name}: atomic fragment, tagged", frame, "answer", "ping", echo_reply(family, frame, 1, to, b"abcdefgh"))
    case(f"{name}: a listener that lets it pass", ethernet(echo(family, vip(family, 8))), "pass", "no-listener")
    case(f"{name}: a listener that drops it", ethernet(echo(family, vip(family, 9))), "drop", "ping")
    case(f"{name}: nobody's address", ethernet(echo(family, vip(family, 99))), "pass", "no-listener")
    case(f"{name}: a reply", ethernet(echo(family, to, kind=0 if family == 4 else 129)), "pass", "no-listener")
    case(f"{name}: timestamp or query", ethernet(echo(family, to, kind=13 if family == 4 else 139)), "pass", "no-listener")
    group = "224.0.0.1" if family == 4 else "ff02::1"
    case(f"{name}: from a group", ethernet(echo(family, to, client=group)), "drop", "ping")
    case(f"{name}: to a group of stations", ethernet(echo(family, to), destination=b"\xff" * 6), "drop", "ping")


def malformed_cases(mode):
    family, client = mode.family, CLIENT[mode.family]
    head = 20 if family == 4 else 40

    def bad(name, frame, kind, verdict="drop"):
        case(f"malformed v{family}: {name}", frame, verdict, f"malformed-{kind}")

    whole = segment(mode)
    for size in (0, 1, head - 1):
        bad(f"{size} bytes of IP", ethernet(whole[:size], kind=0x0800 if family == 4 else 0x86DD), "short", "pass")
    for size in (head, head + 13, head + 19, len(whole) - 1):
        bad(f"cut after {size} bytes", ethernet(whole[:size]), "short")
    bad("two tags, cut", ethernet(whole[:head + 3], 2), "short")
    bad("data offset 4", ethernet(ip(family, client, mode.vip, TCP, tcp(client, mode.vip, offset=4))), "tcp")
    bad("data offset 0", ethernet(ip(family, client, mode.vip, TCP, tcp(client, mode.vip, offset=0)), 1), "tcp")
    bad("data offset beyond the end", ethernet(ip(family, client, mode.vip, TCP, tcp(client, mode.vip, offset=15))), "short")
    bad("7 bytes of UDP", ethernet(ip(family, client, mode.vip, UDP, udp(client, mode.vip)[:7])), "short")
    bad("7 bytes of ICMP", ethernet(echo(family, mode.vip, b"")[:-1]), "short")
    bad("the other version", ethernet(ip(family, client, mode.vip, TCP, tcp(client, mode.vip), version=10 - family),
                                      kind=0x0800 if family == 4 else 0x86DD), "version")
    bad("longer than the frame", ethernet(ip(family, client, mode.vip, TCP, tcp(client, mode.vip), length=head + 21)), "short")
    if family == 4:
        for ihl in (0, 4):
            bad(f"ihl {ihl}", ethernet(ipv4(client, mode.vip, TCP, tcp(client, mode.vip), ihl=ihl)), "ihl")
        bad("ihl beyond the end", ethernet(ipv4(client, mode.vip, TCP, b"", ihl=6)), "short")
        bad("total length below the header's", ethernet(ipv4(client, mode.vip, TCP, tcp(client, mode.vip), length=19)), "short")
        bad("tcp at offset 8", ethernet(ipv4(client, mode.vip, TCP, b"a" * 24, fragment=1)), "fragment")
        bad("first fragment with 16 bytes of tcp", ethernet(ipv4(client, mode.vip, TCP, tcp(client, mode.vip)[:16], fragment=0x2000)),
            "fragment")
        bad("first fragment with 4 bytes of udp", ethernet(ipv4(client, mode.vip, UDP, udp(client, mode.vip)[:4], fragment=0x2000)),
            "fragment")
    else:
        body = tcp(client, mode.vip)
        bad("seven extension headers", ethernet(ipv6(client, mode.vip, TCP, body, extensions=[(DEST, PAD)] * 7)), "extension")
        bad("hop-by-hop second", ethernet(ipv6(client, mode.vip, TCP, body, extensions=[(DEST, PAD), (HOP, PAD)])), "extension")
        bad("routing type 0", ethernet(ipv6(client, mode.vip, TCP, body, extensions=[(ROUTING, b"\0\0\0\0\0\0\0")])), "extension")
        bad("an extension header beyond the end", ethernet(ipv6(client, mode.vip, DEST, bytes([TCP, 9]) + b"\0" * 20)), "short")
        bad("tcp at offset 8", ethernet(ipv6(client, mode.vip, TCP, b"a" * 24, extensions=[fragment_header(1, 0, 1)])), "fragment")
        bad("first fragment with 16 bytes of tcp", ethernet(ipv6(client, mode.vip, TCP, body[:16], extensions=[fragment_header(0, 1, 1)])),
            "fragment")
        bad("first fragment that ends in its headers", ethernet(ipv6(
            client, mode.vip, DEST, b"\6\0\1\4\0\0", extensions=[fragment_header(0, 1, 1)])), "fragment")
    stranger = vip(family, 99)
    bad("to nobody's address", ethernet(ip(family, client, stranger, TCP, tcp(client, stranger, offset=4))), "tcp", "pass")


def other_cases():
    for family in (4, 6):
        several = Mode("several", "ipip", family, 8)
        stray = fragments_of(several, 5000, b"a" * 40)[2]
        case(f"other v{family}: later fragment without its first, several listeners", ethernet(stray), "pass", "fragment")
        first, _, last = fragments_of(several, 5001, b"a" * 40)
        forwarded(f"v{family}, last fragment", several, last, (40000, 53), before=[ethernet(first)])
    case("other: three tags", ethernet(segment(IPIP4), 3), "pass", "non-ip")
    case("other: arp", ethernet(b"\0\1\x08\0\6\4\0\1" + b"\0" * 20, kind=0x0806), "pass", "arp")
    case("other: arp, tagged", ethernet(b"\0\1\x08\0\6\4\0\1" + b"\0" * 20, 1, kind=0x0806), "pass", "arp")
    case("other: lldp", ethernet(b"\0" * 46, kind=0x88CC), "pass", "non-ip")
    for mode in (IPIP4, IPIP6):
        family, client = mode.family, CLIENT[mode.family]
        case(f"other v{family}: a closed port", ethernet(ip(family, client, mode.vip, TCP, tcp(client, mode.vip, dport=81))), "pass", "no-listener")
        case(f"other v{family}: gre", ethernet(ip(family, client, mode.vip, 47, b"\0" * 20)), "pass", "no-listener")
        case(f"other v{family}: esp", ethernet(ip(family, client, mode.vip, 50, b"\0" * 20)), "pass", "no-listener")
        case(f"other v{family}: sctp", ethernet(ip(family, client, mode.vip, SCTP, b"\0" * 12)), "pass", "no-listener")
        case(f"other v{family}: no next header", ethernet(ip(family, client, mode.vip, 59, b"")), "pass", "no-listener")
        stranger = vip(family, 99)
        case(f"other v{family}: a fragment to nobody", ethernet(ip(
            family, client, stranger, UDP, b"a" * 16, **({"fragment": 0x2002} if family == 4 else {"extensions": [fragment_header(2, 1, 5)]}))),
             "pass", "no-listener")


def decap_cases(mode):
    """On a backend's device what a balancer sends comes out as it went in."""
    if mode.forward == "dsr":
        return

    def unwrapped(name, packet, ports=(40000, 80), tags=0, **marks):
        outer = mode.sent(packet, ports)[14:]
        inside = packet
        if marks.get("congested"):
            outer, inside = congest(outer), congest(packet)
        tag = ethernet(b"", tags, HOP_MAC, OUT_MAC, 0)[12:-2]
        case(f"decap of {mode.name}: {name}", OUT_MAC + HOP_MAC + tag + struct.pack(">H", 0x0800 if mode.outer == 4 else 0x86DD) + outer,
             "pass", "decapsulated",
             OUT_MAC + HOP_MAC + tag + struct.pack(">H", 0x0800 if mode.family == 4 else 0x86DD) + inside, device="dec0")

    unwrapped("tcp", segment(mode))
    unwrapped("udp, two tags", datagram(mode), (40000, 53), tags=2)
    unwrapped("marked on the way", segment(mode, tos=2), congested=True)
    unwrapped("later fragment", fragments_of(mode, 5, b"a" * 40)[2], (0, 0))
    router = "192.0.2.99" if mode.family == 4 else "2001:db8:99::1"
    body = icmp(router, mode.vip, *((3, 4) if mode.family == 4 else (2, 0)), 1400, quote(mode))
    unwrapped("packet too big", ip(mode.family, router, mode.vip, ICMP if mode.family == 4 else ICMP6, body), (0, 0))
    packet = ip(mode.family, CLIENT[mode.family], mode.vip, TCP, tcp(CLIENT[mode.family], mode.vip, dport=81))
    case(f"decap of {mode.name}: a closed port", ethernet(mode.sent(packet, (40000, 81))[14:]), "pass", "no-listener", device="dec0")
    if mode.forward == "gue":
        other = Mode("", "gue", mode.family, mode.n, mode.outer, port=6081)
        case(f"decap of {mode.name}: another port", ethernet(other.sent(segment(mode), (40000, 80))[14:]), "pass", "no-listener",
             device="dec0")
    plain = Mode("", "ipip" if mode.forward == "gue" else "gue", mode.family, mode.n, mode.outer)
    case(f"decap of {mode.name}: wrapped otherwise", ethernet(plain.sent(segment(mode), (40000, 80))[14:]), "pass", "no-listener",
         device="dec0")


def congest(packet):
    if packet[0] >> 4 == 6:
        return packet[:1] + bytes([packet[1] | 0x30]) + packet[2:]
    head = (packet[0] & 15) * 4
    return with_sum(packet[:1] + bytes([packet[1] | 3]) + packet[2:head], 10, b"") + packet[head:]


def main():
    for index, mode in enumerate(MODES):
        plain_cases(mode)
        size_cases(mode)
        fragment_cases(mode, 1000 + 10 * index)
        error_cases(mode)
        decap_cases(mode)
    for mode in MARKED:
        forwarded("outer dscp", mode, segment(mode, tos=0x28))
        forwarded("outer dscp, congestion experienced", mode, segment(mode, tos=0x2B))
    for family in (4, 6):
        ping_cases(family)
        malformed_cases(IPIP4 if family == 4 else IPIP6)
    other_cases()
    packet_cases_local.write()
    packet_cases_nat.write()
    packet_cases_quic.write()
    packet_cases_rate.write()
    print("# SPDX-License-Identifier: MIT")
    print("# By tests/oracle/packet_cases.py, which says what the lines mean.")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
