# SPDX-License-Identifier: MIT
"""Frames of the nft comparison: made and read by hand. Each carries a tag in its payload by which it is
known again wherever it comes out."""
import struct

TAG = b"gpc!"
TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58
FIN, SYN, RST, ACK = 1, 2, 4, 16


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip(source, destination, protocol, payload, dscp=0):
    if source.version == 4:
        head = struct.pack(">BBHHHBBH4s4s", 0x45, dscp << 2, 20 + len(payload), 0, 0x4000, 64, protocol, 0,
                           source.packed, destination.packed)
        return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload
    return struct.pack(">IHBB16s16s", 6 << 28 | dscp << 22, len(payload), protocol, 64, source.packed,
                       destination.packed) + payload


def with_checksum(source, destination, protocol, segment, at):
    """The segment with its checksum at the offset; a pseudo header but for ICMP of IPv4."""
    pseudo = b""
    if protocol != ICMP:
        pseudo = source.packed + destination.packed + struct.pack(">IHBB", len(segment), 0, 0, protocol)
        if source.version == 4:
            pseudo = source.packed + destination.packed + struct.pack(">BBH", 0, protocol, len(segment))
    value = checksum(pseudo + segment) or (0xFFFF if protocol == UDP else 0)
    return segment[:at] + struct.pack(">H", value) + segment[at + 2:]


def tag_bytes(number):
    return TAG + struct.pack(">I", number)


def tcp(source, destination, sport, dport, flags, seq, ack, number, dscp=0):
    segment = struct.pack(">HHIIBBHHH", sport, dport, seq, ack, 5 << 4, flags, 65535, 0, 0) + tag_bytes(number)
    return ip(source, destination, TCP, with_checksum(source, destination, TCP, segment, 16), dscp)


def udp(source, destination, sport, dport, number, dscp=0):
    segment = struct.pack(">HHHH", sport, dport, 16, 0) + tag_bytes(number)
    return ip(source, destination, UDP, with_checksum(source, destination, UDP, segment, 6), dscp)


def icmp(source, destination, kind, code, rest, number, quoted=b"", dscp=0):
    """`rest`: the four bytes behind the checksum. An error quotes 8 bytes behind the header, and the tag."""
    protocol = ICMP if source.version == 4 else ICMP6
    segment = struct.pack(">BBHI", kind, code, 0, rest) + quoted + tag_bytes(number)
    return ip(source, destination, protocol, with_checksum(source, destination, protocol, segment, 2), dscp)


def other(source, destination, protocol, number, dscp=0):
    return ip(source, destination, protocol, b"\0" * 8 + tag_bytes(number), dscp)


def tag_of(packet):
    """Number of one of our packets, None for anything else (an answer may quote one: those end otherwise)."""
    if packet[-8:-4] == TAG:
        return struct.unpack(">I", packet[-4:])[0]
    return None


def split(packet):
    """(source, destination, protocol, what follows) as bytes."""
    if packet[0] >> 4 == 4:
        size = (packet[0] & 15) * 4
        return packet[12:16], packet[16:20], packet[9], packet[size:struct.unpack_from(">H", packet, 2)[0]]
    return packet[8:24], packet[24:40], packet[6], packet[40:40 + struct.unpack_from(">H", packet, 4)[0]]


def flow_key(packet):
    """What a packet is told by in an answer to it."""
    source, destination, protocol, rest = split(packet)
    return source, destination, protocol, bytes(rest[:4]) if protocol in (TCP, UDP) else b""


def rejected_key(packet):
    """flow_key() of the packet that this one refuses; None if it is no refusal."""
    source, destination, protocol, rest = split(packet)
    if protocol == TCP and len(rest) >= 14 and rest[13] & RST:
        return destination, source, protocol, bytes(rest[2:4] + rest[0:2])
    if len(rest) > 8 and (protocol, rest[0], rest[1]) in ((ICMP, 3, 3), (ICMP6, 1, 4)):
        return flow_key(rest[8:])
    return None
