# SPDX-License-Identifier: MIT
"""Cases of listeners' `rate` (SEMANTICS 5.3, 6.5), for the plane rates.yaml: three packets in an hour, which time does not
refill while a test runs. What is charged is what opens flows, by listener or by source, v6 sources by their /64."""
import struct

from packet_case import (ACK, CLIENT, SYN, TCP, UDP, Mode, answer_frame, case, error, ethernet, ip, tcp, udp, vip)

PLANE = "rates.yaml"
BURST = 3
NEIGHBOUR = {4: "198.51.100.8", 6: "2001:db8:10::8"}        # in the client's /64
STRANGER = {4: "198.51.101.7", 6: "2001:db8:11::7"}


class Limited(Mode):
    def __init__(self, name, family, n):
        super().__init__(f"{name} v{family}", "ipip", family, n)

    def packet(self, sport, protocol=TCP, flags=SYN, client=None, dport=None):
        client = client or CLIENT[self.family]
        dport = dport or (80 if protocol == TCP else 53)
        body = (tcp(client, self.vip, sport, dport, flags=flags) if protocol == TCP else
                udp(client, self.vip, sport, dport, payload=b"question"))
        return ip(self.family, client, self.vip, protocol, body)

    def burst(self, count=BURST, **how):
        return [ethernet(self.packet(41000 + i, **how)) for i in range(count)]

    def passes(self, name, packet, ports, before):
        case(f"rate, {self.name}: {name}", ethernet(packet), "forward", "forwarded", self.sent(packet, ports), before=before,
             plane=PLANE)

    def exceeds(self, name, packet, before, verdict="drop", out=None, tags=0):
        case(f"rate, {self.name}: {name}", ethernet(packet, tags), verdict, "rate", out, before=before, plane=PLANE)


def reset(family, frame, tags, source, sport, to, dport, flags):
    """RFC 9293, 3.10.7.1."""
    how = {"flags": 4, "seq": 0x05060708, "ack": 0} if flags & ACK else {"flags": 4 | ACK, "seq": 0, "ack": 0x01020305}
    data = bytearray(tcp(to, source, dport, sport, **how))
    data[14:16] = b"\0\0"
    body = rechecked(family, bytes(data), to, source)
    return answer_frame(frame, tags, ip(family, to, source, TCP, body, **{"ttl" if family == 4 else "hops": 64}))


def rechecked(family, segment, source, destination):
    from packet_case import pseudo, with_sum
    return with_sum(segment, 16, pseudo(source, destination, TCP, len(segment)))


def whole_cases(family):
    one = Limited("of the listener", family, 40)
    one.passes("the last of the burst", one.packet(42000), (42000, 80), one.burst(BURST - 1))
    one.exceeds("one more", one.packet(42000), one.burst())
    one.exceeds("one more, of another source", one.packet(42000, client=STRANGER[family]), one.burst())
    one.exceeds("one more, tagged", one.packet(42000), one.burst(), tags=2)
    one.passes("a known flow", one.packet(41000, flags=ACK), (41000, 80), one.burst())
    one.passes("a known flow's second SYN", one.packet(41000), (41000, 80), one.burst())
    one.passes("what opens nothing", one.packet(42000, flags=ACK), (42000, 80), one.burst())
    ack = [ethernet(one.packet(43000 + i, flags=ACK)) for i in range(2 * BURST)]
    one.passes("what opens nothing is not charged", one.packet(42000), (42000, 80), ack)
    known = [ethernet(one.packet(41000))] * (2 * BURST)
    one.passes("known flows are not charged", one.packet(42000), (42000, 80), known)
    same = Limited("of a range of ports", family, 41)
    for dport in (1000, 1001):
        same.exceeds(f"one bucket for all ports: {dport}", same.packet(42000, dport=dport), same.burst(dport=1001))
    other = Limited("of another listener", family, 42)
    other.passes("each has its own", other.packet(42000), (42000, 80), one.burst())
    query = Limited("of udp", family, 42)
    query.exceeds("one more", query.packet(42000, UDP), query.burst(protocol=UDP))
    query.passes("a known flow", query.packet(41000, UDP), (41000, 53), query.burst(protocol=UDP))


def source_cases(family):
    each = Limited("of a source", family, 43)
    each.passes("the last of the burst", each.packet(42000), (42000, 80), each.burst(BURST - 1))
    each.exceeds("one more", each.packet(42000), each.burst())
    each.passes("another source", each.packet(42000, client=STRANGER[family]), (42000, 80), each.burst())
    neighbour = each.packet(42000, client=NEIGHBOUR[family])
    if family == 4:
        each.passes("another address of the same /24", neighbour, (42000, 80), each.burst())
    else:
        each.exceeds("another address of the same /64", neighbour, each.burst())
    both = each.burst() + each.burst(client=STRANGER[family])
    each.exceeds("both used up", each.packet(42000, client=STRANGER[family]), both)


def exceed_cases(family):
    """What becomes of the packet that exceeds."""
    client, hop = CLIENT[family], {4: (3, 3), 6: (1, 4)}[family]
    refused = Limited("reject", family, 44)
    for tags in (0, 1):
        frame = ethernet(refused.packet(42000), tags)
        refused.exceeds(f"a SYN, {tags} tags", refused.packet(42000), refused.burst(), "reject",
                        reset(family, frame, tags, client, 42000, refused.vip, 80, SYN), tags)
    frame = ethernet(refused.packet(42000, UDP))
    refused.exceeds("udp", refused.packet(42000, UDP), refused.burst(protocol=UDP), "reject",
                    error(family, frame, 0, *hop, 0))
    allowed = Limited("allow", family, 45)
    allowed.passes("goes on", allowed.packet(42000), (42000, 80), allowed.burst(2 * BURST))
    local = Limited("pass", family, 46)
    case(f"rate, {local.name}: the last of the burst", ethernet(local.packet(42000)), "pass", "local",
         before=local.burst(BURST - 1), plane=PLANE)
    local.exceeds("one more", local.packet(42000), local.burst())
    nat = Limited("nat", family, 47)
    nat.exceeds("one more", nat.packet(42000), nat.burst())


def write():
    for family in (4, 6):
        whole_cases(family)
        source_cases(family)
        exceed_cases(family)
