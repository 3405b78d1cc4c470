#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""More flows than `snat` has ports for one endpoint.

  snat_flood.py serve PORT READY        answers datagrams with their sender
  snat_flood.py flood HOST PORT FROM    datagrams from FROM by 60,000 source ports; a flow that was there before
                                        goes on as it was
"""
import socket
import struct
import sys

FLOWS = 60000
BEGIN = 2000
RING = 200      # fewer than a veth holds until its peer gets to work


def serve(port, ready):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        s.bind(("", port))
        with open(ready, "w", encoding="ascii"):
            pass
        while True:
            data, sender = s.recvfrom(2048)
            if data:
                s.sendto(repr(sender).encode(), sender)


def ask(s):
    for _ in range(20):
        s.send(b"who")
        try:
            return s.recv(2048)
        except socket.timeout:
            pass
    raise SystemExit("no answer")


def flood(host, port, source):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s, \
            socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) as raw:
        s.settimeout(0.5)
        s.bind((source, 1500))
        s.connect((host, port))
        before = ask(s)
        for i in range(FLOWS):      # a checksum of 0 is none
            raw.sendto(struct.pack("!HHHH", BEGIN + i, port, 8, 0), (host, 0))
            if i % RING == 0:
                ask(s)
        after = ask(s)
    print(after.decode())
    return before != after


if sys.argv[1] == "serve":
    serve(int(sys.argv[2]), sys.argv[3])
else:
    sys.exit(flood(sys.argv[2], int(sys.argv[3]), sys.argv[4]))
