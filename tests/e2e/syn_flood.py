#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""SYN packets from as many sources, none of which answers.

    syn_flood.py DEVICE MAC ADDRESS PORT N FILE     out of DEVICE to MAC, for ADDRESS and PORT, until FILE exists
"""
import ipaddress
import os
import socket
import struct
import sys


def checksum(data):
    value = sum(struct.unpack(f">{len(data) // 2}H", data))
    while value >> 16:
        value = (value & 0xFFFF) + (value >> 16)
    return ~value & 0xFFFF


def segment(source, destination, port):
    tcp = struct.pack(">HHIIBBHHH", 40000, port, 1, 0, 5 << 4, 2, 0xFFFF, 0, 0)
    value = checksum(source + destination + struct.pack(">II", len(tcp), 6) + tcp)
    return tcp[:16] + struct.pack(">H", value) + tcp[18:]


def packet(i, destination, port):
    if len(destination) == 16:
        source = ipaddress.ip_address(0x20010DB8_0099_0000_0000_0000_0000_0000 + i).packed
        return b"\x86\xdd" + struct.pack(">IHBB", 6 << 28, 20, 6, 64) + source + destination + segment(source, destination, port)
    source = struct.pack(">I", 0x64400000 + i)
    head = struct.pack(">BBHHHBBH", 0x45, 0, 40, 0, 0x4000, 64, 6, 0) + source + destination
    head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
    return b"\x08\0" + head + segment(source, destination, port)


def main(device, mac, address, port, count, enough):
    destination = ipaddress.ip_address(address).packed
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
        s.bind((device, 0))
        ethernet = bytes.fromhex(mac.replace(":", "")) + b"\x02\0\0\0\0\x99"
        for i in range(int(count)):
            if i % 500 == 0 and os.path.exists(enough):
                break
            s.send(ethernet + packet(i, destination, int(port)))


if __name__ == "__main__":
    main(*sys.argv[1:])
