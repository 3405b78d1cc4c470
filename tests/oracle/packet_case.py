# SPDX-License-Identifier: MIT
"""What the cases of packet_cases.py are made of: bytes of packets, what a listener must make of them, and the lines of
the file. Knows SEMANTICS, the RFCs and the planes of tests/bpf/cases, and nothing of the programs."""
import ipaddress
import struct

TCP, UDP, ICMP, ICMP6, SCTP = 6, 17, 1, 58, 132
HOP, ROUTING, FRAGMENT, AH, DEST = 0, 43, 44, 51, 60
FIN, SYN, RST, ACK = 1, 2, 4, 16
MTU = 1500

CLIENT_MAC, MY_MAC = bytes.fromhex("0200000000aa"), bytes.fromhex("0200000000bb")
HOP_MAC, OUT_MAC = bytes.fromhex("026770630000"), bytes.fromhex("02677063ea60")
SOURCE = {4: "10.255.255.254", 6: "fdff::fe"}      # of the balancer's outer headers
ENDPOINT = {4: "10.0.1.1", 6: "fd00:1::1"}
CLIENT = {4: "198.51.100.7", 6: "2001:db8:10::7"}
SEED = struct.unpack("<Q", bytes(range(8)))[0]


def vip(family, n):
    return f"203.0.113.{n}" if family == 4 else f"2001:db8:ff::{n}"


# ---- bytes -----------------------------------------------------------------------------------------

def total(data):
    if len(data) % 2:
        data += b"\0"
    value = sum(struct.unpack(f">{len(data) // 2}H", data))
    while value >> 16:
        value = (value & 0xFFFF) + (value >> 16)
    return value


def checksum(data):
    return ~total(data) & 0xFFFF


def packed(address):
    return ipaddress.ip_address(address).packed


def pseudo(source, destination, protocol, length):
    s, d = packed(source), packed(destination)
    return s + d + (struct.pack(">BBH", 0, protocol, length) if len(s) == 4 else struct.pack(">IxxxB", length, protocol))


def with_sum(data, at, head):
    value = checksum(head + data[:at] + b"\0\0" + data[at + 2:])
    return data[:at] + struct.pack(">H", value) + data[at + 2:]


def tcp(source, destination, sport=40000, dport=80, flags=ACK, payload=b"", seq=0x01020304, ack=0x05060708, options=b"",
        offset=None):
    offset = 5 + len(options) // 4 if offset is None else offset
    data = struct.pack(">HHIIBBHHH", sport, dport, seq, ack, offset << 4, flags, 0xFFFF, 0, 0) + options + payload
    return with_sum(data, 16, pseudo(source, destination, TCP, len(data)))


def udp(source, destination, sport=40000, dport=53, payload=b"", summed=True, length=None):
    data = struct.pack(">HHHH", sport, dport, 8 + len(payload) if length is None else length, 0) + payload
    if not summed:
        return data
    data = with_sum(data, 6, pseudo(source, destination, UDP, len(data)))
    return data[:6] + b"\xff\xff" + data[8:] if data[6:8] == b"\0\0" else data


def icmp(source, destination, kind, code, rest, payload):
    data = struct.pack(">BBHI", kind, code, 0, rest) + payload
    family = ipaddress.ip_address(source).version
    return with_sum(data, 2, b"" if family == 4 else pseudo(source, destination, ICMP6, len(data)))


