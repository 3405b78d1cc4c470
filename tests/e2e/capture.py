#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes captures for tests from lines `TIME PACKET`, without any library:

    capture.py FORM OUT < LINES

FORM: pcap, pcap-ns, pcap-big (the other byte order), pcapng; behind a `/` the link type: ethernet (the
default), raw, sll, sll2; behind a further `/` a snap length. TIME is in seconds. PACKET:
`tcp|udp SOURCE SPORT DESTINATION DPORT [FLAGS] [payload N] [out] [vlan N]`, `icmp SOURCE DESTINATION TYPE`,
or `hex BYTES` (a frame). FLAGS are letters of SAFR.
"""
import ipaddress
import socket
import struct
import sys

OWN = bytes.fromhex("02aabbccddee")
PEER = bytes.fromhex("020000000001")
LINKS = {"ethernet": 1, "raw": 101, "sll": 113, "sll2": 276}


def fold(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data[: len(data) // 2 * 2]))
    if len(data) % 2:
        total += data[-1] << 8
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def network(source, destination, protocol, body):
    source, destination = ipaddress.ip_address(source), ipaddress.ip_address(destination)
    if source.version == 6:
        return struct.pack("!IHBB", 6 << 28, len(body), protocol, 64) + source.packed + destination.packed + body
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 1, 0x4000, 64, protocol, 0) + source.packed + destination.packed
    return head[:10] + struct.pack("!H", fold(head)) + head[12:] + body


def packet(words):
    """(IP packet, leaves, vlan)"""
    leaves, vlan, size = False, None, 0
    if "out" in words:
        words.remove("out")
        leaves = True
    for key in ("payload", "vlan"):
        if key in words:
            at = words.index(key)
            value = int(words[at + 1])
            del words[at : at + 2]
            if key == "vlan":
                vlan = value
            else:
                size = value
    if words[0] == "icmp":
        _, source, destination, kind = words
        body = struct.pack("!BBHHH", int(kind), 0, 0, 1, 1) + bytes(size)
        return network(source, destination, socket.IPPROTO_ICMP, body), leaves, vlan
    protocol, source, sport, destination, dport = words[:5]
    ports = struct.pack("!HH", int(sport), int(dport))
    if protocol == "udp":
        return network(source, destination, socket.IPPROTO_UDP, ports + struct.pack("!HH", 8 + size, 0) + bytes(size)), leaves, vlan
    flags = words[5] if len(words) > 5 else "S"
    bits = sum({"F": 1, "S": 2, "R": 4, "A": 16}[letter] for letter in flags)
    body = ports + struct.pack("!IIBBHHH", 1, 0, 5 << 4, bits, 65535, 0, 0) + bytes(size)
    return network(source, destination, socket.IPPROTO_TCP, body), leaves, vlan


def framed(words, link):
    if words[0] == "hex":
        return bytes.fromhex(words[1])
    ip, leaves, vlan = packet(words)
    kind = struct.pack("!H", 0x0800 if ip[0] >> 4 == 4 else 0x86DD)
    if link == "raw":
        return ip
    if link == "sll":
        return struct.pack("!HHH", 4 if leaves else 0, 1, 6) + PEER + bytes(2) + kind + ip
    if link == "sll2":
        return kind + bytes(2) + struct.pack("!IHBB", 2, 1, 4 if leaves else 0, 6) + PEER + bytes(2) + ip
    tag = b"" if vlan is None else struct.pack("!HH", 0x8100, vlan)
    return (PEER + OWN if leaves else OWN + PEER) + tag + kind + ip


def write(form, out, records):
    base, link, snap = (form + "/ethernet/262144/" if "/" not in form else form + "/262144/").split("/")[:3]
    snap = int(snap)
    order = ">" if base == "pcap-big" else "<"
    if base == "pcapng":
        out.write(struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28))
        out.write(struct.pack("<IIHHII", 1, 20, LINKS[link], 0, snap, 20))
    else:
        magic = 0xA1B23C4D if base == "pcap-ns" else 0xA1B2C3D4
        out.write(struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snap, LINKS[link]))
    for time, words in records:
        frame = framed(words, link)
        taken = frame[:snap]
        ns = round(time * 1e9)
        if base == "pcapng":
            padded = taken + bytes(-len(taken) % 4)
            size = 32 + len(padded)
            out.write(struct.pack("<IIIIIII", 6, size, 0, ns // 1000 >> 32, ns // 1000 & 0xFFFFFFFF, len(taken), len(frame)))
            out.write(padded + struct.pack("<I", size))
        else:
            part = ns % 10**9 // (1 if base == "pcap-ns" else 1000)
            out.write(struct.pack(order + "IIII", ns // 10**9, part, len(taken), len(frame)) + taken)


def main():
    lines = [line.split() for line in sys.stdin if line.strip()]
    with open(sys.argv[2], "wb") as out:
        write(sys.argv[1], out, [(float(words[0]), words[1:]) for words in lines])


main()