def ipv4(source, destination, protocol, payload, tos=0, ident=0, fragment=0x4000, ttl=63, options=b"", length=None,
         version=4, ihl=None):
    size = 20 + len(options) + len(payload)
    head = struct.pack(">BBHHHBBH4s4s", version << 4 | (5 + len(options) // 4 if ihl is None else ihl), tos,
                       size if length is None else length, ident, fragment, ttl, protocol, 0, packed(source),
                       packed(destination)) + options
    return with_sum(head, 10, b"") + payload


def ipv6(source, destination, protocol, payload, tos=0, label=0, hops=63, extensions=(), length=None, version=6):
    for kind, body in reversed(extensions):
        payload = bytes([protocol]) + body + payload
        protocol = kind
    return struct.pack(">IHBB16s16s", version << 28 | tos << 20 | label, len(payload) if length is None else length,
                       protocol, hops, packed(source), packed(destination)) + payload


def ip(family, source, destination, protocol, payload, **how):
    return (ipv4 if family == 4 else ipv6)(source, destination, protocol, payload, **how)


def ethernet(packet, tags=0, source=CLIENT_MAC, destination=MY_MAC, kind=None):
    kind = (0x0800 if packet[:1] and packet[0] >> 4 == 4 else 0x86DD) if kind is None else kind
    between = b"".join(struct.pack(">HH", 0x88A8 if i + 1 < tags else 0x8100, 101 + i) for i in range(tags))
    return destination + source + between + struct.pack(">H", kind) + packet


def fragment_header(offset, more, ident):
    """What stands behind the next-header byte; offset in units of 8 bytes."""
    return FRAGMENT, struct.pack(">BHI", 0, offset << 3 | more, ident)


PAD = b"\0\1\4\0\0\0\0"      # a destination or hop-by-hop header of 8 bytes without its first
ROUTE = b"\0\4\0\0\0\0\0"    # routing type 4, nothing left


# ---- what must come out ------------------------------------------------------------------------------

def mix(seed, a, b, c):
    """gpc_phash of schemas/image.v1.md."""
    word = (1 << 64) - 1
    x = a ^ seed
    x = (x ^ x >> 32) * 0x9E3779B97F4A7C15 & word
    y = (b + c) * 0xC2B2AE3D27D4EB4F & word
    h = x ^ (y << 31 | y >> 33) & word ^ c
    h = (h ^ h >> 29) * 0xD6E8FEB86659FD93 & word
    return h ^ h >> 32


def entropy(source, destination, ports):
    def second(address):
        data = packed(address)
        return struct.unpack("<Q", data[8:] if len(data) == 16 else b"\0\0\xff\xff" + data)[0]
    sport, dport = (struct.unpack("<H", struct.pack(">H", port))[0] for port in ports)
    return mix(SEED, second(source), second(destination), sport << 16 | dport) & 0xFFFFFFFF


class Mode:
    """A listener of the planes: family of its address, its last octet, family of its endpoint."""

    def __init__(self, name, forward, family, n, outer=None, dscp=None, port=6080):
        self.name, self.forward, self.family, self.n = name, forward, family, n
        self.outer, self.dscp, self.port = outer or family, dscp, port

    @property
    def vip(self):
        return vip(self.family, self.n)

    def room(self):
        if self.forward == "dsr":
            return 0
        return (20 if self.outer == 4 else 40) + (8 if self.forward == "gue" else 0)

    def sent(self, packet, ports, endpoint=None):
        """The frame for the endpoint, by default the only one. `ports` of the flow, as far as they are known."""
        if self.forward == "dsr":
            return HOP_MAC + OUT_MAC + struct.pack(">H", 0x0800 if self.family == 4 else 0x86DD) + packet
        head = struct.unpack_from(">I", packet)[0]
        tos = head >> 16 & 0xFF if self.family == 4 else head >> 20 & 0xFF
        if self.dscp is not None:
            tos = self.dscp << 2 | tos & 3
        hashed = entropy(self.source(packet), self.vip, ports)
        source, destination = SOURCE[self.outer], endpoint or ENDPOINT[self.outer]
        protocol, body = (4 if self.family == 4 else 41), packet
        if self.forward == "gue":
            protocol = UDP
            body = udp(source, destination, 0x8000 | hashed & 0x7FFF, self.port, packet, summed=self.outer == 6)
        if self.outer == 6:
            label = head & 0xFFFFF if self.family == 6 else hashed & 0xFFFFF
            packet = ipv6(source, destination, protocol, body, tos=tos, label=label, hops=64)
        else:
            ident, fragment = struct.unpack_from(">HH", packet, 4)
            keep = fragment & 0x4000
            packet = ipv4(source, destination, protocol, body, tos=tos, ident=0 if keep else ident, fragment=keep, ttl=64)
        return HOP_MAC + OUT_MAC + struct.pack(">H", 0x0800 if self.outer == 4 else 0x86DD) + packet

    def source(self, packet):
        return str(ipaddress.ip_address(packet[12:16] if self.family == 4 else packet[8:24]))


def answer_frame(frame, tags, packet):
    """Back to whom it came from, with its tags."""
    return frame[6:12] + frame[:6] + frame[12:14 + 4 * tags] + packet


def error(family, frame, tags, kind, code, rest, source=None, destination=None):
    """An ICMP error about the frame's packet, from the packet's destination."""
    packet = frame[14 + 4 * tags:]
    size = struct.unpack_from(">H", packet, 2)[0] if family == 4 else 40 + struct.unpack_from(">H", packet, 4)[0]
    source, destination = source or CLIENT[family], destination or str(
        ipaddress.ip_address(packet[16:20] if family == 4 else packet[24:40]))
    body = icmp(destination, source, kind, code, rest, packet[:min(size, 128)])
    if family == 4:
        return answer_frame(frame, tags, ipv4(destination, source, ICMP, body, ttl=64))
    return answer_frame(frame, tags, ipv6(destination, source, ICMP6, body, hops=64))


def too_big(family, frame, tags, mtu):
    return error(family, frame, tags, *((3, 4) if family == 4 else (2, 0)), mtu)


# ---- writing -----------------------------------------------------------------------------------------

def short(data):
    text, at = "", 0
    while at < len(data):
        end = at
        while end < len(data) and data[end] == data[at]:
            end += 1
        if end - at > 6:
            text += ("," if text and not text.endswith(",") else "") + f"{data[at]:02x}*{end - at},"
        else:
            text += data[at:end].hex()
        at = end
    return text.rstrip(",")


names = set()
lines = []


def case(name, frame, verdict, reason, out=None, device="wan0", before=(), plane="edge.yaml"):
    assert name not in names, name
    names.add(name)
    lines.extend(["", f"case {name}", f"plane {plane}"])
    for one in before:      # on the device of the case, unless it says another
        where, data = one if isinstance(one, tuple) else (device, one)
        lines.append(f"before {where} {short(data)}")
    lines.extend([f"in {device} {short(frame)}", f"is {verdict} {reason}"])
    if out is not None:
        lines.append(f"out {short(out)}")


IPIP4 = Mode("ipip v4", "ipip", 4, 1)
IPIP46 = Mode("ipip v4 in v6", "ipip", 4, 2, outer=6)
IPIP6 = Mode("ipip v6", "ipip", 6, 1)
GUE4 = Mode("gue v4", "gue", 4, 3)
GUE46 = Mode("gue v4 in v6", "gue", 4, 4, outer=6)
GUE6 = Mode("gue v6", "gue", 6, 3)
DSR4 = Mode("dsr v4", "dsr", 4, 5)
DSR6 = Mode("dsr v6", "dsr", 6, 5)
MODES = [IPIP4, IPIP46, IPIP6, GUE4, GUE46, GUE6, DSR4, DSR6]
MARKED = [Mode("ipip v4 dscp 46", "ipip", 4, 6, dscp=46), Mode("ipip v6 dscp 46", "ipip", 6, 6, dscp=46),
          Mode("gue v4 dscp 0", "gue", 4, 7, dscp=0, port=7777), Mode("gue v6 dscp 0", "gue", 6, 7, dscp=0, port=7777)]


def segment(mode, flags=ACK, payload=b"hello", **how):
    client = CLIENT[mode.family]
    tcp_how = {key: how.pop(key) for key in ("options_tcp",) if key in how}
    body = tcp(client, mode.vip, flags=flags, payload=payload, options=tcp_how.get("options_tcp", b""))
    return ip(mode.family, client, mode.vip, TCP, body, **how)


def datagram(mode, payload=b"question", summed=True, **how):
    client = CLIENT[mode.family]
    return ip(mode.family, client, mode.vip, UDP, udp(client, mode.vip, payload=payload, summed=summed), **how)


def forwarded(name, mode, packet, ports=(40000, 80), tags=0, tail=b"", before=(), plane="edge.yaml"):
    case(f"{mode.name}: {name}", ethernet(packet, tags) + tail, "forward", "forwarded",
         mode.sent(packet, ports) + (tail if mode.forward == "dsr" else b""), before=before, plane=plane)
